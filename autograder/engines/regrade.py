"""Regrading: who gains and who loses by a changed bundle, before it counts and when it does."""

import random
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from autograder.artefacts.results import Result, Verdict, is_final
from autograder.course import Course
from autograder.engines.comparing import Compared, Mended, Opened, StudentChange, checks_of
from autograder.engines.grades import class_grades, newest_results
from autograder.engines.problems import Problem, told
from autograder.engines.run import Progress, grade_assignment, try_again, try_assignment
from autograder.visible import visible

__all__ = ["Regrade", "Verified", "regrade", "verify"]


@dataclass(frozen=True)
class Regrade:
    """What a changed bundle does to a class.

    ``new`` had no result before, and ``ungraded`` cannot be graded now, at least not all of it:
    that changes nobody's points. ``problems`` say why, and what cannot be read or written.
    ``opened`` are checks that wait for a GPU now: those are lost to nobody either.
    """

    assignment: str
    graded: int
    changes: tuple[StudentChange, ...]
    new: tuple[str, ...]
    problems: tuple[Problem, ...] = ()
    mended: tuple[Mended, ...] = ()
    ungraded: tuple[str, ...] = ()
    opened: tuple[Opened, ...] = ()

    def lines(self) -> list[str]:
        """Return the report for a terminal."""
        gain = sum(change.after > change.before for change in self.changes)
        lose = sum(change.after < change.before for change in self.changes)
        named = {change.student for change in self.changes}
        named.update((one.student for one in self.mended), self.new, self.ungraded)
        named.update(one.student for one in self.opened)
        stay = self.graded - len(named)
        counts = [f"{gain} gain, {lose} lose, {stay} stay as they are"]
        if self.new:
            counts.append(f"{len(self.new)} new")
        if self.mended:
            count = len({one.student for one in self.mended})
            counts.append(f"{count} with what could not be graded before")
        if self.opened:
            count = len({one.student for one in self.opened})
            counts.append(f"{count} with what waits for a GPU now")
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
        for opened in self.opened:
            lines.append(
                f"  {visible(opened.student)}: {opened.check} had {opened.points:.4g} points and "
                "is open now, until a machine with a GPU grades it (--device cuda)"
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
    compared = [Compared(before.get(student), one) for student, one in sorted(after.items())]
    problems += (fault for one in compared for fault in one.faults())
    return Regrade(
        name,
        len(after),
        tuple(change for one in compared if (change := one.change()) is not None),
        tuple(one.after.student for one in compared if one.before is None and not one.is_lost),
        told(course, problems),
        tuple(mended for one in compared for mended in one.mended()),
        tuple(one.after.student for one in compared if one.broken or one.is_lost),
        tuple(opened for one in compared for opened in one.opened()),
    )


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
    now = checks_of(again)
    whole = all(
        name in now and len(now[name].cases) == len(check.cases)
        for name, check in checks_of(stored).items()
    )
    if whole and again.fault is None:
        return None
    why = "; ".join(again.remarks) or "not all of its checks ran"
    student = stored.student
    return Problem(f"{visible(student)} could not be graded again: {why}", student)


def _differences(stored: Result, again: Result) -> Iterator[str]:
    """Yield what is not the same in two results of the same submission by the same checks."""
    student, now = visible(stored.student), checks_of(again)
    lacking = Verdict.PENDING in again.verdicts and Verdict.PENDING not in stored.verdicts
    if stored.earned != again.earned and not lacking:
        yield f"{student}: {stored.earned:.4g} points are stored, {again.earned:.4g} came now"
    for name, check in checks_of(stored).items():
        for before, after in zip(check.cases, now[name].cases, strict=True):
            if before.verdict != after.verdict and after.verdict is not Verdict.PENDING:
                yield (
                    f"{student}: {name}, case {visible(before.name)!r}: {before.verdict} is "
                    f"stored, {after.verdict} came now"
                )
