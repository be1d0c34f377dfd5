"""A grading run: what is not graded yet is graded, and the records are brought up to date."""

import os
from collections.abc import Collection, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from autograder.artefacts.bundle import Bundle, digest_of, read_bundle
from autograder.artefacts.grades import Grade
from autograder.artefacts.manifest import Manifest
from autograder.artefacts.results import Result
from autograder.course import Course
from autograder.engines.class_report import bring_report_up_to_date, report_at_the_end
from autograder.engines.counting import attempt_file, attempts_to_grade, keep_attempts
from autograder.engines.known import Find, Known, known_of
from autograder.engines.places import device_for
from autograder.engines.problems import Problem, as_far_as_it_goes, fault_words, told
from autograder.engines.record import Seen, bring_up_to_date, write_notebook
from autograder.engines.stamps import keep_times
from autograder.engines.table import engine_of
from autograder.engines.work import GRADINGS, Engine, Graded, Job, Work
from autograder.errors import AutograderError, NotCompiled, UsageError, stops_all
from autograder.grading.intake import read_submitted
from autograder.policies import Attempts
from autograder.records.store import Store, submission_key
from autograder.records.teams import teams_of
from autograder.records.whole_files import require_writable
from autograder.sandbox.protocol.settings import Isolation
from autograder.version import own_version
from autograder.visible import visible

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
    plan = _plan(course, name, students, device, min_isolation, Store.get, again, keep=True)
    seen, problems = dict(plan.seen), list(plan.problems)
    graded: list[str] = []
    written: set[str] = set()
    if plan.jobs:
        for folder in (plan.store.folder, plan.store.folder / "history"):
            require_writable(folder)  # else a class would be graded for nothing
        progress.begin(len(plan.jobs))
    for one in as_far_as_it_goes(engine_of(engine)(plan.work, plan.jobs, workers), problems):
        earlier = digest_of(one.submitted.data) in plan.earlier.get(one.student, ())
        if not earlier:
            seen[one.student] = Seen.of(one.submitted)
            keep_attempts(course, name, one.student, one.submitted)
        if _stored(course, plan, one, problems, show=not earlier):
            graded.append(one.student)
            if not earlier and _written(course, plan, one):
                written.add(one.student)
        progress.advance(one.result)
    write_report = partial(bring_report_up_to_date, course, problems, progress.say)
    with report_at_the_end(write_report) if report else nullcontext():
        records = bring_up_to_date(course, plan.bundle, seen, written, problems, progress.say)
    return Run(
        plan.bundle.manifest,
        records.results,
        records.grades,
        tuple(sorted(graded)),
        plan.done,
        tuple(course.unfit(name)),
        told(course, problems),
        tuple(student for student, one in sorted(seen.items()) if one.is_untimed),
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
    plan = _plan(course, name, students, device, course.min_isolation, find, again=True)
    found, problems = dict[str, Result](), list(plan.problems)
    if plan.jobs:
        progress.begin(len(plan.jobs))
    for one in as_far_as_it_goes(engine_of(engine)(plan.work, plan.jobs, workers), problems):
        found[one.student] = one.result
        progress.advance(one.result)
    return Preview(found, told(course, problems))


@dataclass(frozen=True)
class _Plan:
    """What a run is to do: ``done`` counts the submissions that have their result.

    ``seen`` tells what was read of each submission, ``earlier`` which attempts are graded that are
    not in their place any more, ``problems`` what cannot be graded. Who hands in from here on is
    for the next run.
    """

    bundle: Bundle
    work: Work
    store: Store
    jobs: tuple[Job, ...]
    seen: Mapping[str, Seen]
    earlier: Mapping[str, set[str]]
    done: int
    problems: tuple[Problem, ...]


def _plan(
    course: Course,
    name: str,
    students: Collection[str],
    device: str,
    min_isolation: Isolation,
    find: Find | None,
    again: bool,
    *,
    keep: bool = False,
) -> _Plan:
    """Return what is to do; attempts are kept, and earlier ones graded, where that is asked for.

    Without ``find`` all is, whatever is stored.
    """
    bundle, store = _bundle(course, name), Store(course.results(name))
    device = device_for(device, bundle.manifest)
    work = Work.of(course, name, device, min_isolation)
    jobs, seen, done = [], {}, 0
    problems: list[Problem] = []
    earlier: dict[str, set[str]] = {}
    times: list[tuple[str, str, str]] = []
    for student, path in _submitted(course, name, students).items():
        submitted = read_submitted(path)
        if keep:
            times += keep_attempts(course, name, student, submitted)
            placed = digest_of(submitted.data)
            found = attempts_to_grade(course, bundle, store, student, placed, device, again)
            for one, result in found:
                key = _key(course, work, one, result.bundle if result else bundle.id)
                gradings = GRADINGS * store.times(student, key)
                jobs.append(
                    Job(student, attempt_file(course, name, student, one), gradings, result)
                )
                earlier.setdefault(student, set()).add(one)
        seen[student] = Seen.of(submitted)
        key_of = partial(_key, course, work, submitted.digest)
        digest = digest_of(submitted.data)
        try:
            known = (
                known_of(store, student, digest, bundle, device, again, key_of, find)
                if find is not None
                else Known(False, None, key_of(bundle.id))
            )
        except (AutograderError, OSError) as error:
            if stops_all(error):
                raise
            said = f"{visible(student)} is not graded: {fault_words(error)}"
            problems.append(Problem(said, student))
            continue
        if known.is_done:
            done += 1
        else:
            gradings = GRADINGS * store.times(student, known.key)
            jobs.append(Job(student, path, gradings, known.earlier))
    keep_times(course, name, times)
    return _Plan(bundle, work, store, tuple(jobs), seen, earlier, done, tuple(problems))


def _key(course: Course, work: Work, digest: str, bundle: str, device: str | None = None) -> str:
    """Return the key of a result: of what was read, the bundle that graded it, and where it did."""
    device = device or work.device
    return submission_key(digest, bundle, own_version(), work.limits, device, course.secret_id)


def _stored(
    course: Course, plan: _Plan, one: Graded, problems: list[Problem], *, show: bool
) -> bool:
    """Store a result under the key of what was read; return whether it is stored."""
    key = _key(course, plan.work, one.submitted.digest, one.result.bundle)
    try:
        plan.store.put(one.student, key, one.result, show=show)
    except (AutograderError, OSError) as error:
        if stops_all(error):
            raise
        said = f"the result of {visible(one.student)} is not stored: {fault_words(error)}"
        problems.append(Problem(said, one.student))
        return False
    return True


def _written(course: Course, plan: _Plan, one: Graded) -> bool:
    """Write a student's graded notebook; where that fails it is tried once more.

    The feedback page waits for the end of the run, when staff's entries are known.
    """
    name = plan.bundle.manifest.assignment
    several = course.policies.attempts_of(name) is Attempts.BEST or course.policies.in_teams(name)
    if one.submitted.problem is not None or several:  # which one counts, the end of the run knows
        return False
    try:
        result = plan.store.shown(one.student)
        write_notebook(course, plan.bundle, result, one.submitted.data)
    except Exception:  # at the end of the run, where it is told
        return False
    return result.submission == one.result.submission


def _bundle(course: Course, name: str) -> Bundle:
    if not os.path.isfile(course.bundle(name)):
        raise NotCompiled(name)
    return read_bundle(course.bundle(name))


def _submitted(course: Course, name: str, students: Collection[str]) -> dict[str, Path]:
    """Return the submissions of students and of their teams; of all, if none is named."""
    found, teams = course.submitted(name), teams_of(course, name)
    wanted: set[str] = set()
    for student in students:
        mates = found.keys() & set(teams.with_mates(student))
        if not mates:
            raise UsageError(f"student {student!r} has submitted nothing for {name}")
        wanted |= mates
    return {s: p for s, p in found.items() if not students or s in wanted}
