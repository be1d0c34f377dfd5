# expect: earns everything
# Submits right answers without any metadata, as other editors write them.
import nbformat


def make(folder, notebook):
    for cell in notebook.cells:
        cell.metadata = {}
    notebook.metadata = {}
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")
