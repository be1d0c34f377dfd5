"""The grades of a class: results, staff's entries and lateness, in step with the gradebook."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from autograder.artefacts.bundle import Bundle, read_bundle
from autograder.artefacts.grades import Grade, Late, grade_of
from autograder.artefacts.manifest import Manifest
from autograder.artefacts.results import Result, Status, dump_result
from autograder.course import Course
from autograder.engines.counting import Handed, Standing, handed_in
from autograder.engines.problems import Problem, told
from autograder.engines.stamps import (
    digest_of_parts,
    keep_counted,
    read_counted,
    read_gradebook_stamp,
    stamp_of,
    write_gradebook_stamp,
)
from autograder.errors import HarnessError, NotCompiled
from autograder.records.databases import database_of
from autograder.records.entries import WHOLE, Field, Journal, Key, State, entered_of
from autograder.records.gradebook import Written, write_gradebook
from autograder.records.roster import names_beside, read_roster
from autograder.records.store import Store
from autograder.records.teams import teams_of
from autograder.spelling import Spelling
from autograder.visible import visible

__all__ = [
    "ClassGrades",
    "class_grades",
    "grades_now",
    "grades_without_gradebook",
    "is_gradebook_behind",
    "names_of",
    "newest_results",
]


@dataclass(frozen=True)
class ClassGrades:
    """What is known of an assignment's class.

    Attributes:
        bundle: the assignment's.
        results: the newest of each student who handed in.
        grades: of each student with a result, alone or in a team, with an entry of staff's, or of
            the roster.
        problems: what is damaged, or could not be written.
    """

    bundle: Bundle
    results: Mapping[str, Result]
    grades: Mapping[str, Grade]
    problems: tuple[Problem, ...]

    @property
    def manifest(self) -> Manifest:
        """The assignment's."""
        return self.bundle.manifest


def newest_results(course: Course, name: str, problems: list[Problem]) -> dict[str, Result]:
    """Return the newest result of each student; one that is damaged is told as a problem."""
    damaged: dict[str, str] = {}
    results = Store(course.results(name)).newest(damaged)
    problems += [
        Problem(f"{visible(student)} is left out: {said}", student)
        for student, said in damaged.items()
    ]
    return _one_each(results, Spelling(course.student_folders(), results))


def _one_each(results: Mapping[str, Result], called: Spelling) -> dict[str, Result]:
    """Return one result for each student: that under the student's name, else the newest."""
    found: dict[str, Result] = {}
    for name, result in sorted(results.items(), key=lambda pair: pair[1].graded_at):
        if (student := called(name)) == name or student not in results:
            found[student] = msgspec.structs.replace(result, student=student)
    return dict(sorted(found.items()))


def _twofold(course: Course, name: str) -> list[Problem]:
    """Say who has two folders for an assignment, and what to do."""
    return [
        Problem(
            f"{visible(student)} has two folders for {name} in submitted/, as the name is written "
            "in two ways: with accents as letters, and as marks of their own; neither is graded "
            "until one is removed",
            student,
        )
        for student in course.twofold(name)
    ]


def class_grades(course: Course, name: str) -> ClassGrades:
    """Return the grades of an assignment's class, with what staff have entered until now.

    Raises:
        NotCompiled: the assignment has no bundle.
        HarnessError: its bundle or what staff entered is damaged.
    """
    if not course.bundle(name).is_file():
        raise NotCompiled(name)
    problems: list[Problem] = []
    bundle, results = read_bundle(course.bundle(name)), newest_results(course, name, problems)
    if not course.results(name).is_dir():  # nobody is graded yet: there is nothing to write
        grades = grades_without_gradebook(course, bundle, {})
        return ClassGrades(bundle, {}, grades, told(course, problems))
    try:
        grades = grades_now(course, bundle, results, problems)
    except HarnessError as error:
        problems.append(Problem(str(error)))
        grades = grades_without_gradebook(course, bundle, results)
    return ClassGrades(bundle, results, grades, told(course, problems))


