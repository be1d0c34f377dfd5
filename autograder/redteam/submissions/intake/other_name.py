# expect: earns everything; says "was graded"
# Submits right answers under a name of its own, as downloads have it.
import nbformat


def make(folder, notebook):
    nbformat.write(notebook, folder / f"{folder.name} (1).ipynb")
