"""Comparing two results of a submission: what a changed bundle does to its points."""

from collections.abc import Iterator
from dataclasses import dataclass

from autograder.artefacts.results import CheckResult, Priced, Result, Status, Verdict
from autograder.engines.problems import Problem
from autograder.records.words import price_words
from autograder.visible import visible

__all__ = ["CheckChange", "Compared", "Mended", "Opened", "StudentChange", "checks_of"]


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
class Opened:
    """A check that was decided and waits for a GPU now; ``points`` are those it had earned."""

    student: str
    check: str
    points: float


class Compared:
    """A student's former result beside the one of now.

    What could not be graded, or waits for a GPU, is compared with nothing: it is open, and no
    points are lost by it.
    """

    def __init__(self, before: Result | None, after: Result) -> None:
        self.before, self.after = before, after
        self.is_lost = _is_lost(after)
        self._former = checks_of(before) if before is not None else {}
        self._now = checks_of(after)
        self.broken = [name for name, check in self._now.items() if _has(check, Verdict.BROKEN)]
        self.pending = [name for name, check in self._now.items() if _has(check, Verdict.PENDING)]

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
            was_broken = name in self._former and _has(self._former[name], Verdict.BROKEN)
            if was_broken and name not in (*self.broken, *self.pending):
                yield Mended(self.after.student, name, check.earned)

    def opened(self) -> Iterator[Opened]:
        """Yield what was decided before and waits for a GPU now."""
        if self.before is None or _is_lost(self.before):
            return
        for name in self.pending:
            former = self._former.get(name)
            if (
                former is not None
                and name not in self.broken
                and not _has(former, Verdict.PENDING, Verdict.BROKEN)
            ):
                yield Opened(self.after.student, name, former.earned)

    def change(self) -> StudentChange | None:
        """Return how the points change by what could be graded both times."""
        before, after, checks = self.before, self.after, list[CheckChange]()
        if before is None or self.is_lost or _is_lost(before):
            return None
        broke = (name for name, check in self._former.items() if _has(check, Verdict.BROKEN))
        open_ones = {*self.broken, *self.pending, *self._unpriced(before), *broke}
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

    def _unpriced(self, before: Result) -> Iterator[str]:
        """Yield the checks of questions that had a price, which what is pending may bring back."""
        priced = {one.id for one in before.questions if isinstance(one.priced, Priced)}
        for question in self.after.questions:
            names = [check.name for check in question.checks]
            if question.id in priced and not set(self.pending).isdisjoint(names):
                yield from names

    def _prices(self, before: Result) -> Iterator[str]:
        """Yield the questions of which a mistake has another price, or has one now or no more."""
        former = {question.id: price_words(question) for question in before.questions}
        for question in self.after.questions:
            if any(check.name in self.pending for check in question.checks):
                continue
            now, then = price_words(question), former.get(question.id)
            if now != then:
                yield f"{question.id}: {now or 'by its checks'}; before, {then or 'by its checks'}"


def _is_lost(result: Result) -> bool:
    """Return whether nothing of a submission could be graded."""
    no_check_ran = not any(question.checks for question in result.questions)
    return result.fault is not None or (result.status is Status.NEEDS_ATTENTION and no_check_ran)


def _has(check: CheckResult, *verdicts: Verdict) -> bool:
    return any(case.verdict in verdicts for case in check.cases)


def checks_of(result: Result) -> dict[str, CheckResult]:
    """Return the checks of a result by name."""
    return {check.name: check for question in result.questions for check in question.checks}
