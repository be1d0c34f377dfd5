"""The records of a class: pages, gradebook and report are brought up to date with its results.

What cannot be written for one student stops nothing for the others. A page shows a verdict beside
the notebook that got it: where a student has submitted again meanwhile, the notebook is what was
read then, or none, and the page says that a newer one waits to be graded.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from autograder.artefacts.bundle import Bundle, digest_of, read_bundle
from autograder.artefacts.grades import grade_of
from autograder.artefacts.manifest import Manifest
from autograder.artefacts.results import Result, Status, dump_result
from autograder.course import Course
from autograder.errors import AutograderError, HarnessError, stops_all, system_words
from autograder.grading.intake import Submitted, read_submitted
from autograder.grading.submission import parse_submission
from autograder.records.autograded import write_autograded
from autograder.records.feedback import write_feedback
from autograder.records.gradebook import write_gradebook
from autograder.records.handed_back import write_for_release
from autograder.records.report import write_report
from autograder.records.store import Store
from autograder.records.times import read_time
from autograder.records.whole_files import require_writable, write_atomic
from autograder.visible import visible

__all__ = [
    "Records",
    "Seen",
    "bring_up_to_date",
    "fault_words",
    "newest_results",
    "write_class_report",
    "write_feedback_pages",
    "write_pages",
]

STAMP = ".recorded"  # names what each student's pages and the gradebook were written from
_BUNDLE = "/"  # in it, by a name that is no student's


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
    """What the records show: the newest result of each student.

    ``waiting`` are students who have submitted again since; ``former`` are those whose submission
    was graded with another bundle than the assignment has now.
    """

    results: Mapping[str, Result]
    waiting: tuple[str, ...] = ()
    former: tuple[str, ...] = ()


def newest_results(course: Course, name: str, problems: list[str]) -> dict[str, Result]:
    """Return the newest result of each student; one that is damaged is told as a problem."""
    damaged: dict[str, str] = {}
    results = Store(course.results(name)).newest(damaged)
    problems += [f"{visible(student)} is left out: {said}" for student, said in damaged.items()]
    return results


def bring_up_to_date(
    course: Course,
    bundle: Bundle,
    seen: Mapping[str, Seen],
    written: set[str],
    problems: list[str],
    say: Callable[[str], None],
) -> Records:
    """Write all that is not up to date and can be written, and return what it shows.

    Args:
        course: whose folders are written.
        bundle: the assignment's.
        seen: what the run read of submissions, by student; the others are read now.
        written: students whose pages the run has written already.
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
    timestamps = {s: said for s in graded if (said := last[s].timestamp)}
    waiting = last.keys() - graded
    former = {student for student in graded if results[student].bundle != bundle.id}
    records = Records(results, tuple(sorted(waiting)), tuple(sorted(former)))
    digests = {
        student: _digest(result, timestamps.get(student, ""), student in waiting)
        for student, result in results.items()
    }
    stamp = course.results(name) / STAMP
    stamped = _read_stamp(stamp)
    stale = [
        student
        for student, digest in digests.items()
        if stamped.get(student) != digest or not os.path.isfile(course.feedback(name, student))
    ]
    whole = os.path.isfile(course.gradebook) and os.path.isfile(course.report)
    digests[_BUNDLE] = bundle.id  # the gradebook's; a page stays beside the checks of its verdicts
    same = stamped.keys() == digests.keys() and stamped[_BUNDLE] == bundle.id
    if not stale and same and whole:
        return records
    say("writing feedback, gradebook and report")
    faults: list[AutograderError] = []
    with _kept(faults):
        require_writable(course.root / "feedback")
        require_writable(course.root / "autograded")
        for student in stale:
            if student not in written:
                now = digests.pop(student)  # what is not written, the next run tries again
                with _one_student_s(student, problems):
                    path = submitted.get(student)
                    data = None if path is None else read_submitted(path).data
                    write_pages(course, bundle, results[student], data)
                    digests[student] = now
    counted = {s: r for s, r in results.items() if r.status is not Status.UNGRADED}
    with _kept(faults):
        write_gradebook(course.gradebook, bundle.manifest, bundle.release, counted, timestamps)
    with _kept(faults):
        write_class_report(course, problems)
    if faults:
        raise faults[0]
    write_atomic(stamp, json.dumps(digests, indent=1).encode())
    return records


