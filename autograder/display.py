"""What a grading run shows on a terminal: a progress bar, then the class."""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from autograder.artefacts.grades import Grade
from autograder.artefacts.results import Result, Status
from autograder.course import Course
from autograder.engines.problems import Problem
from autograder.records.databases import database_of
from autograder.records.terminal import class_table
from autograder.records.words import clean
from autograder.sandbox.protocol.settings import Isolation
from autograder.visible import visible

if TYPE_CHECKING:
    from autograder.engines.run import Run

__all__ = ["Display"]

PAUSE = 10.0  # seconds between two lines in a log
MAX_ROWS = 60  # a larger class is read in the report


class Display:
    """Shows runs on standard output, or only their progress, on standard error.

    Args:
        quiet: keep standard output free for machines.
        silent: show no progress either.
    """

    def __init__(self, quiet: bool = False, silent: bool = False) -> None:
        self._quiet, self._silent = quiet, silent
        # Names are what they are: [b] is no markup and :x: no picture.
        self._out = Console(highlight=False, markup=False, emoji=False)
        self._err = Console(stderr=True, highlight=False, markup=False, emoji=False)

    @contextmanager
    def progress(self, name: str) -> Iterator["_Bar | _Lines"]:
        """Show the progress of a run while the block lasts."""
        if self._silent or not self._err.is_terminal:
            yield _Lines(Console(quiet=True) if self._silent else self._err, name)
            return
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self._err, transient=True) as bar:
            yield _Bar(bar, name)

    def show(self, course: Course, run: "Run") -> None:
        """Show what a run did: the table of the class, and who needs attention.

        Where standard output is for machines, only what their table does not tell.
        """
        if self._quiet:
            self._show_attention(self._err, run.results)
            self._show_problems(self._err, run)
            self._show_what_stands(self._err, run)
            return
        name = run.manifest.assignment
        if not run.results:
            self._out.print(
                f"{name}: nobody has submitted anything; "
                f"submissions belong in submitted/<student>/{name}/{name}.ipynb"
            )
            self._show_problems(self._out, run)
            return
        if not run.graded:
            count = _submissions(run.skipped)
            self._out.print(f"{name}: nothing to grade, {count} graded before")
        else:
            if len(run.results) <= MAX_ROWS:
                self._out.print()
                self._out.print(class_table(run.manifest, _submitted(run), self._out.width))
                self._out.print()
            before = f", {run.skipped} before" if run.skipped else ""
            self._out.print(f"{name}: graded {_submissions(len(run.graded))}{before}{_walls(run)}")
        self._show_attention(self._out, run.results)
        self._show_problems(self._out, run)
        self._show_what_stands(self._out, run)
        for student in run.untimed:
            self._out.print(
                f"timestamp.txt of {visible(student, 60)} says no time that can be read; it counts "
                "as none"
            )
        trials = sum(result.status is Status.UNGRADED for result in run.results.values())
        if trials:
            self._out.print(
                f"{_submissions(trials)} ran without walls: trials, marked ungraded, that count "
                "for nothing and are in no gradebook"
            )
        if course.demo_secret and run.graded:
            self._out.print(
                "Hidden inputs come from the demo secret, which everybody knows; for a real class "
                "set AUTOGRADER_SECRET_FILE."
            )
        self._out.print(
            f"See {course.relative(course.report)}, feedback/<student>/{name}/{name}.html, "
            f"results/{name}/ and {database_of(course).name}"
        )

    def show_problems(self, problems: Iterable[Problem]) -> None:
        """Say what staff must look at."""
        self._say_problems(self._err if self._quiet else self._out, problems)

    def show_astray(self, course: Course, astray: Mapping[Path, str | None]) -> None:
        """Name what students submitted where no assignment finds it.

        Where standard output is for machines, only what is meant for an assignment.

        Args:
            course: whose folders they are in.
            astray: what `Course.astray` found.
        """
        console = self._err if self._quiet else self._out
        for path, name in astray.items():
            if self._quiet and not name:
                continue
            where = f"'{visible(course.relative(path), 200)}'"
            meant = f"; if it is for {name}, that must be the folder's name" if name else ""
            console.print(
                f"{'needs attention: ' if name else ''}{where} is no assignment, and is not "
                f"graded{meant}",
                markup=False,
            )

    @staticmethod
    def _show_attention(console: Console, results: Mapping[str, Result]) -> None:
        for result in results.values():
            if result.status is Status.NEEDS_ATTENTION:
                reason = clean(result.remarks[0], 200) if result.remarks else "a check broke"
                name = visible(result.student, 60)
                console.print(f"needs attention: {name}: {visible(reason)}")

    @staticmethod
    def _show_what_stands(console: Console, run: "Run") -> None:
        """Say whose result is of an earlier submission, or by an earlier bundle."""
        name = run.manifest.assignment
        for student in run.waiting:
            console.print(f"{visible(student, 60)} has a newer submission, which is not graded yet")
        if run.former:
            count, has = _submissions(len(run.former)), "has" if len(run.former) == 1 else "have"
            console.print(
                f"{name} was compiled anew, and {count} {has} results from before, which stand; "
                f"who would gain or lose by the new checks: autograder regrade {name} --preview"
            )

    @staticmethod
    def _show_problems(console: Console, run: "Run") -> None:
        """Say what no result tells: names that cannot be, and what is damaged or in the way."""
        for name in run.unfit:
            console.print(
                f"needs attention: rename the folder '{visible(name, 60)}' in submitted/; no "
                "result can carry its name"
            )
        Display._say_problems(console, run.problems)

    @staticmethod
    def _say_problems(console: Console, problems: Iterable[Problem]) -> None:
        for problem in problems:
            console.print(f"needs attention: {visible(problem.text)}")


