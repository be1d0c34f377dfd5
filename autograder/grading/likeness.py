"""Likeness: whether a known mistake comes to the same as a student's code, and what that tells."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograder.artefacts.results import CaseResult, Verdict
from autograder.authoring.standard import Compared
from autograder.authoring.tolerance import compare

__all__ = [
    "CaseOutcome",
    "CaseOutcomes",
    "Fit",
    "fit_of",
    "something_is_right",
    "tells",
    "wrong_of",
]

LARGEST = 1 << 20  # numbers of an array that are looked at
FEW_DIGITS = 3  # a number of so many digits may be anybody's


@dataclass(frozen=True)
class CaseOutcome:
    """What came of a case: the result, and the numbers that were compared in it."""

    result: CaseResult
    compared: Sequence[Compared]

    @property
    def wrong(self) -> Compared | None:
        """The comparison that failed; None where something else did."""
        last = self.compared[-1] if self.compared else None
        return last if last is not None and last.margin > 1.0 else None


CaseOutcomes = Mapping[str, CaseOutcome]  # of a check's cases, by name


def wrong_of(outcomes: CaseOutcomes) -> dict[str, CaseOutcome]:
    """Return those of a check's cases that did not pass."""
    return {n: o for n, o in outcomes.items() if o.result.verdict is not Verdict.PASSED}


class Fit(IntEnum):
    """How far a mistake comes to the same as a student's code, the least first."""

    NONE = 0
    ALIKE = 1  # NaN on one side where an infinity is on the other
    SAME = 2


def fit_of(student: CaseOutcome, mistake: CaseOutcome) -> Fit:
    """Return whether a mistake comes to the same in a case: verdict, place and values."""
    if student.result.verdict is not mistake.result.verdict:
        return Fit.NONE
    if student.result.verdict is Verdict.PASSED:
        return Fit.SAME
    if len(student.compared) != len(mistake.compared):
        return Fit.NONE
    mine, theirs = student.wrong, mistake.wrong
    if mine is None or theirs is None:
        # It failed on something else than numbers, and what was said names it: an argument changed.
        said = mine is theirs and student.result.said == mistake.result.said
        return Fit.SAME if said else Fit.NONE
    if mine.what != theirs.what or mine.got.shape != theirs.got.shape:
        return Fit.NONE
    if compare(mine.got, theirs.got, mine.tolerance).wrong == 0:
        return Fit.SAME
    finite = np.isfinite(mine.got)
    alike = not finite.all() and np.array_equal(finite, np.isfinite(theirs.got))
    if alike and compare(mine.got[finite], theirs.got[finite], mine.tolerance).wrong == 0:
        return Fit.ALIKE
    return Fit.NONE


def something_is_right(outcomes: CaseOutcomes) -> bool:
    """Return whether a case passed, or a wrong value has numbers beside what is none."""
    return any(
        one.wrong is None or bool(np.isfinite(one.wrong.got).any()) for one in outcomes.values()
    )


def tells(outcome: CaseOutcome) -> bool:
    """Return whether what is wrong in a case tells enough to be no coincidence.

    Two different numbers do, and one with some digits; a single 0.5 may be anybody's. So do a
    message, anything behind numbers that were right, and what is no number where one is wanted.
    """
    one = outcome.wrong
    if one is None or sum(before.got.size for before in outcome.compared[:-1]) > 1:
        return True
    numbers = Counter(_wrong_numbers(one))
    if np.isfinite(one.want).all() and not all(map(np.isfinite, numbers)):
        return True
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
