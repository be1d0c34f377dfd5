"""Intake: from the bytes that a student submitted to a notebook that can be graded.

Nothing in a student's metadata is believed. The release says which cells are given, which are
checks and which hold answers; given and check cells are restored from it, and what was damaged
is healed and noted. Healing takes nothing from the student: what was added to such a cell runs
behind the restored one, or is shown to staff.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nbformat import NotebookNode

from autograder.errors import StudentError
from autograder.grading.additions import Budget
from autograder.grading.alignment import align
from autograder.grading.healing import Healer
from autograder.grading.student_cells import read_cells, title_of
from autograder.sandbox.client.session import CodeCell

__all__ = ["Submission", "parse_submission"]


@dataclass(frozen=True)
class Submission:
    """A healed notebook.

    Attributes:
        notebook: for staff to read: the student's answers among the release's own cells.
        cells: the code cells to run, numbered as in the student's notebook.
        places: how many of them stand above each check, by the grade_id of its cell; of one that
            is missing, wherever it may have stood.
        answers: the text of each manual answer that differs from the release, by grade_id, with
            what was written into its prompt; where its cell is missing, of all cells that may
            hold it.
        notes: what was healed, for staff and the student.
    """

    notebook: NotebookNode
    cells: tuple[CodeCell, ...]
    places: Mapping[str, Sequence[int]]
    answers: Mapping[str, str]
    notes: tuple[str, ...]


def parse_submission(data: bytes, release: NotebookNode) -> Submission:
    """Heal a submitted notebook against its release.

    Args:
        data: the submitted file.
        release: the release notebook, whose cells carry nbgrader's metadata.

    Raises:
        StudentError: the bytes are no notebook, or another assignment's.
    """
    cells = read_cells(data)
    budget = Budget()
    found = align(cells, release, budget)
    if found.is_anothers:
        title = f', "{title}"' if (title := title_of(cells)) else ""
        raise StudentError(
            f"the notebook is another assignment's{title}: no answer in it belongs to this one"
        )
    healer = Healer(cells, found, release, budget)
    healer.heal()
    return Submission(
        healer.notebook,
        tuple(healer.run),
        healer.places,
        healer.answers(),
        (*found.notes, *healer.notes),
    )
