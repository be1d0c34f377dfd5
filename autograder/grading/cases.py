"""One case of a check: run it in this trusted process and say what came of it."""

import copy
import hashlib
import math
import re
import time
from collections.abc import Callable
from typing import Any, cast

import numpy as np

from autograder.authoring.checks import Case, Check
from autograder.authoring.standard import Compared, Standard, holding_to, observing
from autograder.authoring.subject import Handle, Session, Subject
from autograder.errors import (
    CheckFailure,
    HarnessError,
    StudentError,
    StudentKilled,
    StudentTimeout,
    UnsendableArgument,
)
from autograder.grading.results import CaseResult, Verdict
from autograder.grading.watchdog import watchdog
from autograder.sandbox.messages import InProcessSession
from autograder.sandbox.wire import Message

__all__ = ["NOT_ANSWERED", "ReferenceSession", "run_case"]

MAX_MESSAGE = 2000
DEFAULT = Standard()
NOT_ANSWERED = "not answered yet"  # as assertions say it of a value
_NAME = re.compile(r"[^\W\d]\w*")


class ReferenceSession(InProcessSession):
    """The reference, in this process; what it raises is never the student's error."""

    def _send(self, request: Message) -> Message:
        try:
            return super()._send(request)
        except StudentError as error:
            raise RuntimeError(f"the reference: {error}") from None


class _Watched:
    """A student's session that knows which of the values that were read are no answers."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.empty: list[str] = []

    def get(self, name: str) -> Any:
        """Return the value of a name; one that is `...`, None or an empty text is no answer."""
        value = self._session.get(name)
        dots = isinstance(value, Handle) and value.type_name == "ellipsis"
        if dots or value is None or (isinstance(value, str) and not value.strip()):
            self.empty.append(name)
        return value

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def says(self, message: str, unusable: bool) -> str:
        """Return what to say of a failure: that there is no answer, where that is all."""
        found = _NAME.match(message)
        names = self.empty[-1:] if unusable else [n for n in self.empty if found and n == found[0]]
        return f"{names[0]}: {NOT_ANSWERED}" if names else message


def run_case(
    check: Check,
    case: Case,
    student: Session,
    reference: Session,
    rng: Callable[[], np.random.Generator],
    proven: bool = False,
    seconds: float | None = None,
    compared: list[Compared] | None = None,
    standard: Standard = DEFAULT,
) -> CaseResult:
    """Run a case and return its result.

    An exception that is no mismatch and none of the student's own is put to the test: if the
    check passes with the reference in the student's place, it was the student's value that the
    check could not use; otherwise the check itself is broken.

    Args:
        check: whose function is called.
        case: whose parameters it gets.
        student: the session of the student's code.
        reference: the session of the reference, or its recording.
        rng: returns a fresh generator of the case's inputs.
        proven: whether the check is known to pass with the reference in the student's place, as
            it is where the replies are recorded ones.
        seconds: after which the check itself is stopped: a loop over a number that the student's
            code returned may be an endless one.
        compared: takes every comparison of numbers that the check made.
        standard: how strictly numbers are compared where the check says nothing itself.
    """
    began = time.perf_counter()
    verdict, message = Verdict.PASSED, None
    watched = _Watched(student)
    with holding_to(standard), observing() as seen:
        try:
            with watchdog(seconds):
                _call(check, case, cast(Session, watched), reference, rng())
        except (CheckFailure, AssertionError) as error:
            said = str(error) or "the check's assertion does not hold"
            verdict, message = Verdict.FAILED, watched.says(said, unusable=False)
        except StudentTimeout as error:
            verdict, message = Verdict.TIMED_OUT, str(error)
        except StudentKilled as error:
            verdict, message = Verdict.KILLED, str(error)
        except StudentError as error:
            verdict, message = Verdict.ERRORED, str(error)
        except Exception as error:
            fault = f"{type(error).__name__}: {error}"
            if isinstance(error, HarnessError) and not isinstance(error, UnsendableArgument):
                verdict, message = Verdict.BROKEN, str(error)
            elif proven or _is_sound(check, case, reference, rng):
                verdict = Verdict.FAILED
                said = f"the check cannot use what the code returned ({fault})"
                message = watched.says(said, unusable=True)
            else:
                verdict, message = Verdict.BROKEN, f"the check raised {fault}"
    if compared is not None:
        compared += seen
    margins = [one.margin for one in seen]
    finite = [margin for margin in margins if math.isfinite(margin)]
    return CaseResult(
        name=case.name,
        hidden=case.hidden,
        verdict=verdict,
        seconds=round(time.perf_counter() - began, 6),
        margin=max(margins) if margins and len(finite) == len(margins) else None,
        message=message[:MAX_MESSAGE] if message else None,
    )


def _call(check: Check, case: Case, student: Session, reference: Session, rng: Any) -> None:
    # Tells nothing of the inputs: it is made of public names only.
    seed = int.from_bytes(hashlib.sha256(f"{check.name}/{case.name}".encode()).digest()[:4], "big")
    student.seed(seed)
    reference.seed(seed)
    # Copied, as a check may change what it gets, and the next student gets the same.
    parameters = copy.deepcopy(case.parameters)
    check.function(Subject(student, pure=check.pure), Subject(reference), rng, **parameters)


def _is_sound(
    check: Check, case: Case, reference: Session, rng: Callable[[], np.random.Generator]
) -> bool:
    """Return whether the check passes when the reference answers in the student's place."""
    try:
        _call(check, case, reference, reference, rng())
    except Exception:
        return False
    return True
