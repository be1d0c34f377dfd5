"""An nbgrader course graded by both, side by side: the scores compared, and what each cost.

``python -m autograder.bench.side_by_side COURSE`` grades copies of a course, by nbgrader's own
`autograde` and by `autograder grade`, and changes nothing in it. Each cell whose score differs is
named. Where nobody has submitted anything, the source with its solution and the release are
submitted.
"""

import argparse
import json
import os
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.bench.measure import Failed, Usage, measure, total

__all__ = ["Comparison", "compare", "scores_of"]

SECONDS = 3600.0  # for a class
MOST_TOLD = 40  # scores that differ
SCORES = """
    SELECT student.id, assignment.name, notebook.name, base_cell.name, grade.auto_score
    FROM grade
    JOIN submitted_notebook ON grade.notebook_id = submitted_notebook.id
    JOIN submitted_assignment ON submitted_notebook.assignment_id = submitted_assignment.id
    JOIN notebook ON submitted_notebook.notebook_id = notebook.id
    JOIN assignment ON notebook.assignment_id = assignment.id
    JOIN student ON submitted_assignment.student_id = student.id
    JOIN base_cell ON grade.cell_id = base_cell.id
"""
Cell = tuple[str, str, str, str]  # student, assignment, notebook, grade_id


@dataclass(frozen=True)
class Comparison:
    """What two graders came to.

    Attributes:
        theirs, ours: the automatic score of each cell; None where staff score it.
        usage_of_nbgrader, usage: what each cost.
        hardened, solved, tests: how many test cells ran out of the students' reach, how many the
            source's own solution passes here, and how many there are.
        submissions: how many were graded.
        unread: assignments that nbgrader cannot generate.
    """

    theirs: dict[Cell, float | None]
    ours: dict[Cell, float | None]
    usage_of_nbgrader: Usage
    usage: Usage
    hardened: int
    solved: int
    tests: int
    submissions: int
    unread: tuple[str, ...] = ()

    @property
    def differences(self) -> list[tuple[Cell, float | None, float | None]]:
        """Each cell with different scores: nbgrader's, and ours."""
        found = []
        for cell in sorted(self.theirs.keys() | self.ours.keys()):
            theirs, ours = self.theirs.get(cell), self.ours.get(cell)
            if theirs is None and ours is None:
                continue
            if theirs is None or ours is None or abs(theirs - ours) > 1e-6:
                found.append((cell, theirs, ours))
        return found

    def lines(self) -> Iterator[str]:
        """Give what there is to say."""
        same = len(self.theirs.keys() | self.ours.keys()) - len(self.differences)
        yield f"{self.submissions} submissions, {same} cells with the same score"
        for cell, theirs, ours in self.differences[:MOST_TOLD]:
            yield f"  {' / '.join(cell)}: nbgrader {_shown(theirs)}, autograder {_shown(ours)}"
        if (more := len(self.differences) - MOST_TOLD) > 0:
            yield f"  … and {more} more"
        yield (
            f"{self.hardened} of {self.tests} test cells are hardened; "
            f"the source's own solution passes {self.solved}"
        )
        if self.unread:
            yield f"nbgrader cannot generate {', '.join(self.unread)}"
        theirs_cpu, ours_cpu = self.usage_of_nbgrader.cpu, self.usage.cpu
        yield (
            f"processor time: nbgrader {theirs_cpu:.1f} s, autograder {ours_cpu:.1f} s, "
            f"{theirs_cpu / max(ours_cpu, 1e-9):.0f} times less"
        )


