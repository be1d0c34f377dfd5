"""A grading run: what is not graded yet is graded, and the records are brought up to date."""

from collections.abc import Collection, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from autograder.artefacts.grades import Grade
from autograder.artefacts.manifest import Manifest
from autograder.artefacts.results import Result
from autograder.course import Course
from autograder.engines.class_report import bring_report_up_to_date, report_at_the_end
from autograder.engines.known import Find
from autograder.engines.planning import Taken, plan_of
from autograder.engines.problems import Problem, as_far_as_it_goes, told
from autograder.engines.record import bring_up_to_date
from autograder.engines.table import engine_of
from autograder.engines.work import Engine
from autograder.records.store import Store
from autograder.sandbox.protocol.settings import Isolation

__all__ = [
    "Preview",
    "Progress",
    "Run",
    "grade_assignment",
    "try_again",
    "try_assignment",
]


class Progress(Protocol):
    """Is told how a run goes on."""

    def begin(self, total: int) -> None:
        """So many submissions are to be graded."""

    def advance(self, result: Result) -> None:
        """One more is graded."""

    def say(self, text: str) -> None:
        """Something else is being done now."""


@dataclass(frozen=True)
class Run:
    """What a run did: ``results`` are the newest of all students, ``graded`` those of this run.

    ``grades`` are the results with what staff entered and what lateness costs.

    ``unfit`` are names of students' folders that no result can carry, ``problems`` what else could
    not be graded, read or written, and whose it is; ``untimed`` are students
    whose timestamp.txt says no time; ``waiting`` are those who have submitted again since their
    result, and ``former`` those whose result is by another bundle, which a regrade would replace.
    """

    manifest: Manifest
    results: Mapping[str, Result]
    grades: Mapping[str, Grade]
    graded: tuple[str, ...]
    skipped: int
    unfit: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    untimed: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    former: tuple[str, ...] = ()


@dataclass(frozen=True)
class Preview:
    """What a run would do: the results by student, and what cannot be graded."""

    results: Mapping[str, Result]
    problems: tuple[Problem, ...]


def grade_assignment(
    course: Course,
    name: str,
    progress: Progress,
    students: Collection[str] = (),
    device: str = "cpu",
    workers: int = 1,
    unsafe_local: bool = False,
    engine: str | Engine = "local",
    *,
    again: bool = False,
    report: bool = True,
) -> Run:
    """Grade the submissions of an assignment that have no standing result.

    A result that another bundle gave stands, unless asked otherwise: nobody's points change
    because a notebook was compiled again.

    Each result is stored as soon as it is there, so that a run that is killed loses nothing and
    the next one repeats nothing.

    Args:
        course: whose folders are read and written.
        name: the assignment.
        progress: is told how it goes on.
        students: only these; empty means all.
        device: ``cpu``, ``cuda`` or ``auto``.
        workers: how many submissions are graded at a time.
        unsafe_local: run students' code without walls, as a trial that counts for nothing.
        engine: the one that grades, or its name.
        again: grade what another bundle graded, too.
        report: write the report, too; whoever grades several assignments does so behind the last.

    Raises:
        UnsafeHere: this machine cannot hold a student's code as safely as the course wants.
        UsageError: the assignment is not compiled, or a student submitted nothing.
    """
    min_isolation = Isolation.UNWALLED if unsafe_local else course.min_isolation
    plan = plan_of(course, name, students, device, min_isolation, Store.get, again, keep=True)
    taken = Taken.of(plan)
    problems = taken.problems
    if plan.jobs:
        plan.require_writable()
        progress.begin(len(plan.jobs))
    for one in as_far_as_it_goes(engine_of(engine)(plan.work, plan.jobs, workers), problems):
        taken.take(plan, one)
        progress.advance(one.result)
    write_report = partial(bring_report_up_to_date, course, problems, progress.say)
    with report_at_the_end(write_report) if report else nullcontext():
        records = bring_up_to_date(
            course, plan.bundle, taken.seen, taken.written, problems, progress.say
        )
    return Run(
        plan.bundle.manifest,
        records.results,
        records.grades,
        tuple(sorted(taken.graded)),
        plan.done,
        tuple(course.unfit(name)),
        told(course, problems),
        tuple(student for student, one in sorted(taken.seen.items()) if one.is_untimed),
        records.waiting,
        records.former,
    )


def try_assignment(
    course: Course,
    name: str,
    progress: Progress,
    students: Collection[str] = (),
    device: str = "cpu",
    workers: int = 1,
    engine: str | Engine = "local",
) -> Preview:
    """Grade what `grade_assignment` would grade again, and write nothing."""
    return _tried(course, name, progress, students, device, workers, engine, Store.find)


def try_again(
    course: Course,
    name: str,
    progress: Progress,
    students: Collection[str],
    device: str = "cpu",
    workers: int = 1,
    engine: str | Engine = "local",
) -> Preview:
    """Grade what students submitted, whatever is stored of it, and write nothing."""

    return _tried(course, name, progress, students, device, workers, engine, None)


def _tried(
    course: Course,
    name: str,
    progress: Progress,
    students: Collection[str],
    device: str,
    workers: int,
    engine: str | Engine,
    find: Find | None,
) -> Preview:
    plan = plan_of(course, name, students, device, course.min_isolation, find, again=True)
    found, problems = dict[str, Result](), list(plan.problems)
    if plan.jobs:
        progress.begin(len(plan.jobs))
    for one in as_far_as_it_goes(engine_of(engine)(plan.work, plan.jobs, workers), problems):
        found[one.student] = one.result
        progress.advance(one.result)
    return Preview(found, told(course, problems))
