"""Regrading: who gains and who loses by a changed bundle, before it counts and when it does."""

import random
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from autograder.artefacts.results import CheckResult, Result, is_final
from autograder.course import Course
from autograder.engines.grades import class_grades, newest_results
from autograder.engines.run import Progress, grade_assignment, try_again, try_assignment
from autograder.visible import visible

__all__ = ["CheckChange", "Regrade", "StudentChange", "Verified", "regrade", "verify"]


@dataclass(frozen=True)
class CheckChange:
    """A check whose points change; ``margin`` is the worst of its cases now, if it has one."""

    name: str
    before: float
    after: float
    margin: float | None


@dataclass(frozen=True)
class StudentChange:
    """A student whose points change."""

    student: str
    before: float
    after: float
    checks: tuple[CheckChange, ...]


@dataclass(frozen=True)
class Regrade:
    """What a changed bundle does to a class.

    ``new`` had no result before; ``problems`` are sentences on what cannot be read or written.
    """

    assignment: str
    graded: int
    changes: tuple[StudentChange, ...]
    new: tuple[str, ...]
    problems: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Return the report for a terminal."""
        gain = sum(change.after > change.before for change in self.changes)
        lose = sum(change.after < change.before for change in self.changes)
        stay = self.graded - len(self.changes) - len(self.new)
        lines = [
            f"{self.assignment}: {self.graded} submissions graded again: {gain} gain, {lose} lose, "
            f"{stay} stay as they are" + (f", {len(self.new)} new" if self.new else "")
        ]
        for change in self.changes:
            difference = change.after - change.before
            lines.append(
                f"  {visible(change.student)}: {difference:+.4g}, from {change.before:.4g} to "
                f"{change.after:.4g}"
            )
            for check in change.checks:
                margin = "" if check.margin is None else f", margin {check.margin:.2g}"
                points = f"{check.before:.4g} to {check.after:.4g}"
                lines.append(f"    {check.name}: {points}{margin}")
        return lines


def regrade(
    course: Course,
    name: str,
    progress: Progress,
    students: Collection[str] = (),
    device: str = "cpu",
    workers: int = 1,
    engine: str = "local",
    *,
    apply: bool,
) -> Regrade:
    """Grade with the newest bundle what was graded with another, and say what changes.

    Args:
        course: whose folders are read.
        name: the assignment.
        progress: is told how it goes on.
        students: only these; empty means all.
        device: ``cpu`` or ``cuda``.
        workers: how many submissions are graded at a time.
        engine: the name of the one that grades.
        apply: append the new results and bring the records up to date; else nothing is written.

    Raises:
        UnsafeHere: this machine cannot hold a student's code as safely as the course wants.
        UsageError: the assignment is not compiled, or a student submitted nothing.
    """
    found: list[str] = []
    before = newest_results(course, name, found)
    problems = tuple(map(course.in_words, found))
    if apply:
        run = grade_assignment(
            course, name, progress, students, device, workers, engine=engine, again=True
        )
        after: Mapping[str, Result] = {s: run.results[s] for s in run.graded if s in run.results}
        problems = run.problems
    else:
        trial = try_assignment(course, name, progress, students, device, workers, engine)
        after = trial.results
        problems += trial.problems
    known = {student: result for student, result in after.items() if student in before}
    changes = [_change(before[student], result) for student, result in sorted(known.items())]
    return Regrade(
        name,
        len(after),
        tuple(change for change in changes if change.checks or change.before != change.after),
        tuple(sorted(after.keys() - known.keys())),
        tuple(dict.fromkeys(problems)),
    )


@dataclass(frozen=True)
class Verified:
    """What came of grading a sample once more.

    Attributes:
        assignment: the name.
        students: who were graded again, by the same checks and on what they had submitted.
        differences: sentences on verdicts and points that are not the same.
        problems: sentences on what could not be graded.
    """

    assignment: str
    students: tuple[str, ...]
    differences: tuple[str, ...]
    problems: tuple[str, ...]


def verify(
    course: Course,
    name: str,
    progress: Progress,
    sample: int,
    seed: int,
    device: str = "cpu",
    workers: int = 1,
) -> Verified:
    """Grade a sample of the submissions once more, and compare with what is stored.

    Args:
        course: whose folders are read; nothing is written.
        name: the assignment.
        progress: is told how it goes on.
        sample: how many submissions, drawn among those whose result is by the bundle of now.
        seed: of the draw.
        device: ``cpu`` or ``cuda``.
        workers: how many submissions are graded at a time.
    """
    found = class_grades(course, name)
    fit = sorted(
        s for s in course.submitted(name) if _is_by_now(found.results.get(s), found.bundle.id)
    )
    drawn = sorted(random.Random(seed).sample(fit, min(sample, len(fit))))
    if not drawn:
        return Verified(name, (), (), found.problems)
    trial = try_again(course, name, progress, drawn, device, workers)
    same = [s for s in drawn if s in trial.results]
    same = [s for s in same if trial.results[s].submission == found.results[s].submission]
    faults = {s: said for s in same if (said := _fault(found.results[s], trial.results[s]))}
    same = [s for s in same if s not in faults]
    differences = [text for s in same for text in _differences(found.results[s], trial.results[s])]
    return Verified(name, tuple(same), tuple(differences), (*trial.problems, *faults.values()))


def _is_by_now(result: Result | None, bundle: str) -> bool:
    return result is not None and result.bundle == bundle and is_final(result)


def _fault(stored: Result, again: Result) -> str | None:
    """Say why a second result cannot be compared with the stored one; None if it can."""
    now = _checks(again)
    whole = all(
        name in now and len(now[name].cases) == len(check.cases)
        for name, check in _checks(stored).items()
    )
    if whole and again.fault is None:
        return None
    why = "; ".join(again.remarks) or "not all of its checks ran"
    return f"{visible(stored.student)} could not be graded again: {why}"


def _differences(stored: Result, again: Result) -> Iterator[str]:
    """Yield what is not the same in two results of the same submission by the same checks."""
    student, now = visible(stored.student), _checks(again)
    if stored.earned != again.earned:
        yield f"{student}: {stored.earned:.4g} points are stored, {again.earned:.4g} came now"
    for name, check in _checks(stored).items():
        for before, after in zip(check.cases, now[name].cases, strict=True):
            if before.verdict != after.verdict:
                yield (
                    f"{student}: {name}, case {visible(before.name)!r}: {before.verdict} is "
                    f"stored, {after.verdict} came now"
                )


def _change(before: Result, after: Result) -> StudentChange:
    former, checks = _checks(before), []
    for name, check in _checks(after).items():
        points = former[name].earned if name in former else 0.0
        if points != check.earned:
            margins = [case.margin for case in check.cases if case.margin is not None]
            checks.append(CheckChange(name, points, check.earned, max(margins, default=None)))
    gone = former.keys() - _checks(after).keys()
    checks += [CheckChange(name, former[name].earned, 0.0, None) for name in sorted(gone)]
    return StudentChange(after.student, before.earned, after.earned, tuple(checks))


def _checks(result: Result) -> dict[str, CheckResult]:
    return {check.name: check for question in result.questions for check in question.checks}
