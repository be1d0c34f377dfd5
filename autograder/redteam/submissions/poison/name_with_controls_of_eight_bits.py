# expect: earns nothing
# Is submitted under a name that steers a terminal without the escape character.
STUDENT = "\x9b31mred\x9d0;owned\x9c\x85\u2028"
import nbformat


def make(folder, notebook):
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")
