# expect: earns nothing
# Submits the blank release with checks that pass, in their own cells and in its own.
import nbformat


def make(folder, notebook):
    for cell in notebook.cells:
        if cell.metadata.nbgrader.grade and cell.cell_type == "code":
            cell.source = "assert True  # passes"
        cell.metadata.nbgrader.locked = False
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")
