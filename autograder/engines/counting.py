"""Counting: which attempt of each student counts, and what is kept of the others.

Where the best counts, the notebooks of all attempts are kept, so that staff see the one that
counts, and a regrade reaches each::

    results/<assignment>/attempts/<student>/<submission>/<assignment>.ipynb
"""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from autograder.artefacts.bundle import Bundle
from autograder.artefacts.grades import Counted, Entered, Grade, Late, decided_scores, grade_of
from autograder.artefacts.results import Result, digest_of
from autograder.collecting.placing import ATTEMPTS
from autograder.course import Course, notebook_in
from autograder.engines.known import completed_here, stands
from autograder.engines.problems import Problem, fault_words
from autograder.engines.stamps import read_times
from autograder.errors import HarnessError
from autograder.grading.intake import Submitted, read_submitted
from autograder.policies import Attempts
from autograder.records.attempts import Attempt, best_of, in_order, last_of
from autograder.records.entries import Field, Key, State, entered_of
from autograder.records.lateness import due_of, late_of
from autograder.records.store import Store
from autograder.records.teams import Teams
from autograder.records.whole_files import write_atomic
from autograder.spelling import writings
from autograder.visible import visible

__all__ = [
    "Handed",
    "Standing",
    "attempt_file",
    "attempts_to_grade",
    "forget_attempts",
    "handed_in",
    "keep_attempts",
    "kept_attempts",
]

KEPT = "attempts"  # in results/<assignment>


@dataclass(frozen=True)
class Standing:
    """The attempt that counts for a student, what lateness costs, and what is said of the choice.

    ``counted`` is None where only the newest attempt of the student is looked at.
    """

    attempt: Attempt
    late: Late
    counted: Counted | None = None


@dataclass(frozen=True)
class Handed:
    """What a class has handed in for an assignment.

    Attributes:
        course: whose class it is.
        bundle: the assignment's.
        attempts: of each who handed in; one, where the last counts.
        teams: who works with whom.
    """

    course: Course
    bundle: Bundle
    attempts: Mapping[str, Sequence[Attempt]]
    teams: Teams

    def standings(self, state: State) -> dict[str, Standing]:
        """Return what counts for each student who, or whose team, handed something in.

        Args:
            state: what counts of staff's entries: scores, due date and extensions.
        """
        entered = entered_of(state, {})
        found = {}
        for student in sorted({*self.attempts, *self.teams.members()}):
            mates = self.teams.with_mates(student)
            attempts = [one for mate in mates for one in self.attempts.get(mate, ())]
            if attempts:
                found[student] = self._standing(
                    student, attempts, state, entered.get(student, {}), len(mates) > 1
                )
        return found

    def in_order(self) -> list[Result]:
        """Return what may count of all attempts, in the order in which they were handed in."""
        found = [attempt for attempts in self.attempts.values() for attempt in attempts]
        return [attempt.result for attempt in in_order(found)]

    def late(self, state: State, student: str, attempt: Attempt | None) -> Late:
        """Return how late an attempt is for a student: by the student's own due date."""
        name, manifest = self.bundle.manifest.assignment, self.bundle.manifest
        due = due_of(state, student, self.course.due.get(name))
        submitted = attempt.submitted if attempt is not None else None
        policy = self.course.policies.late
        return late_of(policy, state, student, due, submitted, manifest.possible)

    def _standing(
        self,
        student: str,
        attempts: Sequence[Attempt],
        state: State,
        entered: Mapping[str, Entered],
        in_team: bool,
    ) -> Standing:
        policies, name = self.course.policies, self.bundle.manifest.assignment
        counted: Counted | None = None
        if policies.attempts_of(name) is Attempts.BEST:
            # What nbgrader's plugin took is of one attempt: nobody knows what others would lose.
            no_plugin = policies.late is not None

            def grade(attempt: Attempt) -> Grade:
                return grade_of(
                    self.bundle.manifest,
                    student,
                    attempt.result,
                    self._entered_for(attempt.result, student, state, entered),
                    self.late(state, student, attempt) if no_plugin else Late(),
                    former=attempt.result.bundle != self.bundle.id,
                )

            chosen, counted = best_of(attempts, student, self.bundle.id, grade)
        elif in_team:
            chosen, counted = last_of(attempts, student)
        else:
            chosen = attempts[-1]
        return Standing(chosen, self.late(state, student, chosen), counted)

    def _entered_for(
        self, result: Result, student: str, state: State, entered: Mapping[str, Entered]
    ) -> Mapping[str, Entered]:
        """Return what staff entered, without scores for answers that an attempt left untouched.

        Those are of another attempt, whose answer earned them.
        """
        found, by_id = dict(entered), {one.id: one for one in result.questions}
        for question in self.bundle.manifest.questions:
            cell = question.cell
            if not (question.manual and cell in found and question.id in by_id):
                continue
            entry = state.get(Key(student, cell, Field.SCORE))
            untouched = decided_scores(question, by_id[question.id]).get(cell) is not None
            if (
                entry is not None
                and untouched
                and entry.submission not in (None, result.submission)
            ):
                found[cell] = msgspec.structs.replace(found[cell], score=None)
        return found


