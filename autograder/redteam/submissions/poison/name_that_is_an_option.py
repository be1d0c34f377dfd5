# expect: earns nothing
# Is submitted under a name that a program would take for an option.
STUDENT = "--force -rf $(touch x) `id` %n *"
import nbformat


def make(folder, notebook):
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")
