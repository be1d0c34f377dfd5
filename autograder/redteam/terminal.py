"""The zoo on a terminal: how it goes on, a table of what was held, and what was not."""

import time
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from autograder.course import Course
from autograder.redteam.judge import Outcome
from autograder.redteam.specimens import Specimen
from autograder.redteam.zoo import Report, run_zoo, shortened

__all__ = ["show_list", "show_zoo"]

LEVELS = {
    "namespaces": "namespaces, a private root, an own user, filtered system calls",
    "bubblewrap": "bubblewrap's box, filtered system calls",
    "own user": "an own user, Landlock, filtered system calls",
    None: "none: students' code would not be locked in",
}
COLUMNS = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())


def show_zoo(course: Course, name: str, specimens: Sequence[Specimen], jobs: int) -> Report:
    """Try specimens on an assignment, and print what came of them.

    Args:
        course: in which the assignment is compiled.
        name: the assignment.
        specimens: to be tried.
        jobs: how many runs go on at a time.

    Raises:
        CannotTry: not even honest students can be graded.
    """
    out, began = Console(highlight=False), time.monotonic()
    with Progress(*COLUMNS, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(name, total=len(specimens))

        def graded(student: str) -> None:
            progress.advance(bar)

        limits = shortened(course.limits_of(name))
        report = run_zoo(course, name, specimens, limits, jobs, graded)
    out.print(_table(name, report.outcomes, out.width))
    for outcome in report.outcomes:
        for problem in outcome.problems:
            out.print(f"NOT HELD {outcome.id}: {problem}", markup=False)
    for text in report.harm:
        out.print(f"HARM {text}", markup=False)
    held = sum(outcome.held for outcome in report.outcomes)
    out.print(
        f"{name}: {held} of {len(report.outcomes)} held, in {time.monotonic() - began:.0f} s; "
        f"isolation level {report.isolation} ({LEVELS[report.isolation]})"
    )
    return report


def show_list(specimens: Iterable[Specimen]) -> None:
    """Print what there is to be tried, and what each must get."""
    table = Table(box=None)
    for title in ("attack", "must get", "what it tries"):
        table.add_column(title)
    for specimen in specimens:
        table.add_row(specimen.id, specimen.expectation.earning.value, specimen.tries)
    Console(highlight=False).print(table)


def _table(name: str, outcomes: Sequence[Outcome], width: int) -> Table:
    table = Table(title=name, box=None, title_justify="left", width=max(width, 80))
    table.add_column("class")
    table.add_column("what it tries", ratio=1, no_wrap=True, overflow="ellipsis")
    for title in ("earned", "", "seconds"):
        table.add_column(title, justify="right", no_wrap=True)
    before = ""
    for outcome in outcomes:
        group = outcome.id.partition("/")[0]
        held = "held" if outcome.held else "[bold red]NOT HELD[/]"
        earned = f"{outcome.earned:g} of {outcome.possible:g}"
        row = (group if group != before else "", outcome.tries, earned, held)
        table.add_row(*row, f"{outcome.seconds:.2f}")
        before = group
    return table
