"""Planning: what a run is to grade, and how what it has graded is stored."""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from autograder.artefacts.bundle import Bundle, read_bundle
from autograder.artefacts.results import digest_of
from autograder.course import Course
from autograder.engines.counting import attempt_file, attempts_to_grade, keep_attempts
from autograder.engines.known import Find, Known, known_of
from autograder.engines.places import device_for
from autograder.engines.problems import Problem, fault_words
from autograder.engines.record import Seen, write_notebook
from autograder.engines.stamps import keep_times
from autograder.engines.work import GRADINGS, Graded, Job, Work
from autograder.errors import AutograderError, NotCompiled, UsageError, stops_all
from autograder.grading.intake import read_submitted
from autograder.policies import Attempts
from autograder.records.store import Store, submission_key
from autograder.records.teams import teams_of
from autograder.records.whole_files import require_writable
from autograder.sandbox.protocol.settings import Isolation
from autograder.version import own_version
from autograder.visible import visible

__all__ = ["Plan", "Taken", "plan_of"]


@dataclass(frozen=True)
class Plan:
    """What a run is to do: ``done`` counts the submissions that have their result.

    ``seen`` tells what was read of each submission, ``earlier`` which attempts are graded that are
    not in their place any more, ``problems`` what cannot be graded. ``settled`` counts those done
    whose result was made under other settings. Who hands in from here on is for the next run.
    """

    course: Course
    bundle: Bundle
    work: Work
    store: Store
    jobs: tuple[Job, ...]
    seen: Mapping[str, Seen]
    earlier: Mapping[str, set[str]]
    done: int
    problems: tuple[Problem, ...]
    settled: int = 0

    def require_writable(self) -> None:
        """Refuse to grade for nothing.

        Raises:
            OSError: no result can be stored.
        """
        for folder in (self.store.folder, self.store.folder / "history"):
            require_writable(folder)


def plan_of(
    course: Course,
    name: str,
    students: Collection[str],
    device: str,
    min_isolation: Isolation,
    find: Find | None,
    again: bool,
    *,
    keep: bool = False,
    settled: bool = False,
) -> Plan:
    """Return what a run is to do.

    Args:
        course: whose submissions they are.
        name: the assignment.
        students: only these; empty means all.
        device: ``cpu``, ``cuda`` or ``auto``.
        min_isolation: the weakest isolation level that will do.
        find: returns what is stored under a key; without it all is graded, whatever is stored.
        again: grade what another bundle graded, too.
        keep: keep attempts, and grade earlier ones, where they count.
        settled: let a result stand that was made under other limits, with another secret or by
            another version.

    Raises:
        NotCompiled: the assignment has no bundle.
        UnsafeHere: there is no secret to grade with.
        UsageError: a student submitted nothing.
    """
    bundle, store = _bundle(course, name), Store(course.results(name))
    device = device_for(device, bundle.manifest)
    work = Work.of(course, name, device, min_isolation)
    jobs, seen, done, others = [], {}, 0, 0
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
                known_of(store, student, digest, bundle, device, again, key_of, find, settled)
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
            others += known.is_settled
        else:
            gradings = GRADINGS * store.times(student, known.key)
            jobs.append(Job(student, path, gradings, known.earlier))
    keep_times(course, name, times)
    return Plan(
        course, bundle, work, store, tuple(jobs), seen, earlier, done, tuple(problems), others
    )


def _key(course: Course, work: Work, digest: str, bundle: str, device: str | None = None) -> str:
    """Return the key of a result: of what was read, the bundle that graded it, and where it did."""
    device = device or work.device
    return submission_key(digest, bundle, own_version(), work.limits, device, course.secret_id)


@dataclass
class Taken:
    """What was graded of an assignment, and is stored, until the records are brought up to date.

    Attributes:
        seen: what was read of submissions last, by student.
        written: whose graded notebook is written.
        problems: what could not be stored.
        graded: whose results are stored, in the order in which they came.
    """

    seen: dict[str, Seen] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)
    graded: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, plan: Plan) -> "Taken":
        """Return what is known when nothing is graded yet."""
        return cls(dict(plan.seen), problems=list(plan.problems))

    def take(self, plan: Plan, one: Graded) -> None:
        """Store a result under the key of what was read, and write the graded notebook."""
        student, submitted = one.student, one.submitted
        is_earlier = digest_of(submitted.data) in plan.earlier.get(student, ())
        if not is_earlier:
            self.seen[student] = Seen.of(submitted)
            keep_attempts(plan.course, plan.bundle.manifest.assignment, student, submitted)
        key = _key(plan.course, plan.work, submitted.digest, one.result.bundle)
        try:
            plan.store.put(student, key, one.result, show=not is_earlier)
        except (AutograderError, OSError) as error:
            if stops_all(error):
                raise
            said = f"the result of {visible(student)} is not stored: {fault_words(error)}"
            self.problems.append(Problem(said, student))
            return
        self.graded.append(student)
        if not is_earlier and _written(plan, one):
            self.written.add(student)


def _written(plan: Plan, one: Graded) -> bool:
    """Write a student's graded notebook; where that fails it is tried once more.

    The feedback page waits for the end of the run, when staff's entries are known.
    """
    course, name = plan.course, plan.bundle.manifest.assignment
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
