"""Rubrics for graders: formgrader shows them, and no file that a student may get holds them."""

from pathlib import Path
from typing import Any

from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell
from traitlets import Unicode

from autograder.compiler.regions import RUBRIC, SOLUTION, without_marks
from autograder.compiler.source import read_source
from autograder.course import find_course
from autograder.errors import AutograderError

__all__ = ["ShowRubrics"]

_HEADING = "**For graders: the example answer and the rubric.** Students do not see this."
_OPEN = "submission_id"  # what formgrader alone says of a page: which submission it shows


class ShowRubrics(Preprocessor):
    """Puts the example answer and the rubric below each manual answer that formgrader shows.

    They are read from the source notebook and go into the page alone, and only into formgrader's:
    a notebook that is converted for anybody else stays as it is.
    """

    course = Unicode("", help="The folder of the course.").tag(config=True)

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Return the notebook with rubrics in it, if it is formgrader that shows it."""
        if _OPEN not in resources:
            return nb, resources
        rubrics = self._rubrics(str(resources["assignment_id"]))
        cells = []
        for cell in nb.cells:
            cells.append(cell)
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            if name in rubrics:
                cells.append(new_markdown_cell(f"{_HEADING}\n\n{rubrics[name]}"))
        return NotebookNode(nb | {"cells": cells}), resources

    def _rubrics(self, assignment: str) -> dict[str, str]:
        """Return the text of each manual question's cell as its author wrote it."""
        course = find_course(Path(self.course))
        try:
            path = course.source(assignment)
            source = read_source(path, course.relative(path))
        except AutograderError as error:  # it is being edited, say: the page is shown without
            self.log.warning("no rubrics of %s: %s", assignment, error)
            return {}
        return {
            cell.manual.question: without_marks(without_marks(cell.text, SOLUTION), RUBRIC)
            for cell in source.cells
            if cell.manual
        }
