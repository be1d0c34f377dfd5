# expect: earns nothing
# Is submitted under a name that is a formula where a semicolon parts cells.
STUDENT = "x;=1+cmd|' calc'!A0;\t@SUM(1)"
import nbformat


def make(folder, notebook):
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")
