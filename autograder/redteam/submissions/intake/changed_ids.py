# expect: earns nothing
# Submits the blank release in which all cells carry each other's ids, or one id together.
import nbformat


def make(folder, notebook):
    ids = [cell.metadata.nbgrader.grade_id for cell in notebook.cells]
    for number, cell in enumerate(notebook.cells):
        cell.metadata.nbgrader.grade_id = ids[-1 - number] if number % 2 else ids[-1]
    (folder / f"{folder.name}.ipynb").write_text(__import__("json").dumps(notebook))
