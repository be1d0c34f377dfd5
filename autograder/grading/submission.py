"""Intake: from the bytes that a student handed in to a notebook that can be graded.

Nothing in a student's metadata is believed. The release says which cells are given, which are
checks and which hold answers; given and check cells are restored from it, and what was damaged
is healed and noted. Healing takes nothing from the student: what was added to such a cell runs
behind the restored one, or is shown to staff.
"""

import hashlib
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from autograder.course import told_files
from autograder.errors import StudentError
from autograder.grading.alignment import align
from autograder.grading.healing import Healer
from autograder.grading.student_cells import read_cells, title_of
from autograder.sandbox.session import CodeCell

__all__ = ["Submission", "digest_of", "parse_submission", "read_submission_file"]

MAX_BYTES = 64 << 20


@dataclass(frozen=True)
class Submission:
    """A healed notebook.

    Attributes:
        notebook: for staff to read: the student's answers among the release's own cells.
        cells: the code cells to run, numbered as in the student's notebook.
        places: how many of them stand above each check, by the grade_id of its cell.
        answers: the text of each manual answer that differs from the release, by grade_id, with
            what was written into its prompt; where its cell is missing, of all cells that may
            hold it.
        notes: what was healed, for staff and the student.
    """

    notebook: NotebookNode
    cells: tuple[CodeCell, ...]
    places: Mapping[str, int]
    answers: Mapping[str, str]
    notes: tuple[str, ...]


def read_submission_file(path: Path) -> bytes:
    """Return the bytes of a submitted file.

    Raises:
        StudentError: it is missing, no regular file, or too large.
    """
    try:
        status = path.lstat()
        if path.parent.is_symlink() or path.parent.parent.is_symlink():
            raise StudentError("the folder of the submission is a link")
        if not stat.S_ISREG(status.st_mode):
            raise StudentError(f"{path.name} is no regular file")
        if status.st_size > MAX_BYTES:
            raise StudentError(
                f"{path.name} has {status.st_size >> 20} MB; at most {MAX_BYTES >> 20} MB are read"
            )
        return path.read_bytes()
    except FileNotFoundError:
        others = told_files(path.parent)
        raise StudentError(f"there is no {path.name} in the submission{others}") from None
    except OSError as error:
        raise StudentError(f"{path.name} cannot be read: {error.strerror}") from None


def digest_of(data: bytes) -> str:
    """Return the name of a submission: "sha256:…" of its bytes."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def parse_submission(data: bytes, release: NotebookNode) -> Submission:
    """Heal a submitted notebook against its release.

    Args:
        data: the submitted file.
        release: the release notebook, whose cells carry nbgrader's metadata.

    Raises:
        StudentError: the bytes are no notebook, or another assignment's.
    """
    cells = read_cells(data)
    found = align(cells, release)
    if found.is_anothers:
        title = f', "{title}"' if (title := title_of(cells)) else ""
        raise StudentError(
            f"the notebook is another assignment's{title}: no answer in it belongs to this one"
        )
    healer = Healer(cells, found, release)
    healer.heal()
    return Submission(
        healer.notebook,
        tuple(healer.run),
        healer.places,
        healer.answers(),
        (*found.notes, *healer.notes),
    )