def _walls(run: "Run") -> str:
    """Say how well the code of a run was shut in, at its weakest; nothing where none ran."""
    names = [name for student in run.graded if (name := run.results[student].isolation) is not None]
    if not names:
        return ""
    level = min((Isolation(name) for name in names), key=lambda level: level.strength)
    strongest = level is Isolation.NAMESPACES
    kind = "the strongest sandbox" if strongest else "a weaker sandbox, see docs/security.md"
    return f", each shut in ({kind}: isolation level {level})"


def _submissions(count: int) -> str:
    return f"{count} submission{'s' if count != 1 else ''}"


class _Bar:
    """The `autograder.engines.run.Progress` of a run."""

    def __init__(self, bar: Progress, name: str) -> None:
        self._bar, self._name = bar, name
        self._task: TaskID | None = None

    def begin(self, total: int) -> None:
        """Show an empty bar: so many submissions are to be graded."""
        self._task = self._bar.add_task(f"{self._name}: warming up", total=total)

    def advance(self, result: Result) -> None:
        """Count one more, and name whose it was."""
        if self._task is not None:
            name = visible(result.student, 30)
            self._bar.update(self._task, advance=1, description=f"{self._name}: {name}")

    def say(self, text: str) -> None:
        """Say what is being done now."""
        if self._task is None:
            self._task = self._bar.add_task(text, total=None)
        self._bar.update(self._task, description=f"{self._name}: {text}")


class _Lines:
    """The same for a log, such as CI's: a line now and then, in which nothing steers a terminal.

    Of what takes no time it says nothing.
    """

    def __init__(self, console: Console, name: str) -> None:
        self._console, self._name = console, name
        self._total = self._done = 0
        self._begun = self._said = time.monotonic()

    def begin(self, total: int) -> None:
        """Learn how many submissions are to be graded."""
        self._total = total

    def advance(self, result: Result) -> None:
        """Count one more."""
        self._done += 1
        seconds = time.monotonic() - self._begun
        self.say(f"{self._done} of {self._total} graded, {seconds:.0f} s")

    def say(self, text: str) -> None:
        """Say what is being done now, if it is some time since the last line."""
        if (now := time.monotonic()) - self._said >= PAUSE:
            self._said = now
            self._console.print(visible(f"{self._name}: {text}"), soft_wrap=True)


def _submitted(run: "Run") -> dict[str, Grade]:
    """Return the grades of those who submitted something."""
    return {s: grade for s, grade in run.grades.items() if grade.result is not None}
