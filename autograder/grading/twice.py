"""Asked twice: whether the reference gives two answers for one input.

It does where it draws without a seed, or keeps something from call to call. Then its own answer is
not what it is held against, and no check can pass.
"""

import pickle
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from autograder.authoring.arrays import is_array, to_numpy
from autograder.authoring.checks import Case, Check
from autograder.authoring.subject import Helper, RemoteId
from autograder.grading.cases import Draw, ReferenceSession, run_case

if TYPE_CHECKING:  # a student's installation is without what an oracle needs
    from autograder.artefacts.compiled import Oracle

__all__ = ["TWO_ANSWERS", "gives_two_answers"]

TWO_ANSWERS = (
    "the reference gives two answers for one input; it must draw from a generator that it seeds, "
    "and keep nothing from call to call"
)
ROUNDING = 1e4  # units in the last place: what is further apart is another answer

Answers = dict[bytes, list[Any]]  # by what was asked


def gives_two_answers(oracle: "Oracle", check: Check, case: Case, draw: Draw) -> bool:
    """Return whether the reference in the student's place answers otherwise than the reference.

    Args:
        oracle: with the reference.
        check: which asks both.
        case: of the check.
        draw: gives the case's inputs.
    """
    student, reference = (_Noting(oracle.namespace) for _ in range(2))
    run_case(check, case, student, reference, partial(draw, check, case))
    shared = student.answers.keys() & reference.answers.keys()
    return any(not _are_one(student.answers[key], reference.answers[key]) for key in shared)


class _Noting(ReferenceSession):
    """The reference, which notes what it was asked and what it answered."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        super().__init__(namespace)
        self.answers: Answers = {}

    def call(
        self, target: int, args: tuple[Any, ...], kwargs: dict[str, Any], watch: bool
    ) -> tuple[Any, tuple[int | str, ...]]:
        value, changed = super().call(target, args, kwargs, watch)
        self._note((target, args, kwargs), value)
        return value, changed

    def apply(self, helper: Helper, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        value = super().apply(helper, args, kwargs)
        self._note((helper.__name__, args, kwargs), value)
        return value

    def _note(self, asked: Any, value: Any) -> None:
        try:
            key = pickle.dumps(asked)
        except Exception:  # an object of the session is among the arguments
            return
        self.answers.setdefault(key, []).append(value)


def _are_one(ones: Sequence[Any], others: Sequence[Any]) -> bool:
    """Return whether two answers are the same up to rounding, nests item by item."""
    if len(ones) != len(others):
        return True  # one was asked more often: nothing is told by that
    return all(_is_same(one, other) for one, other in zip(ones, others, strict=True))


def _is_same(one: Any, other: Any) -> bool:
    if isinstance(one, RemoteId) or isinstance(other, RemoteId):
        return True  # objects stay in their sessions
    if isinstance(one, (list, tuple)) and type(one) is type(other) and len(one) == len(other):
        return all(_is_same(*pair) for pair in zip(one, other, strict=True))
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return all(_is_same(value, other[key]) for key, value in one.items())
    if all(is_array(value) or isinstance(value, (int, float, complex)) for value in (one, other)):
        return _are_near(*(to_numpy(value) for value in (one, other)))
    return bool(type(one) is type(other) and one == other)


def _are_near(one: Any, other: Any) -> bool:
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    if one.dtype.kind not in "fc":
        return bool(np.array_equal(one, other))
    room = ROUNDING * float(np.finfo(one.dtype).eps)
    with np.errstate(all="ignore"):
        largest = float(np.max(np.abs(one), initial=0.0, where=np.isfinite(one)))
    return bool(np.allclose(one, other, rtol=room, atol=room * largest, equal_nan=True))
