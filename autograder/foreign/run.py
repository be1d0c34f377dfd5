"""A grading run of an nbgrader course as it is: what is not graded yet is graded."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from autograder.artefacts.results import Result
from autograder.engines.problems import fault_words
from autograder.errors import AutograderError, UsageError, stops_all
from autograder.foreign.course import NbgraderCourse
from autograder.foreign.definition import Definition
from autograder.foreign.plan import Plan
from autograder.foreign.pool import Job, Pool, Work
from autograder.foreign.preparing import prepare
from autograder.foreign.records import Seen, arranged_of, write_graded_notebooks, write_scores
from autograder.foreign.submissions import SubmittedFolder, read_folder
from autograder.foreign.trial import plan_id
from autograder.records.store import Store, submission_key
from autograder.records.whole_files import write_atomic
from autograder.sandbox.limits import Limits
from autograder.version import own_version

if TYPE_CHECKING:
    from autograder.engines.run import Progress

__all__ = ["NbgraderRun", "grade_nbgrader"]

PLAN = "tests.json"  # in build/<assignment>


@dataclass(frozen=True)
class NbgraderRun:
    """What a run did: ``results`` are the newest of all students, ``graded`` those of this run.

    ``problems`` are sentences on what could not be read or written.
    """

    definition: Definition
    plan: Plan
    results: Mapping[str, Result]
    graded: tuple[str, ...]
    problems: tuple[str, ...] = ()


def grade_nbgrader(
    course: NbgraderCourse,
    assignment: str,
    progress: "Progress",
    pool: Pool,
    students: Collection[str] = (),
    limits: Limits | None = None,
) -> NbgraderRun:
    """Grade the submissions of an assignment that have no result yet.

    Each result is stored as soon as it is there; the gradebook is written at the end, of these and
    of what a run that was killed had not written.

    Args:
        course: whose folders are read and written.
        assignment: its name.
        progress: is told how it goes on.
        pool: the workers.
        students: only these; empty means all.
        limits: of each submission; None is the usual.

    Raises:
        UsageError: there is no such assignment, or a student submitted nothing.
        HarnessError: nbgrader cannot read it, or its gradebook cannot be written.
        UnsafeHere: this machine cannot hold a student's code safely.
    """
    progress.say("reading the assignment")
    definition = prepare(course, assignment)
    limits = limits or Limits()
    folders = course.submitted(assignment)
    for student in students:
        if student not in folders:
            raise UsageError(f"student {student!r} has submitted nothing for {assignment}")
    work = Work(definition, limits, _private(course))
    plan = _plan(course, work, pool, progress)
    store = Store(course.results(assignment))
    fresh: dict[str, Seen] = {}
    done: dict[str, Seen] = {}
    jobs, problems = [], list[str]()
    for student, folder in folders.items():
        if students and student not in students:
            continue
        with _problem_of(student, problems):
            submitted = read_folder(folder)
            known = store.get(student, _key(submitted, plan, limits))
            if known is None or known.fault is not None:
                jobs.append(Job(student, folder))
                continue
            arranged = arranged_of(definition, submitted)
            done[student] = Seen.of(submitted, arranged, known)
            if not course.autograded(assignment, student).is_dir():
                write_graded_notebooks(course, definition, folder, submitted, arranged, known)
    if jobs:
        progress.begin(len(jobs))
    for job, submitted, result in pool.grade(replace(work, plan=plan), jobs):
        with _problem_of(job.student, problems):
            # The result last: what a run that is killed has not stored is graded again.
            arranged = arranged_of(definition, submitted)
            write_graded_notebooks(course, definition, job.folder, submitted, arranged, result)
            store.put(job.student, _key(submitted, plan, limits), result)
            fresh[job.student] = Seen.of(submitted, arranged, result)
        progress.advance(result)
    progress.say("writing the gradebook")
    if fresh or done:
        write_scores(course, definition, done | fresh, graded=fresh.keys())
    results = {student: seen.result for student, seen in (done | fresh).items()}
    return NbgraderRun(definition, plan, results, tuple(sorted(fresh)), tuple(problems))


@contextmanager
def _problem_of(student: str, problems: list[str]) -> Iterator[None]:
    """Take what a block raises for a problem of one student, if it is none of all."""
    try:
        yield
    except (AutograderError, OSError) as error:
        if stops_all(error):
            raise
        problems.append(f"{student}: {fault_words(error)}")


def _plan(course: NbgraderCourse, work: Work, pool: Pool, progress: "Progress") -> Plan:
    """Return the plan of an assignment's tests, found once and kept."""
    path = course.build(work.definition.assignment) / PLAN
    try:
        plan = msgspec.json.decode(path.read_bytes(), type=Plan)
        if plan.id == plan_id(work.definition):
            return plan
    except (OSError, msgspec.MsgspecError):
        pass
    progress.say("trying its tests with the source's own solution")
    plan = pool.try_out(work)
    write_atomic(path, msgspec.json.format(msgspec.json.encode(plan), indent=1) + b"\n")
    return plan


def _key(submitted: SubmittedFolder, plan: Plan, limits: Limits) -> str:
    return submission_key(submitted.digest, plan.id, own_version(), limits, "cpu", "")


def _private(course: NbgraderCourse) -> tuple[Path, ...]:
    """What no student's code may find."""
    names = ("source", "submitted", "autograded", "feedback")
    root = Path(course.coursedir.root)
    folders = [root / getattr(course.coursedir, f"{name}_directory", name) for name in names]
    own = (course.root / "build", course.root / "results", root / "gradebook.db")
    return tuple(path for path in (*folders, *own) if path.exists())
