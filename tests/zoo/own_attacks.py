"""Attacks that belong to one assignment: forged answers to its questions, in ``own/<assignment>/``.

They are specimens as those in ``submissions/``, whose group is the assignment's name.
"""

from collections.abc import Iterable
from pathlib import Path

from tests.zoo.specimens import Specimen, read_zoo

__all__ = ["OWN", "meant_for", "read_own"]

OWN = Path(__file__).parent / "own"


def read_own() -> list[Specimen]:
    """Return the attacks on single assignments, sorted by assignment and name."""
    return read_zoo(OWN)


def meant_for(assignment: str, specimens: Iterable[Specimen]) -> list[Specimen]:
    """Return those that can be tried on an assignment: all but other assignments' own."""
    others = {folder.name for folder in OWN.iterdir()} - {assignment}
    return [specimen for specimen in specimens if specimen.group not in others]
