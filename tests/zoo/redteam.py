"""``make redteam``: the zoo against a compiled assignment, with a table of what was held.

Exit codes: 0 everything was held; 1 something was not; 2 wrong usage; 3 it cannot be tried here.
"""

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from autograder.course import Course, find_course
from autograder.errors import AutograderError, UsageError
from tests.zoo.judge import Outcome
from tests.zoo.own_attacks import meant_for, read_own
from tests.zoo.specimens import Specimen, read_zoo
from tests.zoo.zoo import CannotTry, Report, run_zoo, shortened

__all__ = ["main"]

HELD, NOT_HELD, WRONG_USAGE, CANNOT = 0, 1, 2, 3
TIERS = {
    0: "namespaces, a private root, an own user, filtered system calls",
    1: "bubblewrap's box, filtered system calls",
    2: "an own user, Landlock, filtered system calls",
    None: "none: students' code would not be locked in",
}
EPILOG = """\
examples:
  make redteam ASSIGNMENT=hw1_optimizers
  python -m tests.zoo.redteam hw1_optimizers --only steal
  python -m tests.zoo.redteam --only exhaust/fork_bomb
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the zoo and return the exit code."""
    options = _parser().parse_args(arguments)
    out = Console(highlight=False)
    try:
        zoo = _chosen(options.only)
        if options.list:
            out.print(_list(zoo))
            return HELD
        course = find_course()
        names = options.assignments or _compiled(course)
        reports = [_try(course, n, meant_for(n, zoo), options.jobs, out) for n in names]
    except UsageError as error:
        sys.stderr.write(f"redteam: {error}\n")
        return WRONG_USAGE
    except (CannotTry, AutograderError) as error:
        sys.stderr.write(f"redteam: {error}\n")
        return CANNOT
    return HELD if all(map(_all_held, reports)) else NOT_HELD


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make redteam",
        description="Hand in every attack of the zoo beside honest students, and see what it gets.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("assignments", nargs="*", metavar="ASSIGNMENT", help="default: all")
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="a class or one attack of it"
    )
    parser.add_argument("--list", action="store_true", help="say what there is, and try nothing")
    jobs = len(os.sched_getaffinity(0))
    parser.add_argument("--jobs", type=int, default=jobs, help="runs at a time; default: all cores")
    return parser


def _chosen(only: Sequence[str]) -> list[Specimen]:
    zoo = [*read_zoo(), *read_own()]
    for name in only:
        if not any(name in _names(s) for s in zoo):
            raise UsageError(f"there is no attack or class {name!r}; --list shows what there is")
    return [s for s in zoo if not only or _names(s) & set(only)]


def _names(specimen: Specimen) -> set[str]:
    """Return by which names a specimen may be chosen."""
    return {specimen.group, specimen.name, specimen.company, specimen.id}


def _compiled(course: Course) -> list[str]:
    names = [name for name in course.assignments() if course.bundle(name).is_file()]
    if not names:
        raise UsageError("nothing is compiled; run: make compile")
    return names


def _try(course: Course, name: str, zoo: list[Specimen], jobs: int, out: Console) -> Report:
    if not course.bundle(name).is_file():
        raise UsageError(f"{name} is not compiled; run: make compile ASSIGNMENT={name}")
    began = time.monotonic()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(name, total=len(zoo))

        def graded(student: str) -> None:
            progress.advance(bar)

        report = run_zoo(course, name, zoo, shortened(course.limits_of(name)), max(jobs, 1), graded)
    out.print(_table(name, report.outcomes, out.width))
    _say_problems(report, out)
    held = sum(outcome.held for outcome in report.outcomes)
    out.print(
        f"{name}: {held} of {len(report.outcomes)} held, in {time.monotonic() - began:.0f} s; "
        f"tier {report.tier} ({TIERS[report.tier]})"
    )
    return report


def _all_held(report: Report) -> bool:
    return not report.harm and all(outcome.held for outcome in report.outcomes)


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


def _say_problems(report: Report, out: Console) -> None:
    for outcome in report.outcomes:
        for problem in outcome.problems:
            out.print(f"NOT HELD {outcome.id}: {problem}", markup=False)
    for text in report.harm:
        out.print(f"HARM {text}", markup=False)


def _list(zoo: Sequence[Specimen]) -> Table:
    table = Table(box=None)
    for title in ("attack", "must get", "what it tries"):
        table.add_column(title)
    for specimen in zoo:
        table.add_row(specimen.id, specimen.expectation.earning.value, specimen.tries)
    return table


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # clearing up behind it, as Ctrl-C does
    sys.exit(main())