def handed_in(
    course: Course,
    bundle: Bundle,
    results: Mapping[str, Result],
    teams: Teams,
    problems: list[Problem],
) -> Handed:
    """Return what a class has handed in.

    Args:
        course: whose class it is.
        bundle: the assignment's.
        results: the newest of each student.
        teams: who works with whom.
        problems: is told whose earlier attempts cannot be read.
    """
    name = bundle.manifest.assignment
    times = read_times(course, name)
    if course.policies.attempts_of(name) is not Attempts.BEST:
        attempts = {
            student: [Attempt(one, one.graded_at, _told(times, one))]
            for student, one in results.items()
        }
        return Handed(course, bundle, attempts, teams)
    store, found = Store(course.results(name)), {}
    for student, newest in results.items():
        try:
            found[student] = list(_attempts(course, name, store, newest, times))
        except (HarnessError, OSError) as error:
            said = f"earlier attempts of {visible(student)} are left out: {fault_words(error)}"
            problems.append(Problem(said, student))
            found[student] = [Attempt(newest, newest.graded_at, _told(times, newest))]
    return Handed(course, bundle, found, teams)


def _attempts(
    course: Course,
    name: str,
    store: Store,
    newest: Result,
    times: Mapping[str, Mapping[str, Sequence[str]]],
) -> Iterator[Attempt]:
    """Yield all attempts of a student; of one that came twice, the first time counts."""
    kept = kept_attempts(course, name, newest.student)
    known = {result.submission: (first, result) for first, result in store.attempts(newest.student)}
    first, _ = known.get(newest.submission, (newest.graded_at, newest))
    known[newest.submission] = (first, newest)
    for submission, (first, result) in known.items():
        told = times.get(newest.student, {}).get(submission, ())
        ways = [Attempt(result, first, time, False, submission in kept) for time in told]
        ways = [one for one in ways if one.submitted is not None]
        attempt = min(ways, key=lambda one: one.order, default=None)
        placed = submission == newest.submission
        yield Attempt(result, first, attempt.time if attempt else None, placed, submission in kept)


def _told(times: Mapping[str, Mapping[str, Sequence[str]]], result: Result) -> str | None:
    """Return what was said last of the time of a submission."""
    told = times.get(result.student, {}).get(result.submission, ())
    return told[-1] if told else None


def attempt_file(course: Course, name: str, student: str, submission: str) -> Path:
    """Return where the notebook of an attempt is kept."""
    digest = submission.removeprefix("sha256:")
    return course.results(name) / KEPT / student / digest / f"{name}.ipynb"


def kept_attempts(course: Course, name: str, student: str) -> dict[str, Path]:
    """Return the attempts of a student whose notebooks are kept, by submission."""
    try:
        names = sorted(os.listdir(course.results(name) / KEPT / student))
    except OSError:
        return {}
    found = {f"sha256:{one}": attempt_file(course, name, student, one) for one in names}
    return {submission: path for submission, path in found.items() if path.is_file()}


def keep_attempts(
    course: Course, name: str, student: str, placed: Submitted
) -> list[tuple[str, str, str]]:
    """Keep what is in its place, and what `collect` put away; nothing where the last counts.

    What is kept under another writing of the student's name is the student's.

    Args:
        course: whose they are.
        name: the assignment.
        student: whose they are.
        placed: what was read in its place.

    Returns:
        The times of what is kept, as `keep_times` takes them.
    """
    times: list[tuple[str, str, str]] = []
    if course.policies.attempts_of(name) is not Attempts.BEST:
        return times
    for writing in writings(student)[1:]:
        for submission, former in kept_attempts(course, name, writing).items():
            path = attempt_file(course, name, student, submission)
            if not path.is_file():
                write_atomic(path, former.read_bytes())
                told = read_times(course, name).get(writing, {}).get(submission, ())
                times += ((student, submission, time) for time in told)
    for one in (*_put_away(course, name, student), placed):
        if one.problem is not None:
            continue
        submission = digest_of(one.data)
        path = attempt_file(course, name, student, submission)
        if not path.is_file():
            write_atomic(path, one.data)
        if one.timestamp:
            times.append((student, submission, one.timestamp))
    return times


def attempts_to_grade(
    course: Course,
    bundle: Bundle,
    store: Store,
    student: str,
    placed: str,
    device: str,
    again: bool,
) -> Iterator[tuple[str, Result | None]]:
    """Yield a student's earlier attempts that are kept and have no result that stands.

    Each comes with the result that a run on the device completes; None if it grades the whole.

    Args:
        course: whose they are.
        bundle: the assignment's.
        store: of the assignment's results.
        student: whose they are.
        placed: the submission that is in its place, which is none of them.
        device: on which a run grades.
        again: what another bundle graded, too.
    """
    kept = kept_attempts(course, bundle.manifest.assignment, student)
    if course.policies.attempts_of(bundle.manifest.assignment) is not Attempts.BEST or not kept:
        return
    try:
        known = {result.submission: result for _, result in store.attempts(student)}
    except (HarnessError, OSError):  # told when the grades are read
        return
    for submission in kept:
        result = known.get(submission)
        if submission == placed:
            continue
        other = again and result is not None and result.bundle != bundle.id
        if not other and completed_here(result, submission, bundle, device):
            yield submission, result
        elif result is None or other or not stands(result):
            yield submission, None


def _put_away(course: Course, name: str, student: str) -> Iterator[Submitted]:
    """Yield the earlier submissions of a student that `collect` replaced."""
    folder = course.root / "submitted" / student / ATTEMPTS / name
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return
    for one in names:
        yield read_submitted(notebook_in(folder / one, name))


def forget_attempts(course: Course, name: str, student: str) -> None:
    """Remove the notebooks that are kept of a student."""
    shutil.rmtree(course.results(name) / KEPT / student, ignore_errors=True)
