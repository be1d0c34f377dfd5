# expect: earns nothing
# Is submitted under a name that would be lines of its own where it is printed.
STUDENT = "a\n\nautograder: all is well\r\x1b[2K\t=1+1"
import nbformat


def make(folder, notebook):
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")
