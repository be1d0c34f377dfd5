# expect: needs attention; says "another assignment"
# Submits right answers whose ids are all of another assignment.
import nbformat


def make(folder, notebook):
    for cell in notebook.cells:
        cell.metadata["nbgrader"]["grade_id"] += "_of_another"
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")
