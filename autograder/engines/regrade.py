"""Regrading: who gains and who loses by a changed bundle, before it counts and when it does."""

import random
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from autograder.artefacts.results import CheckResult, Result, Status, Verdict, is_final
from autograder.course import Course
from autograder.engines.grades import class_grades, newest_results
from autograder.engines.problems import Problem, told
from autograder.engines.run import Progress, grade_assignment, try_again, try_assignment
from autograder.records.words import price_words
from autograder.visible import visible

__all__ = ["CheckChange", "Mended", "Regrade", "StudentChange", "Verified", "regrade", "verify"]


@dataclass(frozen=True)
class CheckChange:
    """A check whose points change; ``margin`` is the worst of its cases now, if it has one."""

    name: str
    before: float
    after: float
    margin: float | None


@dataclass(frozen=True)
class StudentChange:
    """A student whose points change; ``prices`` are those of mistakes that do, in words."""

    student: str
    before: float
    after: float
    checks: tuple[CheckChange, ...]
    prices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mended:
    """What could not be graded before and is now; ``check`` is None for a whole submission."""

    student: str
    check: str | None
    points: float


@dataclass(frozen=True)
class Regrade:
    """What a changed bundle does to a class.

    ``new`` had no result before, and ``ungraded`` cannot be graded now, at least not all of it:
    that changes nobody's points. ``problems`` say why, and what cannot be read or written.
    """

    assignment: str
    graded: int
    changes: tuple[StudentChange, ...]
    new: tuple[str, ...]
    problems: tuple[Problem, ...] = ()
    mended: tuple[Mended, ...] = ()
    ungraded: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Return the report for a terminal."""
        gain = sum(change.after > change.before for change in self.changes)
        lose = sum(change.after < change.before for change in self.changes)
        named = {change.student for change in self.changes}
        named.update((one.student for one in self.mended), self.new, self.ungraded)
        stay = self.graded - len(named)
        counts = [f"{gain} gain, {lose} lose, {stay} stay as they are"]
        if self.new:
            counts.append(f"{len(self.new)} new")
        if self.mended:
            count = len({one.student for one in self.mended})
            counts.append(f"{count} with what could not be graded before")
        if self.ungraded:
            counts.append(f"{len(self.ungraded)} could not be graded")
        lines = [
            f"{self.assignment}: {self.graded} submissions graded again: {', '.join(counts)}",
        ]
        for change in self.changes:
            difference = change.after - change.before
            lines.append(
                f"  {visible(change.student)}: {difference:+.4g}, from {change.before:.4g} to "
                f"{change.after:.4g}"
            )
            lines += (f"    {price}" for price in change.prices)
            for check in change.checks:
                margin = "" if check.margin is None else f", margin {check.margin:.2g}"
                points = f"{check.before:.4g} to {check.after:.4g}"
                lines.append(f"    {check.name}: {points}{margin}")
        for one in self.mended:
            what = one.check or "the submission"
            lines.append(
                f"  {visible(one.student)}: {what} could not be graded before, and has "
                f"{one.points:.4g} points now"
            )
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
    report: bool = True,
) -> Regrade:
    """Grade with the newest bundle what was graded with another, and say what changes.

    Args:
        course: whose folders are read.
        name: the assignment.
        progress: is told how it goes on.
        students: only these; empty means all.
        device: ``cpu``, ``cuda`` or ``auto``.
        workers: how many submissions are graded at a time.
        engine: the name of the one that grades.
        apply: append the new results and bring the records up to date; else nothing is written.
        report: write the report, too, where something is.

    Raises:
        UnsafeHere: this machine cannot hold a student's code as safely as the course wants.
        UsageError: the assignment is not compiled, or a student submitted nothing.
    """
    problems: list[Problem] = []
    before = newest_results(course, name, problems)
    if apply:
        run = grade_assignment(
            course,
            name,
            progress,
            students,
            device,
            workers,
            engine=engine,
            again=True,
            report=report,
        )
        after: Mapping[str, Result] = {s: run.results[s] for s in run.graded if s in run.results}
        problems = list(run.problems)
    else:
        trial = try_assignment(course, name, progress, students, device, workers, engine)
        after = trial.results
        problems += trial.problems
    compared = [_Compared(before.get(student), one) for student, one in sorted(after.items())]
    problems += (fault for one in compared for fault in one.faults())
    return Regrade(
        name,
        len(after),
        tuple(change for one in compared if (change := one.change()) is not None),
        tuple(one.after.student for one in compared if one.before is None and not one.is_lost),
        told(course, problems),
        tuple(mended for one in compared for mended in one.mended()),
        tuple(one.after.student for one in compared if one.broken or one.is_lost),
    )


class _Compared:
    """A student's former result beside the one of now.

    What could not be graded is compared with nothing: it is open, and no points are lost by it.
    """

    def __init__(self, before: Result | None, after: Result) -> None:
        self.before, self.after = before, after
        self.is_lost = _is_lost(after)
        self._former = _checks(before) if before is not None else {}
        self._now = _checks(after)
        self.broken = [name for name, check in self._now.items() if _is_broken(check)]

    def faults(self) -> Iterator[Problem]:
        """Yield why something could not be graded."""
        student = self.after.student
        if self.is_lost:
            why = "; ".join(self.after.remarks) or "a check broke"
            yield Problem(
                f"{visible(student)} could not be graded, and loses no points by it: {why}", student
            )
            return
        for name in self.broken:
            said = [c.message for c in self._now[name].cases if c.verdict is Verdict.BROKEN]
            yield Problem(
                f"{name} of {visible(student)} could not be graded, by a fault of ours that costs "
                f"no points: {said[0] or 'the check broke'}",
                student,
            )

    def mended(self) -> Iterator[Mended]:
        """Yield what could not be graded before."""
        if self.before is None or self.is_lost:
            return
        if _is_lost(self.before):
            yield Mended(self.after.student, None, self.after.earned)
            return
        for name, check in self._now.items():
            if name in self._former and _is_broken(self._former[name]) and name not in self.broken:
                yield Mended(self.after.student, name, check.earned)

    def change(self) -> StudentChange | None:
        """Return how the points change by what could be graded both times."""
        before, after, checks = self.before, self.after, list[CheckChange]()
        if before is None or self.is_lost or _is_lost(before):
            return None
        open_ones = {*self.broken, *(n for n, check in self._former.items() if _is_broken(check))}
        for name, check in self._now.items():
            points = self._former[name].earned if name in self._former else 0.0
            if points != check.earned and name not in open_ones:
                margins = [case.margin for case in check.cases if case.margin is not None]
                checks.append(CheckChange(name, points, check.earned, max(margins, default=None)))
        for name in sorted(self._former.keys() - self._now.keys() - open_ones):
            checks.append(CheckChange(name, self._former[name].earned, 0.0, None))
        earned = after.earned
        if open_ones:
            earned = before.earned + sum(check.after - check.before for check in checks)
        if not checks and earned == before.earned:
            return None
        return StudentChange(
            after.student, before.earned, earned, tuple(checks), tuple(self._prices(before))
        )

    def _prices(self, before: Result) -> Iterator[str]:
        """Yield the questions of which a mistake has another price, or has one now or no more."""
        former = {question.id: price_words(question) for question in before.questions}
        for question in self.after.questions:
            now, then = price_words(question), former.get(question.id)
            if now != then:
                yield f"{question.id}: {now or 'by its checks'}; before, {then or 'by its checks'}"


def _is_lost(result: Result) -> bool:
    """Return whether nothing of a submission could be graded."""
    no_check_ran = not any(question.checks for question in result.questions)
    return result.fault is not None or (result.status is Status.NEEDS_ATTENTION and no_check_ran)


def _is_broken(check: CheckResult) -> bool:
    return any(case.verdict is Verdict.BROKEN for case in check.cases)


@dataclass(frozen=True)
class Verified:
    """What came of grading a sample once more.

    Attributes:
        assignment: the name.
        students: who were graded again, by the same checks and on what they had submitted.
        differences: sentences on verdicts and points that are not the same.
        problems: what could not be graded.
    """

    assignment: str
    students: tuple[str, ...]
    differences: tuple[str, ...]
    problems: tuple[Problem, ...]


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
        device: ``cpu``, ``cuda`` or ``auto``.
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


def _fault(stored: Result, again: Result) -> Problem | None:
    """Say why a second result cannot be compared with the stored one; None if it can."""
    now = _checks(again)
    whole = all(
        name in now and len(now[name].cases) == len(check.cases)
        for name, check in _checks(stored).items()
    )
    if whole and again.fault is None:
        return None
    why = "; ".join(again.remarks) or "not all of its checks ran"
    student = stored.student
    return Problem(f"{visible(student)} could not be graded again: {why}", student)


def _differences(stored: Result, again: Result) -> Iterator[str]:
    """Yield what is not the same in two results of the same submission by the same checks."""
    student, now = visible(stored.student), _checks(again)
    lacking = Verdict.PENDING in again.verdicts and Verdict.PENDING not in stored.verdicts
    if stored.earned != again.earned and not lacking:
        yield f"{student}: {stored.earned:.4g} points are stored, {again.earned:.4g} came now"
    for name, check in _checks(stored).items():
        for before, after in zip(check.cases, now[name].cases, strict=True):
            if before.verdict != after.verdict and after.verdict is not Verdict.PENDING:
                yield (
                    f"{student}: {name}, case {visible(before.name)!r}: {before.verdict} is "
                    f"stored, {after.verdict} came now"
                )


def _checks(result: Result) -> dict[str, CheckResult]:
    return {check.name: check for question in result.questions for check in question.checks}