def grades_now(
    course: Course, bundle: Bundle, results: Mapping[str, Result], problems: list[Problem]
) -> dict[str, Grade]:
    """Bring the gradebook and the journal of staff's entries in step, and return the grades.

    Args:
        course: whose gradebook it is.
        bundle: the assignment's.
        results: the newest of each student.
        problems: is told what was done to a gradebook that was none, and what staff must look at.

    Raises:
        HarnessError: the gradebook cannot be written, or staff's entries cannot be read.
    """
    manifest = bundle.manifest
    name, journal = manifest.assignment, Journal(course.results(manifest.assignment))
    roster, teams = read_roster(course), teams_of(course, name)
    handed = handed_in(course, bundle, results, teams, problems)
    choice = _Choice(handed)

    def digest(mark: tuple[int, str]) -> str:
        attempts = [one for student in sorted(handed.attempts) for one in handed.attempts[student]]
        told = [(one.time, one.placed, one.kept) for one in attempts]
        mates = {student: teams.with_mates(student) for student in teams.members()}
        due = str(course.due.get(name, ""))
        said = [bundle.id, told, mark, repr(course.policies), due, repr(roster.students), mates]
        return digest_of_parts(said, *(dump_result(one.result) for one in attempts))

    stamp, mark = read_gradebook_stamp(course), journal.mark()
    if stamp.written.get(name) == digest(mark):
        looks = {(student, cell): why for student, cell, why in stamp.looks.get(name, ())}
        written = Written(journal.state(), looks)
    else:
        written = write_gradebook(
            database_of(course),
            manifest,
            bundle.release,
            {},
            journal,
            late_of=choice.late if course.policies.late is not None else None,
            choose=choice,
            shown=read_counted(course, name),
            names=names_beside(course),
            called=Spelling(course.student_folders(), results),
        )
        keep_counted(course, name, {s: r.submission for s, r in choice.results.items()})
        told = [(student, cell, why) for (student, cell), why in written.looks.items()]
        stamp = stamp_of(course, written.before)
        stamp = msgspec.structs.replace(
            stamp,
            file=written.left,
            written={**stamp.written, name: digest(written.mark)},
            looks={**stamp.looks, name: told},
        )
        write_gradebook_stamp(course, stamp)
        problems += map(Problem, written.notes)
    problems += _twofold(course, name)
    problems += map(Problem, teams.problems)
    problems += _orphans(manifest, written.state)
    grades = _grades(handed, written)
    problems += _requests(manifest, grades, written.state)
    problems += _former(bundle, results)
    return grades


def grades_without_gradebook(
    course: Course, bundle: Bundle, results: Mapping[str, Result]
) -> dict[str, Grade]:
    """Return the grades by what the journal has of staff's entries.

    Raises:
        HarnessError: the journal cannot be read.
    """
    name, problems = bundle.manifest.assignment, list[Problem]()
    state = Journal(course.results(name)).state()
    handed = handed_in(course, bundle, results, teams_of(course, name), problems)
    return _grades(handed, Written(state, {}))


def is_gradebook_behind(course: Course) -> bool:
    """Return whether an assignment with results is not in the gradebook, as in one made anew."""
    written = read_gradebook_stamp(course).written
    return any(
        name not in written
        and course.bundle(name).is_file()
        and any(course.results(name).glob("*.json"))
        for name in course.assignments()
    )


def names_of(course: Course) -> dict[str, str]:
    """Return the real names of students, by the name of their folder, where they are known."""
    return {one.id: one.name for one in read_roster(course).students if one.name != one.id}


