"""The gradebook's picture of an assignment: its notebook's cells, as nbgrader's SaveCells has them.

SaveCells itself refuses a notebook whose cells changed once somebody submitted. Here a cell that
came is added and one that went is removed: what staff entered for it stays in the journal.
"""

import json
from typing import Any

from nbformat import NotebookNode

__all__ = ["sync_notebook"]

Wanted = dict[str, dict[str, Any]]


def sync_notebook(gradebook: Any, assignment: str, release: NotebookNode) -> tuple[Any, set[str]]:
    """Bring an assignment's notebook into line with its release.

    Returns:
        It, and the cells that are worth other points than they were.
    """
    from nbgrader.api import GradeCell, SolutionCell, SourceCell, TaskCell

    notebook = _find_or_add(gradebook, assignment)
    notebook.kernelspec = json.dumps(release.metadata.get("kernelspec", {}))
    wanted = _wanted(release)
    worth = {cell.name: cell.max_score for cell in (*notebook.grade_cells, *notebook.task_cells)}
    for model, present in (
        (GradeCell, notebook.grade_cells),
        (SolutionCell, notebook.solution_cells),
        (TaskCell, notebook.task_cells),
        (SourceCell, notebook.source_cells),
    ):
        _sync_cells(
            gradebook, notebook, model, {cell.name: cell for cell in present}, wanted[model]
        )
    gradebook.db.flush()
    gradebook.db.expire(notebook)  # its lists of cells still hold what was removed
    now = {**wanted[GradeCell], **wanted[TaskCell]}
    return notebook, {n for n in worth.keys() & now.keys() if worth[n] != now[n]["max_score"]}


def _find_or_add(gradebook: Any, name: str) -> Any:
    """Return the notebook of an assignment that holds one, which bears the assignment's name."""
    from nbgrader.api import Assignment, Notebook

    assignment = gradebook.db.query(Assignment).filter_by(name=name).one_or_none()
    if assignment is None:
        assignment = Assignment(name=name, course_id=gradebook.course_id)
        gradebook.db.add(assignment)
    for notebook in assignment.notebooks:
        if notebook.name == name:
            return notebook
    notebook = Notebook(name=name, assignment=assignment)
    gradebook.db.add(notebook)
    return notebook


def _wanted(release: NotebookNode) -> dict[type, Wanted]:
    """Return the cells of a release with their columns, by kind."""
    from nbgrader import utils
    from nbgrader.api import GradeCell, SolutionCell, SourceCell, TaskCell

    wanted: dict[type, Wanted] = {GradeCell: {}, SolutionCell: {}, TaskCell: {}, SourceCell: {}}
    for cell in release.cells:
        metadata = cell.metadata.get("nbgrader", {})
        score = {"max_score": float(metadata.get("points", 0)), "cell_type": cell.cell_type}
        kinds = {
            GradeCell: (utils.is_grade(cell), score),
            SolutionCell: (utils.is_solution(cell), {}),
            TaskCell: (utils.is_task(cell), score),
            SourceCell: (
                utils.is_grade(cell)
                or utils.is_solution(cell)
                or utils.is_task(cell)
                or utils.is_locked(cell),
                {
                    "cell_type": cell.cell_type,
                    "locked": utils.is_locked(cell),
                    "source": cell.source,
                    "checksum": metadata.get("checksum"),
                },
            ),
        }
        for model, (applies, columns) in kinds.items():
            if applies:
                wanted[model][metadata["grade_id"]] = columns
    return wanted


def _sync_cells(
    gradebook: Any, notebook: Any, model: type, present: dict[str, Any], wanted: Wanted
) -> None:
    for name, columns in wanted.items():
        if name in present:
            for column, value in columns.items():
                setattr(present[name], column, value)
        else:
            gradebook.db.add(model(name=name, notebook=notebook, **columns))
    for name in present.keys() - wanted.keys():
        _remove(gradebook, present[name])


def _remove(gradebook: Any, cell: Any) -> None:
    from nbgrader.api import Comment, Grade

    grades = gradebook.db.query(Grade).filter_by(cell_id=cell.id).all()
    comments = gradebook.db.query(Comment).filter_by(cell_id=cell.id).all()
    for row in (*grades, *comments, cell):
        gradebook.db.delete(row)