def write_pages(course: Course, bundle: Bundle, result: Result, data: bytes | None) -> None:
    """Write a student's feedback page and, from a notebook's bytes, the graded one for staff.

    Args:
        course: whose folders are written.
        bundle: the assignment's.
        result: the student's.
        data: what the student submitted last; None if that is not to be had.
    """
    _write_feedback(course, bundle.manifest, result, data)
    if data is None or digest_of(data) != result.submission:
        return
    path = course.autograded(bundle.manifest.assignment, result.student)
    try:
        submission = parse_submission(data, bundle.release)
    except AutograderError:  # no notebook: there is nothing to show, and an earlier one is not it
        if path.is_file():
            path.unlink()
        return
    write_autograded(path, submission.notebook, result, bundle.manifest)


def _write_feedback(course: Course, manifest: Manifest, result: Result, data: bytes | None) -> None:
    path = course.feedback(manifest.assignment, result.student)
    waits = data is not None and digest_of(data) != result.submission
    grade = grade_of(manifest, result.student, result)
    write_feedback(path, grade, manifest, course.name, newer_waits=waits)
    if data is not None and not waits:
        folder = course.root / "submitted" / result.student / manifest.assignment
        write_for_release(path, folder / f"{manifest.assignment}.ipynb")


def write_feedback_pages(
    course: Course, manifest: Manifest, results: Mapping[str, Result]
) -> list[str]:
    """Write each student's feedback page, and return sentences on those that cannot be written."""
    problems: list[str] = []
    submitted = course.submitted(manifest.assignment)
    for student, result in results.items():
        with _one_student_s(student, problems):
            path = submitted.get(student)
            data = None if path is None else read_submitted(path).data
            _write_feedback(course, manifest, result, data)
    return problems


def write_class_report(course: Course, problems: list[str]) -> Path:
    """Write the report over every assignment that has results, and return its path.

    Args:
        course: whose report it is.
        problems: is told what had to be left out.
    """
    assignments = []
    for name in course.assignments():
        try:
            if not course.bundle(name).is_file():
                continue
            if results := newest_results(course, name, problems):
                manifest = read_bundle(course.bundle(name)).manifest
                grades = {s: grade_of(manifest, s, result) for s, result in results.items()}
                assignments.append((manifest, grades))
        except (AutograderError, OSError) as error:
            problems.append(f"{name} is not in the report: {fault_words(error)}")
    write_report(course.report.parent, course.name, assignments, {})
    return course.report


def fault_words(error: Exception) -> str:
    """Return in words what went wrong for one student, by whatever exception."""
    if isinstance(error, OSError):
        return system_words(error)
    return str(error) if isinstance(error, AutograderError) else f"{type(error).__name__}: {error}"


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
def _one_student_s(student: str, problems: list[str]) -> Iterator[None]:
    """Take whatever a block raises for a problem of one student's pages."""
    try:
        yield
    except Exception as error:
        if stops_all(error):
            raise
        problems.append(f"the pages of {visible(student)} are not written: {fault_words(error)}")


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


def _digest(result: Result, timestamp: str, waits: bool) -> str:
    parts = [timestamp.encode(), dump_result(result), b"waits" if waits else b""]
    return hashlib.sha256(b"\n".join(parts)).hexdigest()


def _read_stamp(stamp: Path) -> dict[str, str]:
    """Return what the records were written from; a stamp that is none says of nothing."""
    try:
        found = json.loads(stamp.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
