# expect: earns nothing; aims at the run
# Submits again and again while the class is graded, each time something else.
import nbformat


def make(folder, notebook):
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")


def meddle(folder, notebook, over):
    number = 0
    while not over.wait(0.005):
        number += 1
        notebook.metadata["number"] = number
        new = folder / "new"
        nbformat.write(notebook, new)
        new.replace(folder / f"{folder.name}.ipynb")
