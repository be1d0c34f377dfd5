"""The catalogue: the specimens there are, and which of them to try.

Those in ``submissions/`` are tried on every assignment. Those in ``attacks/`` beside an
assignment's notebook forge answers to its own questions, and are tried on it alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from autograder.course import Course
from autograder.errors import UsageError
from autograder.redteam.specimens import Specimen, read_specimens

__all__ = ["choose", "read_own", "read_zoo"]

SUBMISSIONS = Path(__file__).parent / "submissions"


def read_zoo() -> list[Specimen]:
    """Return the specimens for every assignment, sorted by group and name."""
    folders = sorted(path for path in SUBMISSIONS.iterdir() if path.is_dir())
    return [specimen for folder in folders for specimen in read_specimens(folder, folder.name)]


def read_own(course: Course, assignment: str) -> list[Specimen]:
    """Return the attacks on an assignment's own questions; their group is its name."""
    return read_specimens(course.source(assignment).parent / "attacks", assignment)


def choose(
    found: Mapping[str, Iterable[Specimen]], only: Sequence[str]
) -> dict[str, list[Specimen]]:
    """Return what to try on each assignment: all where no name is given.

    Args:
        found: what there is, by assignment; one for which nothing is chosen is left out.
        only: names of specimens or of groups.

    Raises:
        UsageError: a name is none.
    """
    known = {name for specimens in found.values() for s in specimens for name in _names(s)}
    for name in only:
        if name not in known:
            raise UsageError(f"there is no attack or class {name!r}; --list shows what there is")
    chosen = {
        assignment: [s for s in specimens if not only or _names(s) & set(only)]
        for assignment, specimens in found.items()
    }
    return {assignment: specimens for assignment, specimens in chosen.items() if specimens}


def _names(specimen: Specimen) -> set[str]:
    """Return by which names a specimen may be chosen."""
    return {specimen.group, specimen.name, specimen.company, specimen.id}
