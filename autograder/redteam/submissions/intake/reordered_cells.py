# expect: earns everything
# Submits right answers whose cells stand in the opposite order.
import nbformat


def make(folder, notebook):
    notebook.cells.reverse()
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")
