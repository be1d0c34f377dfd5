"""A grading run: what is not graded yet is graded, and the records are brought up to date."""

import hashlib
import json
import stat
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

from autograder.course import Course
from autograder.engines.local import Job, Work, grade_all
from autograder.errors import StudentError, UsageError
from autograder.grading.bundle import Bundle, Manifest, read_bundle
from autograder.grading.results import Result, Status, dump_result, is_final
from autograder.grading.submission import digest_of, parse_submission, read_submission_file
from autograder.records.autograded import write_autograded
from autograder.records.feedback import write_feedback
from autograder.records.files import write_atomic
from autograder.records.gradebook import write_gradebook
from autograder.records.report import write_report
from autograder.records.store import Store, submission_key
from autograder.records.times import read_time

__all__ = [
    "Progress",
    "Run",
    "grade_assignment",
    "stored",
    "try_assignment",
    "write_class_report",
]

STAMP = ".recorded"  # names what each student's pages and the gradebook were written from


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
    """What a run did: ``results`` are the newest of all students, ``graded`` those of this run."""

    manifest: Manifest
    results: Mapping[str, Result]
    graded: tuple[str, ...]
    skipped: int
    unfit: tuple[str, ...] = ()  # names of students' folders that no result can carry
    untimed: tuple[str, ...] = ()  # students whose timestamp.txt says no time


def grade_assignment(
    course: Course,
    name: str,
    progress: Progress,
    students: Collection[str] = (),
    device: str = "cpu",
    workers: int = 1,
    unsafe_local: bool = False,
) -> Run:
    """Grade the submissions of an assignment that have no standing result.

    Each result is stored as soon as it is there, so that a run that is killed loses nothing and
    the next one repeats nothing.

    Args:
        course: whose folders are read and written.
        name: the assignment.
        progress: is told how it goes on.
        students: only these; empty means all.
        device: ``cpu`` or ``cuda``.
        workers: how many submissions are graded at a time.
        unsafe_local: run students' code without walls, as a trial that counts for nothing.

    Raises:
        UnsafeHere: this machine cannot hold a student's code as safely as the course wants.
        UsageError: the assignment is not compiled, or a student handed in nothing.
    """
    plan = _plan(course, name, students, device, None if unsafe_local else course.min_tier)
    if plan.jobs:
        progress.begin(len(plan.jobs))
        for job, result in grade_all(plan.work, plan.jobs, workers):
            plan.store.put(job.student, plan.keys[job.student], result)
            progress.advance(result)
    results = plan.store.newest()
    _record(course, plan.bundle, results, progress)
    new = tuple(job.student for job in plan.jobs)
    times = _timestamps(course, name)
    untimed = tuple(s for s, text in times.items() if text.strip() and read_time(text) is None)
    return Run(plan.bundle.manifest, results, new, plan.done, tuple(course.unfit(name)), untimed)


def try_assignment(
    course: Course,
    name: str,
    progress: Progress,
    students: Collection[str] = (),
    device: str = "cpu",
    workers: int = 1,
) -> dict[str, Result]:
    """Grade what `grade_assignment` would grade, and write nothing.

    Returns:
        The new results by student.
    """
    plan = _plan(course, name, students, device, course.min_tier)
    found: dict[str, Result] = {}
    if plan.jobs:
        progress.begin(len(plan.jobs))
    for job, result in grade_all(plan.work, plan.jobs, workers):
        found[job.student] = result
        progress.advance(result)
    return found


@dataclass(frozen=True)
class _Plan:
    """What a run is to do: ``keys`` by student; ``done`` counts those that have their result."""

    bundle: Bundle
    work: Work
    jobs: list[Job]
    keys: dict[str, str]
    store: Store
    done: int


def _plan(
    course: Course, name: str, students: Collection[str], device: str, min_tier: int | None
) -> _Plan:
    bundle = _bundle(course, name)
    submitted = _submitted(course, name, students)
    store = Store(course.results(name))
    limits = course.limits_of(name)
    digests = {student: _digest(path) for student, path in submitted.items()}
    keys = {
        student: submission_key(
            digest, bundle.id, version("autograder"), limits, device, course.secret_id
        )
        for student, digest in digests.items()
    }
    done = {s for s, key in keys.items() if (r := store.get(s, key)) is not None and is_final(r)}
    jobs = [Job(s, path, digests[s]) for s, path in submitted.items() if s not in done]
    work = Work(course.bundle(name), course.secret, limits, device, min_tier, course.private())
    return _Plan(bundle, work, jobs, keys, store, len(done))


