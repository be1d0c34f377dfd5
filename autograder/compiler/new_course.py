"""A new course: the files in its folder that are the same in every course, and their upkeep."""

import json
from pathlib import Path

from autograder.compiler.skeleton import write_skeleton
from autograder.course import CONFIG, Course, NoCourse, find_course
from autograder.errors import UsageError, naming

__all__ = ["NBGRADER_CONFIG", "write_course"]

FIRST = "hw1"  # the first assignment, where nobody says another name
_COURSE = """\
# The course: limits and policies that its assignments share.
name = {name}
"""
_LAST_OF_OURS = (
    "# What stands below is yours; `autograder new --course NAME` keeps what stands above."
)
NBGRADER_CONFIG = f'''\
"""What nbgrader, its formgrader and its exchange do in this course."""

c = get_config()  # noqa: F821 - nbgrader defines it
try:
    from autograder.nbgrader_hooks import configure

    configure(c, __file__)
except Exception as error:  # nbgrader would go on without, and grade by itself
    raise SystemExit(f"nbgrader_config.py: {{error}}") from error

{_LAST_OF_OURS}
'''
_IGNORED = """\
.venv/
__pycache__/
.ipynb_checkpoints/
build/
release/
submitted/
results/
autograded/
feedback/
report/
gradebook.db
gradebook.db-journal
"""


def write_course(folder: Path, name: str, assignment: str | None) -> list[str]:
    """Make a folder a course, or bring the files of one up to date; return what was done.

    What an instructor has written stays: of files that are there, only the part that is ours is
    written again.

    Args:
        folder: the course's.
        name: of the course.
        assignment: the first one, or one more; None writes one where there is none.

    Raises:
        UsageError: the folder lies in another course, or the assignment cannot be written.
    """
    try:
        found = find_course(folder)
    except NoCourse:
        found = None
    if found is not None and found.root != folder:
        raise UsageError(f"this folder lies in the course {found.name!r}, {found.root}")
    told = []
    if found is None:
        _write(folder / CONFIG, _COURSE.format(name=json.dumps(name, ensure_ascii=False)))
        told.append(f"wrote {CONFIG}")
    elif found.name != name:
        told.append(f"{CONFIG} says {found.name!r}, not {name!r}; it is left as it is")
    told += [*_keep_config(folder / "nbgrader_config.py"), *_keep_ignored(folder / ".gitignore")]
    course = Course(folder, name) if found is None else found
    if assignment is not None or not course.assignments():
        paths = write_skeleton(course, assignment or FIRST)
        told += [f"wrote {course.relative(path)}" for path in paths]
    return told or ["every file is as it should be"]


def _keep_config(path: Path) -> list[str]:
    """Write our part of nbgrader's configuration, if it is missing or not as it should be."""
    text = _read(path)
    if text is None:
        _write(path, NBGRADER_CONFIG)
        return [f"wrote {path.name}"]
    if text.startswith(NBGRADER_CONFIG):
        return []
    _, mark, own = text.partition(f"{_LAST_OF_OURS}\n")
    if not mark:
        lines = "\n".join(f"    {line}".rstrip() for line in NBGRADER_CONFIG.splitlines())
        return [f"{path.name} is not ours and is left as it is; put these lines first:\n{lines}"]
    _write(path, NBGRADER_CONFIG + own)
    return [f"wrote our part of {path.name} again; what stands below it is as it was"]


def _keep_ignored(path: Path) -> list[str]:
    """Add what is missing of the lines that keep results and grades out of a repository."""
    text = _read(path) or ""
    missing = [line for line in _IGNORED.splitlines() if line not in text.splitlines()]
    if not missing:
        return []
    end = "" if not text or text.endswith("\n") else "\n"
    _write(path, "\n".join([text + end + missing[0], *missing[1:], ""]))
    return [f"wrote {path.name}" if not text else f"added to {path.name}: {', '.join(missing)}"]


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise UsageError(f"{path.name} is not UTF-8") from None


def _write(path: Path, text: str) -> None:
    with naming(path):
        path.write_text(text, encoding="utf-8", newline="\n")
