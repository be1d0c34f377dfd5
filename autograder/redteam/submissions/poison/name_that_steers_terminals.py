# expect: earns nothing
# Is submitted under a name with control characters, and a reading direction of its own.
STUDENT = "\x1b[31mred\u202egnitirw\x07"
import nbformat


def make(folder, notebook):
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")
