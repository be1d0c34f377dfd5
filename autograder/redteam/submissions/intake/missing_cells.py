# expect: earns everything
# Submits right answers alone: every given cell and every check was deleted.
import nbformat


def make(folder, notebook):
    notebook.cells = [c for c in notebook.cells if c.metadata.nbgrader.solution]
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")