def compare(course: Path, assignments: Sequence[str] = ()) -> Comparison:
    """Grade copies of a course by both.

    Args:
        course: a folder with nbgrader's ``source`` and ``submitted``.
        assignments: only these; empty means all that somebody submitted.

    Raises:
        Failed: one of the two did not grade it.
    """
    with tempfile.TemporaryDirectory() as folder:
        places = [Path(folder) / name for name in ("nbgrader", "autograder")]
        for place in places:
            ignored = shutil.ignore_patterns("autograded", "feedback", "results", "build")
            shutil.copytree(course, place, ignore=ignored, symlinks=True)
        names, unread = _generated(places, list(assignments) or _assignments(course))
        for place in places:
            for name in names:
                _submit_if_nobody_has(place, name)
        began = time.monotonic()
        theirs = [
            _run(places[0], "nbgrader", "autograde", n, "--force", codes=(0, 1)) for n in names
        ]
        wall = time.monotonic() - began
        own = sys.executable, "-m", "autograder", "grade", *names
        ours = _run(places[1], *own, codes=(0, 1))
        plans = [json.loads(p.read_text()) for p in places[1].glob("build/*/tests.json")]
        tests = [
            t for plan in plans for nb in plan["notebooks"].values() for t in nb["tests"].values()
        ]
        return Comparison(
            scores_of(places[0]),
            scores_of(places[1]),
            total(theirs, wall),
            ours,
            sum(test["reason"] is None for test in tests),
            sum(test["solved"] for test in tests),
            len(tests),
            sum(1 for name in names for _ in places[1].glob(f"submitted/*/{name}")),
            tuple(unread),
        )


def _run(place: Path, *words: str, codes: Sequence[int] = (0,)) -> Usage:
    tools = str(Path(sys.executable).parent)  # nbgrader calls others of its own
    env = {"PATH": f"{tools}:{os.environ.get('PATH', '')}"}
    log = place.with_suffix(".log")
    return measure(words, place, timeout=SECONDS, env=env, codes=codes, log=log)


def _generated(places: Sequence[Path], names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the assignments that nbgrader knows, and those that it cannot generate."""
    found, unread = [], []
    for name in names:
        try:
            for place in places:
                is_known = (place / "gradebook.db").is_file() and (
                    place / "release" / name
                ).is_dir()
                if not is_known:
                    _run(place, "nbgrader", "generate_assignment", name, "--force")
            found.append(name)
        except Failed:
            unread.append(name)
    return found, unread


def _submit_if_nobody_has(course: Path, name: str) -> None:
    """Submit the source, with its solution, and the release, where nobody has submitted."""
    if any(course.glob(f"submitted/*/{name}")):
        return
    for student, folder in (("solution", "source"), ("blank", "release")):
        shutil.copytree(course / folder / name, course / "submitted" / student / name)


def _assignments(course: Path) -> list[str]:
    """Return what somebody has submitted; all that the source has, where nobody has."""
    submitted = {path.name for path in course.glob("submitted/*/*") if path.is_dir()}
    return sorted(submitted or {path.parent.name for path in course.glob("source/*/*.ipynb")})


def scores_of(course: Path) -> dict[Cell, float | None]:
    """Return the automatic scores in a course's gradebook; None where staff score a cell."""
    with sqlite3.connect(course / "gradebook.db") as database:
        return {tuple(row[:4]): row[4] for row in database.execute(SCORES)}


def _shown(score: float | None) -> str:
    return "for staff" if score is None else f"{score:g}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, print, and return 0 if all scores are the same, else 1."""
    parser = argparse.ArgumentParser(prog="python -m autograder.bench.side_by_side")
    parser.add_argument("course", type=Path, help="a folder with source/ and submitted/")
    parser.add_argument("assignments", nargs="*", help="only these")
    options = parser.parse_args(arguments)
    if not (options.course / "source").is_dir():
        sys.stderr.write(f"{options.course} is no nbgrader course: it has no folder source\n")
        return 2
    try:
        found = compare(options.course, options.assignments)
    except Failed as error:
        sys.stderr.write(f"{error}\n")
        return 2
    for line in found.lines():
        sys.stdout.write(f"{line}\n")
    return 1 if found.differences else 0


if __name__ == "__main__":
    sys.exit(main())
