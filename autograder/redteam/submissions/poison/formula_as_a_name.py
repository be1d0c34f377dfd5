# expect: earns nothing
# Is submitted under a name that a spreadsheet would compute.
STUDENT = "=HYPERLINK(1,2)+cmd|' calc'!A0"
import nbformat


def make(folder, notebook):
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")
