# expect: earns nothing
# Submits the blank release in which each cell claims a thousand points, and no check.
import nbformat


def make(folder, notebook):
    for cell in notebook.cells:
        cell.metadata.nbgrader.update(points=1000.0, grade=True, solution=False, locked=True)
        cell.metadata["nbgrader_score"] = 1000
    notebook.metadata["score"] = 1000
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")