class _Choice:
    """What counts by staff's entries, as the gradebook's writer asks for it once it has them."""

    def __init__(self, handed: Handed) -> None:
        self._handed = handed
        self._standings: Mapping[str, Standing] = {}
        self.results: Mapping[str, Result] = {}

    def __call__(self, state: State) -> tuple[Mapping[str, Result], Mapping[str, str]]:
        """Return each student's result that counts, and what is said of its time."""
        self._standings = {
            student: one
            for student, one in self._handed.standings(state).items()
            if one.attempt.result.status is not Status.UNGRADED
        }
        attempts = {student: one.attempt for student, one in self._standings.items()}
        self.results = {student: one.result for student, one in attempts.items()}
        return self.results, {s: one.time for s, one in attempts.items() if one.time is not None}

    def late(self, state: State, student: str) -> Late:
        """Return what lateness costs a student."""
        standing = self._standings.get(student)
        return standing.late if standing else self._handed.late(state, student, None)


def _grades(handed: Handed, written: Written) -> dict[str, Grade]:
    bundle, entered = handed.bundle, entered_of(written.state, written.looks)
    standings = handed.standings(written.state)
    grades = {}
    for student in sorted({*standings, *entered, *_listed(handed.course)}):
        one = standings.get(student)
        result = one.attempt.result if one is not None else None
        grades[student] = grade_of(
            bundle.manifest,
            student,
            result,
            entered.get(student),
            one.late if one is not None else handed.late(written.state, student, None),
            former=result is not None and result.bundle != bundle.id,
            counted=one.counted if one is not None else None,
        )
    return grades


def _former(bundle: Bundle, results: Mapping[str, Result]) -> list[Problem]:
    """Say whose grade is open because a question was asked otherwise when it was graded."""
    manifest = bundle.manifest
    open_ones = [
        student
        for student, result in results.items()
        if result.bundle != bundle.id
        and result.questions
        and grade_of(manifest, student, result).status
        is not grade_of(manifest, student, result, former=True).status
    ]
    if not open_ones:
        return []
    name, count = manifest.assignment, len(open_ones)
    said = (
        f"{name} asks something else since {count} of its submissions were graded: what changed "
        f"counts for nobody yet; see autograder regrade {name} --preview"
    )
    return [Problem(said)]


def _listed(course: Course) -> set[str]:
    """Return the students of the roster, if staff listed them: who submitted nothing counts too."""
    roster = read_roster(course)
    return {student.id for student in roster.students} if roster.complete else set()


def _orphans(manifest: Manifest, state: State) -> list[Problem]:
    """Say which entries of staff's belong to cells that the assignment no longer has."""
    cells = {WHOLE, *(q.cell for q in manifest.questions)} | {
        check.cell for q in manifest.questions for check in q.checks
    }
    gone: dict[str, int] = {}
    for key, entry in state.items():
        if key.field is not Field.REQUEST and key.cell not in cells and entry.value is not None:
            gone[key.cell] = gone.get(key.cell, 0) + 1
    name = manifest.assignment
    return [
        Problem(
            f"{name} has no {cell!r} any more, but {count} entries of staff's are kept for it; if "
            f"it has another name now, run: autograder override {name} --rename {cell} NEW --why "
            f"TEXT; if it is gone, run: autograder override {name} --drop {cell} --why TEXT"
        )
        for cell, count in sorted(gone.items())
    ]


def _requests(manifest: Manifest, grades: Mapping[str, Grade], state: State) -> list[Problem]:
    """Say which requests of students no grading and no entry of staff's has answered."""
    cells = {q.id: {q.cell, *(check.cell for check in q.checks)} for q in manifest.questions}
    said = []
    for key, request in state.items():
        if key.field is not Field.REQUEST or request.value is None:
            continue
        grade = grades.get(key.student)
        graded = grade.result.graded_at if grade is not None and grade.result is not None else ""
        scores = (
            state.get(Key(key.student, c or "", Field.SCORE)) for c in cells.get(key.cell, ())
        )
        entered = any(one is not None and one.number > request.number for one in scores)
        if graded <= request.time and not entered:
            student, name = visible(key.student), manifest.assignment
            text = (
                f"{student} asks for another look at {key.cell!r} of {name}: {request.value}; "
                f"answer by: autograder override {student} {name} {key.cell} POINTS --why TEXT"
            )
            said.append(Problem(text, key.student))
    return said
