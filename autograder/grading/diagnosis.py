"""Diagnosis: which known slip gives the values that a student's code gave.

All students get the same inputs, so what a known slip returns for them is computed once and then
held against each student's wrong values. A diagnosis says what the author wrote of the slip, and
nothing of the inputs.
"""

import operator
import re
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograder.authoring.checks import Case, Check, case_rng
from autograder.authoring.standard import Compared
from autograder.authoring.tolerance import compare
from autograder.grading.bundle import Slip
from autograder.grading.cases import ReferenceSession, run_case
from autograder.grading.hints import hint
from autograder.grading.oracle import Oracle
from autograder.grading.results import CaseResult, Verdict
from autograder.sandbox.messages import NOT_YET, InProcessSession

__all__ = ["Diagnoses", "Outcome"]

SECONDS = 2.0  # that a known slip may take for one case
LARGEST = 1 << 20  # numbers in an array that is kept
FEW_DIGITS = 3  # a number of so many digits may be anybody's
MOST = 3  # slips that are named where several give the same
_OR = "; or: "
_MISSED = (Verdict.FAILED, Verdict.ERRORED)
_PLACE = re.compile(r" \(cell [^()]*\)$")


@dataclass(frozen=True)
class Outcome:
    """What came of a case: the result, and the numbers that were compared in it."""

    result: CaseResult
    compared: Sequence[Compared]

    @property
    def wrong(self) -> Compared | None:
        """The comparison that failed; None where something else did."""
        last = self.compared[-1] if self.compared else None
        return last if last is not None and last.margin > 1.0 else None


class Diagnoses:
    """The known slips of an assignment's checks, and what they return under a course's secret.

    Args:
        oracle: the checks with their mistakes, and the reference.
        secret: the course's.
        slips: further ones, that the audit found.
    """

    def __init__(self, oracle: Oracle, secret: bytes, slips: Sequence[Slip] = ()) -> None:
        self._oracle, self._secret, self._slips = oracle, secret, slips
        self._known: dict[tuple[str, str, int], Outcome] = {}

    def of(self, check: Check, outcomes: Mapping[str, Outcome]) -> str | None:
        """Return what a student's wrong values look like, if all of them look like one thing.

        Args:
            check: which was run.
            outcomes: of its cases, by name.
        """
        wrong = {n: o for n, o in outcomes.items() if o.result.verdict is not Verdict.PASSED}
        if not wrong or any(not _can_be_named(o.result) for o in wrong.values()):
            return None
        if any(map(_tells, wrong.values())):
            # Cases that went wrong first: they tell most slips apart.
            cases = sorted(
                (case for case in check.cases if case.name in outcomes),
                key=lambda case: case.name not in wrong,
            )
            mistakes = range(len(check.mistakes))
            titles = [
                check.mistakes[i].title for i in mistakes if self._fits(check, cases, outcomes, i)
            ]
            if titles:
                return _OR.join(dict.fromkeys(titles[:MOST]))
        said = hint([o.wrong for o in wrong.values() if o.wrong is not None], len(wrong))
        if said is not None or not any(map(_tells, wrong.values())):
            return said
        slips = [slip for slip in self._slips if check.name in slip.checks]
        for number, slip in enumerate(slips, len(check.mistakes)):
            if self._fits(check, cases, outcomes, number):
                return slip.title
        return None

    def _fits(
        self, check: Check, cases: Sequence[Case], outcomes: Mapping[str, Outcome], number: int
    ) -> bool:
        """Return whether a known slip comes to the same in every case."""
        return all(
            _same(outcomes[case.name], self._known_of(check, case, number)) for case in cases
        )

    def _known_of(self, check: Check, case: Case, number: int) -> Outcome:
        """Return what a known slip gives in a case."""
        key = check.name, case.name, number
        if key not in self._known:
            self._known[key] = self._run(check, case, number)
        return self._known[key]

    def _namespace(self, check: Check, number: int) -> dict[str, Any]:
        """Return the namespace of a student who made a slip: a mistake, or a later one."""
        if number < len(check.mistakes):
            return {**self._oracle.namespace, **check.mistakes[number].values}
        slips = [slip for slip in self._slips if check.name in slip.checks]
        slip = slips[number - len(check.mistakes)]
        brought = {name: self._oracle.modules[m][name] for name, m in slip.origins.items()}
        names = {"operator": operator, **self._oracle.namespace, **brought}
        for text in slip.texts:
            exec(compile(text, "<slip>", "exec", dont_inherit=True), names)
        return names

    def _run(self, check: Check, case: Case, number: int) -> Outcome:
        def rng() -> np.random.Generator:
            return case_rng(self._secret, self._oracle.assignment, check.name, case.name)

        seen: list[Compared] = []
        reference = ReferenceSession(self._oracle.namespace)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # a slip may divide by zero
            try:
                student = InProcessSession(self._namespace(check, number))
            except Exception:  # a definition that its slip keeps from being run
                return Outcome(_UNKNOWN, [])
            result = run_case(check, case, student, reference, rng, seconds=SECONDS, compared=seen)
        if sum(one.got.size for one in seen) > LARGEST:
            return Outcome(_UNKNOWN, [])
        return Outcome(result, seen)


_UNKNOWN = CaseResult("", False, Verdict.BROKEN, 0.0)


def _can_be_named(result: CaseResult) -> bool:
    """Return whether a case went wrong in a way that a slip may; a stub is none."""
    return result.verdict in _MISSED and not (result.message or "").startswith(NOT_YET)


def _same(student: Outcome, slip: Outcome) -> bool:
    """Return whether a slip comes to the same as a student's code: verdict, place and values."""
    if student.result.verdict is not slip.result.verdict:
        return False
    if student.result.verdict is Verdict.PASSED:
        return True
    if len(student.compared) != len(slip.compared):
        return False
    mine, theirs = student.wrong, slip.wrong
    if mine is None or theirs is None:
        # It failed on something else than numbers, and what was said names it: an argument changed.
        return mine is theirs and _said(student) == _said(slip)
    return (
        mine.what == theirs.what
        and mine.got.shape == theirs.got.shape
        and compare(mine.got, theirs.got, mine.tolerance).wrong == 0
    )


def _said(outcome: Outcome) -> str:
    """Return a message without the place in the notebook."""
    return _PLACE.sub("", outcome.result.message or "")


def _tells(outcome: Outcome) -> bool:
    """Return whether what is wrong in a case tells enough to be no coincidence.

    Two different numbers do, and one with some digits; a single 0.5 may be anybody's. So do a
    message, and anything behind numbers that were right.
    """
    one = outcome.wrong
    if one is None or sum(before.got.size for before in outcome.compared[:-1]) > 1:
        return True
    numbers = Counter(_wrong_numbers(one))
    return len(numbers) > 1 or any(
        min(times, 2) * _digits(number) > FEW_DIGITS for number, times in numbers.items()
    )


def _wrong_numbers(one: Compared) -> list[complex]:
    got: NDArray[Any] = np.atleast_1d(one.got).ravel()[:LARGEST]
    want = np.atleast_1d(one.want).ravel()[:LARGEST]
    with np.errstate(all="ignore"):
        far = ~(np.abs(got - want) <= one.tolerance.atol + one.tolerance.rtol * np.abs(want))
    return [complex(number) for number in got[far][:16]]


def _digits(number: complex) -> int:
    if not np.isfinite(number):
        return 0
    text = f"{abs(number):.12e}".partition("e")[0].replace(".", "").rstrip("0")
    return len(text)
