"""Courses of others: how much of them is adopted, published, and what their tests let through.

``python -m autograder.bench.courses FOLDER`` takes a folder with one folder for each course. It
adopts each source notebook with tests in a course of its own in a temporary folder, tries to
publish it, and prints a table. Nothing of the courses is kept. Their code is run as that of any
author is: look at what you measure.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from autograder.adopting.adopt import adopt, read_foreign
from autograder.adopting.cells import Role
from autograder.audit.publish import compile_and_publish
from autograder.course import CONFIG, Course
from autograder.errors import AutograderError, UsageError

__all__ = ["Measured", "main", "measure", "notebooks_in", "table"]

SECONDS = 600  # for one notebook
_LEFT_OUT = {"release", "submitted", "submissions", "autograded", "feedback", "downloaded"}
_HEAD = (
    "| course | notebooks | test cells | are checks | compile | published | checks with points "
    "| proved | answered without work | by the blank release |\n"
    "|---|---|---|---|---|---|---|---|---|---|\n"
)


@dataclass(frozen=True)
class Measured:
    """What came of one notebook, or of several.

    Attributes:
        notebooks: source notebooks with tests.
        tests: test cells.
        converted: those that became checks.
        compiled: notebooks whose draft compiles.
        published: notebooks that are published as they were adopted.
        checks: checks with points, of those that are published.
        proved: of these, those that the full standard accepts.
        null: those that an answer without work earns points of.
        blank: those that the blank release earns points of.
    """

    notebooks: int = 0
    tests: int = 0
    converted: int = 0
    compiled: int = 0
    published: int = 0
    checks: int = 0
    proved: int = 0
    null: int = 0
    blank: int = 0

    def __add__(self, other: "Measured") -> "Measured":
        names = [field.name for field in fields(self)]
        return Measured(**{name: getattr(self, name) + getattr(other, name) for name in names})


def notebooks_in(course: Path) -> Iterator[Path]:
    """Give the source notebooks of a course that have tests and solutions."""
    for path in sorted(course.rglob("*.ipynb")):
        folders = path.relative_to(course).parts[:-1]
        if _LEFT_OUT.intersection(folders) or any(part.startswith(".") for part in folders):
            continue
        try:
            cells = read_foreign(path).cells
        except UsageError:
            continue
        solutions = [cell for cell in cells if cell.role is Role.SOLUTION]
        if any(cell.role is Role.TESTS for cell in cells) and not all(c.look for c in solutions):
            yield path


def measure(path: Path) -> Measured:
    """Adopt a notebook in a course of its own, and try to publish it."""
    with tempfile.TemporaryDirectory() as folder:
        course = Course(Path(folder))
        (course.root / CONFIG).write_text('name = "Measured"\n', encoding="utf-8")
        adopted = adopt(course, read_foreign(path), "measured")
        tests = [one for one in adopted.draft.outcomes if one.tests]
        found = Measured(1, len(tests), sum(bool(one.checks) for one in tests))
        if adopted.hindrance:
            sys.stderr.write(f"{path}: {adopted.hindrance}\n")
            return found
        found += Measured(compiled=1)
        try:
            compile_and_publish(course, "measured", lambda _: None)
        except AutograderError as error:
            sys.stderr.write(f"{path}: {error}\n")
            return found
        audit = json.loads((course.build("measured") / "audit.json").read_bytes())
    checks = [check["name"] for check in audit["checks"] if check["points"]]
    holes = [hole for hole in audit["holes"] if hole["points"]]
    return found + Measured(
        published=1,
        checks=len(checks),
        proved=len(checks) - len(holes),
        null=sum(hole["earned"]["without_work"] > 0 for hole in holes),
        blank=sum(hole["earned"]["empty"] > 0 for hole in holes),
    )


def table(found: Sequence[tuple[str, Measured]]) -> str:
    """Return the figures of courses, and all of them together, as a table in Markdown."""
    rows = [*found, ("all", sum((one for _, one in found), Measured()))]
    lines = (f"| {name} | {' | '.join(map(str, asdict(one).values()))} |\n" for name, one in rows)
    return _HEAD + "".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Measure the courses of a folder, each notebook in a process of its own."""
    if arguments[:1] == ["--one"]:
        sys.stdout.write(f"\n{json.dumps(asdict(measure(Path(arguments[1]))))}\n")
        return 0
    found = []
    for course in sorted(path for path in Path(arguments[0]).iterdir() if path.is_dir()):
        every = [_in_process(path) for path in notebooks_in(course)]
        if every:
            found.append((course.name, sum(every, Measured())))
    sys.stdout.write(table(found))
    return 0


def _in_process(path: Path) -> Measured:
    command = [sys.executable, "-m", "autograder.bench.courses", "--one", str(path)]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except subprocess.TimeoutExpired:
        sys.stderr.write(f"{path}: it took more than {SECONDS} s\n")
        return Measured(1)
    sys.stderr.write("".join(line for line in done.stderr.splitlines(True) if str(path) in line))
    try:
        return Measured(**json.loads(done.stdout.splitlines()[-1]))
    except (IndexError, TypeError, ValueError):
        sys.stderr.write(f"{path}: {done.stderr[-500:]}\n")
        return Measured(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
