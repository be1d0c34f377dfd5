"""The records of a class: pages and gradebook are brought up to date with its results.

What cannot be written for one student stops nothing for the others. A page shows a verdict beside
the notebook that got it: where a student has submitted again meanwhile, the notebook is what was
read then, or none, and the page says that a newer one waits to be graded.
"""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from autograder.artefacts.bundle import Bundle
from autograder.artefacts.grades import Grade
from autograder.artefacts.manifest import Manifest
from autograder.artefacts.results import Result, digest_of
from autograder.course import Course
from autograder.engines.counting import kept_attempts
from autograder.engines.grades import (
    ClassGrades,
    grades_now,
    grades_without_gradebook,
    names_of,
    newest_results,
)
from autograder.engines.problems import Problem, fault_words
from autograder.engines.stamps import (
    Shown,
    Stamp,
    digest_of_parts,
    keep_times,
    read_stamp,
    write_stamp,
)
from autograder.errors import AutograderError, HarnessError, stops_all, system_words
from autograder.grading.intake import Submitted, read_submitted
from autograder.grading.submission import parse_submission
from autograder.records.autograded import write_autograded
from autograder.records.feedback import write_feedback
from autograder.records.handed_back import write_for_release
from autograder.records.teams import teams_of
from autograder.records.times import read_time
from autograder.records.whole_files import require_writable
from autograder.spelling import Spelling
from autograder.visible import visible

__all__ = [
    "Records",
    "Seen",
    "bring_up_to_date",
    "write_feedback_pages",
    "write_notebook",
]


@dataclass(frozen=True)
class Seen:
    """What a run keeps of a submission that it read: its name in results, and its time."""

    submission: str
    timestamp: str | None

    @property
    def is_untimed(self) -> bool:
        """Whether there is a time that cannot be read."""
        said = (self.timestamp or "").strip()
        return bool(said) and read_time(said) is None

    @classmethod
    def of(cls, submitted: Submitted) -> "Seen":
        """Return what to keep of what was read."""
        return cls(digest_of(submitted.data), submitted.timestamp)


@dataclass(frozen=True)
class Records:
    """What the records show: the newest result of each who handed in, and the grade of each.

    ``waiting`` are students who have submitted again since; ``former`` are those whose submission
    was graded with another bundle than the assignment has now.
    """

    results: Mapping[str, Result]
    grades: Mapping[str, Grade]
    waiting: tuple[str, ...] = ()
    former: tuple[str, ...] = ()


def bring_up_to_date(
    course: Course,
    bundle: Bundle,
    seen: Mapping[str, Seen],
    written: set[str],
    problems: list[Problem],
    say: Callable[[str], None],
) -> Records:
    """Write all that is not up to date and can be written, and return what it shows.

    Args:
        course: whose folders are written.
        bundle: the assignment's.
        seen: what the run read of submissions, by student; the others are read now.
        written: students whose graded notebook the run has written already.
        problems: is told what could not be read or written of single students.
        say: is told what is being done.

    Raises:
        AutograderError: something for the whole class could not be written; all else is.
    """
    name = bundle.manifest.assignment
    results = newest_results(course, name, problems)
    submitted = course.submitted(name)
    last = _submitted_last(results, seen, submitted)
    graded = {s for s, one in last.items() if one.submission == results[s].submission}
    times = {s: said for s in graded if (said := last[s].timestamp)}
    waiting = last.keys() - graded
    former = {student for student in graded if results[student].bundle != bundle.id}
    keep_times(course, name, [(s, results[s].submission, time) for s, time in times.items()])
    faults: list[AutograderError] = []
    try:
        grades: Mapping[str, Grade] = grades_now(course, bundle, results, problems)
    except HarnessError as error:  # without what staff entered, no page is written
        faults.append(error)
        grades = grades_without_gradebook(course, bundle, results)
    records = Records(results, grades, tuple(sorted(waiting)), tuple(sorted(former)))
    stamp = read_stamp(course, name)
    names = names_of(course)
    late = waiting and _with_teams(course, name, waiting)
    shown_ones = [student for student, grade in grades.items() if grade.result is not None]
    digests = {s: _digest(grades[s], s in late, names) for s in shown_ones}
    stale = [s for s, digest in digests.items() if not _is_shown(course, name, s, digest, stamp)]
    same = stamp.students.keys() == digests.keys() and stamp.bundle == bundle.id
    if not faults and not stale and same:
        return records
    say("writing feedback and gradebook")
    shown = {s: one for s, one in stamp.students.items() if s in digests and s not in stale}
    with _kept(faults):
        require_writable(course.root / "feedback")
        require_writable(course.root / "autograded")
        _remove_pages(course, name, stamp.students.keys() - digests.keys())
        for student in stale:  # what is not written, the next run tries again
            with _one_student_s(student, problems):
                grade = grades[student]
                _write_feedback(course, bundle.manifest, grade, names, waits=student in late)
                if student not in written and grade.result is not None:
                    _write_counted(course, bundle, grade, grade.result, submitted)
                there = os.path.isfile(course.autograded(name, student))
                shown[student] = Shown(digests[student], there)
    if faults:
        raise faults[0]
    write_stamp(course, name, Stamp(bundle.id, shown))
    return records


def _with_teams(course: Course, name: str, students: Iterable[str]) -> set[str]:
    """Return students and all who are in a team with one of them."""
    teams = teams_of(course, name)
    return {mate for student in students for mate in teams.with_mates(student)}


