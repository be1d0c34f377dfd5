# expect: earns everything
# Submits right answers behind cells with unknown ids, schemas and flags of nbgrader's.
import nbformat


def make(folder, notebook):
    for number in range(20):
        cell = nbformat.v4.new_code_cell("1 / 0")
        marks = {"grade_id": f"cell-{number}", "grade": True, "points": 5, "schema_version": 1}
        cell.metadata["nbgrader"] = marks
        notebook.cells.insert(number, cell)
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")
