# expect: earns everything
# Submits right answers in which every given cell and every check raises an error.
import nbformat


def make(folder, notebook):
    for cell in notebook.cells:
        if not cell.metadata.nbgrader.solution:
            cell.source = "raise RuntimeError('edited')"
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")
