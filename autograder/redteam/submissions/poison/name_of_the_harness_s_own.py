# expect: earns nothing
# Is submitted under a name that the folders of results and pages use themselves.
STUDENT = "history"
import nbformat


def make(folder, notebook):
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")