def stored(course: Course, name: str) -> tuple[Manifest, Mapping[str, Result]]:
    """Return an assignment's manifest and the newest result of each student."""
    return _bundle(course, name).manifest, Store(course.results(name)).newest()


def write_class_report(course: Course) -> Path:
    """Write the report over every assignment that has results, and return its path."""
    assignments = []
    for name in course.assignments():
        if course.bundle(name).is_file() and (results := Store(course.results(name)).newest()):
            assignments.append((read_bundle(course.bundle(name)).manifest, results))
    write_report(course.report, course.name, assignments)
    return course.report


def _bundle(course: Course, name: str) -> Bundle:
    if not course.bundle(name).is_file():
        raise UsageError(f"{name} is not compiled; run: autograder compile {name}")
    return read_bundle(course.bundle(name))


def _submitted(course: Course, name: str, students: Collection[str]) -> dict[str, Path]:
    found = course.submitted(name)
    missing = sorted(set(students) - set(found))
    if missing:
        raise UsageError(f"student {missing[0]!r} has handed in nothing for {name}")
    return {s: p for s, p in found.items() if not students or s in students}


def _digest(path: Path) -> str:
    """Return the name of a submitted file; a file that cannot be read has one too."""
    try:
        return digest_of(read_submission_file(path))
    except StudentError as error:
        return digest_of(str(error).encode())


def _record(
    course: Course, bundle: Bundle, results: Mapping[str, Result], progress: Progress
) -> None:
    """Bring pages, gradebook and report up to date with the newest results."""
    name = bundle.manifest.assignment
    timestamps = _timestamps(course, name)
    digests = {
        student: hashlib.sha256(
            b"\n".join([bundle.id.encode(), timestamps.get(student, "").encode(), dump_result(r)])
        ).hexdigest()
        for student, r in results.items()
    }
    stamp = course.results(name) / STAMP
    former = _read_stamp(stamp)
    stale = [
        student
        for student, digest in digests.items()
        if former.get(student) != digest or not course.feedback(name, student).is_file()
    ]
    graded = {s: r for s, r in results.items() if r.status is not Status.UNGRADED}
    written = course.gradebook.is_file() and course.report.is_file()
    if not stale and former.keys() == digests.keys() and written:
        return
    progress.say("writing feedback, gradebook and report")
    submitted = course.submitted(name)
    for student in stale:
        _write_pages(course, bundle, results[student], submitted.get(student))
    write_gradebook(course.gradebook, bundle.manifest, bundle.release, graded, timestamps)
    write_class_report(course)
    write_atomic(stamp, json.dumps(digests, indent=1).encode())


def _read_stamp(stamp: Path) -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads(stamp.read_bytes())
    except (OSError, ValueError):
        return {}
    return found


def _write_pages(course: Course, bundle: Bundle, result: Result, submitted: Path | None) -> None:
    """Write a student's feedback page and, if there is a notebook, the graded one for staff."""
    name, student = bundle.manifest.assignment, result.student
    write_feedback(course.feedback(name, student), result, bundle.manifest, course.name)
    if submitted is not None:
        with suppress(StudentError):
            submission = parse_submission(read_submission_file(submitted), bundle.release)
            path = course.autograded(name, student)
            write_autograded(path, submission.notebook, result, bundle.manifest)


def _timestamps(course: Course, name: str) -> dict[str, str]:
    """Return what nbgrader's ``timestamp.txt`` says of each submission that has one."""
    found = {}
    for student, path in course.submitted(name).items():
        timestamp = path.parent / "timestamp.txt"
        with suppress(OSError, UnicodeDecodeError):
            if stat.S_ISREG(timestamp.lstat().st_mode):
                with timestamp.open(encoding="utf-8") as file:
                    found[student] = file.read(100)
    return found
