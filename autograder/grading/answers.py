"""Answers: all that a check sees of some code in one case, to its end.

A verdict says that numbers are wrong, and ends the case there. To tell whether two programs answer
alike, what comes behind the first wrong number is looked at too, and so is what passes.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograder.artefacts.compiled import Oracle
from autograder.artefacts.results import CaseResult, Verdict
from autograder.authoring.assertions import assert_close
from autograder.authoring.checks import Case, Check
from autograder.authoring.standard import Compared, Standard, going_on, holding_to
from autograder.authoring.subject import Helper, RemoteId, Session
from autograder.authoring.tolerance import compare
from autograder.errors import CheckFailure
from autograder.grading.cases import Draw, run_against

__all__ = ["Answers", "answers_in", "are_equal", "begins_alike"]

_COMPLETE = (Verdict.PASSED, Verdict.FAILED, Verdict.ERRORED)  # what is broken or ended is unknown


@dataclass(frozen=True)
class Answers:
    """What a check saw in one case.

    Attributes:
        result: where it ended, as numbers that differ do not end it.
        compared: the numbers that it compared, in their order.
        replies: what it was answered, where it compared no numbers; an object that stays in its
            session by the name of its type.
    """

    result: CaseResult
    compared: Sequence[Compared]
    replies: Sequence[Any] = ()


def answers_in(
    oracle: Oracle, check: Check, case: Case, session: Session, draw: Draw, seconds: float
) -> Answers:
    """Run a case to its end; return what its check saw.

    Args:
        oracle: the reference.
        check: whose case it is.
        case: which.
        session: that answers.
        draw: gives the case's inputs.
        seconds: that it may take.
    """
    compared: list[Compared] = []
    heard = _Heard(session)
    with going_on(), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # a mistake may divide by zero
        result = run_against(oracle, check, case, heard, draw, seconds=seconds, compared=compared)
    return Answers(result, compared, () if compared else heard.replies)


def are_equal(mine: Answers, theirs: Answers, standard: Standard) -> bool:
    """Return whether two programs answer alike in a case, by the tolerances of its check.

    Where numbers are compared, these are looked at, and nothing that a check asks for on its way to
    them: what somebody keeps between two calls is their own affair. Where none are, all that was
    answered is. What fails by something else than numbers fails with the same words.

    Args:
        mine: of a student.
        theirs: of a mistake.
        standard: how strictly the check compares.
    """
    first, second = mine.result, theirs.result
    if first.verdict not in _COMPLETE or first.blank is not None:
        return False
    if (first.verdict, first.said) != (second.verdict, second.said):
        return False
    if len(mine.compared) != len(theirs.compared):
        return False
    if not all(map(_is_alike, mine.compared, theirs.compared)):
        return False
    with holding_to(standard):
        try:
            assert_close(list(mine.replies), list(theirs.replies))
        except CheckFailure:
            return False
    return True


def begins_alike(compared: Sequence[Compared], whole: Answers) -> bool:
    """Return whether a mistake's numbers begin with those that were compared of a student."""
    known = whole.compared[: len(compared)]
    return len(known) == len(compared) and all(map(_is_alike, compared, known))


def _is_alike(mine: Compared, theirs: Compared) -> bool:
    same = mine.what == theirs.what and mine.got.shape == theirs.got.shape
    return same and compare(mine.got, theirs.got, mine.tolerance).wrong == 0


@dataclass
class _Heard:
    """A session that remembers what it answered."""

    _session: Session
    replies: list[Any] = field(default_factory=list)

    def get(self, name: str) -> Any:
        """Return the value of a name."""
        return self._noted(self._session.get(name))

    def attribute(self, target: int, name: str) -> Any:
        """Return an attribute of an object."""
        return self._noted(self._session.attribute(target, name))

    def call(
        self, target: int, args: tuple[Any, ...], kwargs: dict[str, Any], watch: bool
    ) -> tuple[Any, tuple[int | str, ...]]:
        """Call an object."""
        value, changed = self._session.call(target, args, kwargs, watch)
        return self._noted(value), changed

    def apply(self, helper: Helper, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a helper of the check."""
        return self._noted(self._session.apply(helper, args, kwargs))

    def seed(self, number: int) -> None:
        """Seed the session's own generators of random numbers."""
        self._session.seed(number)

    def processes(self) -> tuple[int, ...] | None:
        """Return the processes behind it."""
        return self._session.processes()

    def _noted(self, value: Any) -> Any:
        self.replies.append(_plain(value))
        return value


def _plain(value: Any) -> Any:
    """Return a value with the name of its type in place of each object that stays in a session."""
    if isinstance(value, RemoteId):
        return value.type_name
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value
