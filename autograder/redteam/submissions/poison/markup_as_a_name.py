# expect: earns nothing
# Is submitted under a name that is markup.
STUDENT = "<img src=x onerror=alert(1)>&amp;\"'"
import nbformat


def make(folder, notebook):
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")