def _write_counted(
    course: Course, bundle: Bundle, grade: Grade, result: Result, submitted: Mapping[str, Path]
) -> None:
    """Write a student's graded notebook: that of the attempt which counts.

    It lies in its place, or is kept. Where several attempts may count and it is neither, none is
    shown: another attempt's would stand beside verdicts that are not its own.
    """
    name, by = bundle.manifest.assignment, result.student
    kept = kept_attempts(course, name, by).get(result.submission)
    for path in filter(None, (submitted.get(by), kept)):
        data = read_submitted(path).data
        if digest_of(data) == result.submission:
            write_notebook(course, bundle, result, data, grade.student)
            return
    if grade.counted is not None:
        course.autograded(name, grade.student).unlink(missing_ok=True)


def _remove_pages(course: Course, name: str, students: Iterable[str]) -> None:
    """Remove pages of students who have no result any more: they are in another team now.

    Of one whose name is written otherwise now, the folders go.
    """
    called = Spelling(course.student_folders())
    for student in students:
        if called(student) != student:
            for path in (course.feedback(name, student), course.autograded(name, student)):
                shutil.rmtree(path.parent, ignore_errors=True)
                with suppress(OSError):  # other assignments are in it, or it is not there
                    path.parent.parent.rmdir()
        elif not (course.results(name) / f"{student}.json").exists():
            course.feedback(name, student).unlink(missing_ok=True)
            course.autograded(name, student).unlink(missing_ok=True)


def _is_shown(course: Course, name: str, student: str, digest: str, stamp: Stamp) -> bool:
    """Return whether a student's pages say what is known, and are there."""
    shown = stamp.students.get(student)
    if shown is None or shown.digest != digest:
        return False
    notebook = os.path.isfile(course.autograded(name, student))
    return os.path.isfile(course.feedback(name, student)) and notebook >= shown.notebook


def write_notebook(
    course: Course, bundle: Bundle, result: Result, data: bytes, student: str | None = None
) -> None:
    """Write the graded notebook for staff, if a result is of what is given.

    Args:
        course: whose folders are written.
        bundle: the assignment's.
        result: the attempt's.
        data: what was submitted.
        student: whose notebook it is, where another member of the team handed it in.
    """
    if digest_of(data) != result.submission:
        return
    path = course.autograded(bundle.manifest.assignment, student or result.student)
    try:
        submission = parse_submission(data, bundle.release)
    except AutograderError:  # no notebook: there is nothing to show, and an earlier one is not it
        if path.is_file():
            path.unlink()
        return
    write_autograded(path, submission.notebook, result, bundle.manifest)


def _write_feedback(
    course: Course, manifest: Manifest, grade: Grade, names: Mapping[str, str], *, waits: bool
) -> None:
    if grade.result is None:
        return
    name = manifest.assignment
    path = course.feedback(name, grade.student)
    real = names.get(grade.student)
    write_feedback(path, grade, manifest, course.name, name=real, newer_waits=waits)
    if not waits:
        folder = course.root / "submitted" / grade.student / name
        write_for_release(path, folder / f"{name}.ipynb")


def write_feedback_pages(course: Course, found: ClassGrades) -> list[Problem]:
    """Write each student's feedback page, and return what could not be written."""
    problems: list[Problem] = []
    name = found.manifest.assignment
    submitted, names, stamp = course.submitted(name), names_of(course), read_stamp(course, name)
    shown = dict(stamp.students)
    seen = {s: digest_of(read_submitted(p).data) for s, p in submitted.items() if s in found.grades}
    newest = {student: result.submission for student, result in found.results.items()}
    waiting = {student for student, one in seen.items() if newest.get(student) != one}
    late = waiting and _with_teams(course, name, waiting)
    for student, grade in found.grades.items():
        with _one_student_s(student, problems):
            waits = student in late
            _write_feedback(course, found.manifest, grade, names, waits=waits)
            if student in shown:
                digest = _digest(grade, waits, names)
                shown[student] = msgspec.structs.replace(shown[student], digest=digest)
    if shown != stamp.students:
        write_stamp(course, name, Stamp(stamp.bundle, shown))
    return problems


def _digest(grade: Grade, waits: bool, names: Mapping[str, str]) -> str:
    """Return a digest of all that a student's pages say."""
    return digest_of_parts(msgspec.json.encode(grade), [waits, names.get(grade.student)])


@contextmanager
def _kept(faults: list[AutograderError]) -> Iterator[None]:
    """Keep what a block raises, so that what comes behind it is done too."""
    try:
        yield
    except AutograderError as error:
        faults.append(error)
    except OSError as error:
        faults.append(HarnessError(visible(system_words(error))))


@contextmanager
def _one_student_s(student: str, problems: list[Problem]) -> Iterator[None]:
    """Take whatever a block raises for a problem of one student's pages."""
    try:
        yield
    except Exception as error:
        if stops_all(error):
            raise
        said = f"the pages of {visible(student)} are not written: {fault_words(error)}"
        problems.append(Problem(said, student))


def _submitted_last(
    results: Mapping[str, Result], seen: Mapping[str, Seen], submitted: Mapping[str, Path]
) -> dict[str, Seen]:
    """Return what each student with a result has submitted last, of those where it is there."""
    found = {}
    for student in results:
        if student in seen:
            found[student] = seen[student]
        elif student in submitted:
            found[student] = Seen.of(read_submitted(submitted[student]))
    return found
