"""One case of a check: run it in this trusted process and say what came of it."""

import hashlib
import math
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from autograder.artefacts.results import Blank, CaseResult, Verdict
from autograder.authoring.checks import Case, Check, case_rng
from autograder.authoring.devices import CUDA, device_of_this_run, on_behalf_of
from autograder.authoring.layouts import keeping_layouts
from autograder.authoring.standard import (
    Compared,
    Standard,
    holding_to,
    largest_of,
    observing,
)
from autograder.authoring.subject import Session, Subject, is_ellipsis, place_of_ellipsis
from autograder.errors import (
    CheckFailure,
    HarnessError,
    NotImplementedYet,
    NotMeasured,
    StudentError,
    StudentKilled,
    StudentTimeout,
    Unanswered,
    UnsendableArgument,
)
from autograder.grading.watchdog import watchdog
from autograder.sandbox.inside.device import allow_tf32
from autograder.sandbox.protocol.kinds import Message
from autograder.sandbox.protocol.messages import InProcessSession, Reply

if TYPE_CHECKING:  # a student's installation is without what an oracle needs
    from autograder.artefacts.compiled import Oracle

__all__ = ["Draw", "ReferenceSession", "drawn_under", "run_against", "run_case"]

Draw = Callable[[Check, Case], np.random.Generator]  # returns a fresh generator of a case's inputs

MAX_MESSAGE = 2000
NEAR = 1e-4  # of the largest value: more is no rounding, in any precision that counts
STRICT = "; it is near: this question asks for double precision throughout"
DEFAULT = Standard()


class _Evidence(NamedTuple):
    """Why a case did not pass, as its result has it."""

    message: str | None = None
    blank: Blank | None = None
    place: str | None = None


_NOTHING = _Evidence()


class ReferenceSession(InProcessSession):
    """The reference, in this process; what it raises is never the student's error."""

    def _send(self, request: Message, wanted: type[Reply]) -> Reply:
        try:
            return super()._send(request, wanted)
        except StudentError as error:
            raise RuntimeError(f"the reference: {error}") from None


class _Watched:
    """A student's session that knows which of the values that were read are no answers."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._read: dict[str, Any] = {}
        self._last: str | None = None  # what was read, if nothing was asked for since

    def get(self, name: str) -> Any:
        """Return the value of a name."""
        value = self._session.get(name)
        self._last = name
        self._read.pop(name, None)  # to be the last one
        self._read[name] = value
        return value

    def __getattr__(self, name: str) -> Any:
        self._last = None
        return getattr(self._session, name)

    def unanswered(self, error: Exception) -> Unanswered | None:
        """Return the failure that there is no answer, where that is all that is wrong.

        Args:
            error: a mismatch, which is about the value that it names, or if it names none about
                what was read last, before anything else was called; any other exception is about
                the last empty one.
        """
        if isinstance(error, (CheckFailure, AssertionError)):
            about = getattr(error, "what", None) or self._last
            suspects = [about] if about in self._read else []
        else:
            suspects = [*reversed(self._read)]
        for name in suspects:
            if (place := _place_without_answer(self._read[name])) is not None:
                return Unanswered(f"{name}{place}")
        return None


def _place_without_answer(value: Any) -> str | None:
    """Return where in a value there is no answer; nothing for the whole, None where there is one.

    No answer is `...` anywhere, and None or an empty text where there is nothing else.
    """
    return "" if _is_empty(value) else place_of_ellipsis(value)


def _is_empty(value: Any) -> bool:
    """Return whether there is nothing in a value but `...`, None and empty texts."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return len(value) > 0 and all(map(_is_empty, value))
    return value is None or is_ellipsis(value) or (isinstance(value, str) and not value.strip())


def drawn_under(secret: bytes, assignment: str) -> Draw:
    """Return what draws inputs that are nobody's: in a release, without a secret, or in an audit.

    Args:
        secret: stands for the course's.
        assignment: its name.
    """
    return lambda check, case: case_rng(secret, assignment, check.name, case.name)


def run_against(
    oracle: "Oracle",
    check: Check,
    case: Case,
    student: Session,
    draw: Draw,
    *,
    seconds: float | None = None,
    compared: list[Compared] | None = None,
    standard: Standard | None = None,
    reference: ReferenceSession | None = None,
) -> CaseResult:
    """Run a case against the reference that an oracle holds; see `run_case`.

    Numbers are compared as strictly as the oracle has it, where no standard is given. The session
    of the reference is a new one, where none is given.
    """
    return run_case(
        check,
        case,
        student,
        ReferenceSession(oracle.namespace) if reference is None else reference,
        partial(draw, check, case),
        seconds=seconds,
        compared=compared,
        standard=oracle.standard(check) if standard is None else standard,
    )


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
    verdict, evidence = Verdict.PASSED, _NOTHING
    watched = _Watched(student)
    held = holding_to(standard), on_behalf_of(check.device, check.precision)
    with held[0], held[1], observing() as seen:
        try:
            with watchdog(seconds):
                _call(check, case, cast(Session, watched), reference, rng())
        except (CheckFailure, AssertionError) as error:
            verdict, evidence = Verdict.FAILED, _evidence(watched.unanswered(error) or error)
            if check.precision == "strict" and _is_near(seen):
                evidence = evidence._replace(message=f"{evidence.message}{STRICT}")
        except NotMeasured as error:
            verdict, evidence = Verdict.PENDING, _evidence(error)
        except StudentTimeout as error:
            verdict, evidence = Verdict.TIMED_OUT, _evidence(error)
        except StudentKilled as error:
            verdict, evidence = Verdict.KILLED, _evidence(error)
        except StudentError as error:
            verdict, evidence = Verdict.ERRORED, _evidence(error)
        except Exception as error:
            fault = f"{type(error).__name__}: {error}"
            if isinstance(error, HarnessError) and not isinstance(error, UnsendableArgument):
                verdict, evidence = Verdict.BROKEN, _evidence(error)
            elif proven or _is_sound(check, case, reference, rng):
                unusable = CheckFailure(f"the check cannot use what the code returned ({fault})")
                verdict, evidence = Verdict.FAILED, _evidence(watched.unanswered(error) or unusable)
            else:
                broken = HarnessError(f"the check raised {fault}")
                verdict, evidence = Verdict.BROKEN, _evidence(broken)
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
        message=evidence.message,
        blank=evidence.blank,
        place=evidence.place,
    )


def _evidence(error: Exception) -> _Evidence:
    """Return what a result keeps of why a case did not pass."""
    message = str(error)
    if isinstance(error, AssertionError):
        message = message or "the check's assertion does not hold"
    blank = {NotImplementedYet: Blank.STUB, Unanswered: Blank.VALUE}.get(type(error))
    place = error.place if isinstance(error, StudentError) else None
    return _Evidence(message[:MAX_MESSAGE] or None, blank, place)


def _is_near(seen: Sequence[Compared]) -> bool:
    """Return whether a case failed by numbers in double precision that are off by rounding."""
    last = seen[-1] if seen else None
    if last is None or last.margin <= 1.0 or last.want.dtype not in (np.float64, np.complex128):
        return False
    with np.errstate(all="ignore"):
        off = float(np.abs(last.got - last.want).max())
    return off <= NEAR * largest_of(last.want)


def _call(check: Check, case: Case, student: Session, reference: Session, rng: Any) -> None:
    # Tells nothing of the inputs: it is made of public names only.
    seed = int.from_bytes(hashlib.sha256(f"{check.name}/{case.name}".encode()).digest()[:4], "big")
    student.seed(seed)
    reference.seed(seed)
    if device_of_this_run() == CUDA:  # what computes here; a session that is elsewhere was told
        allow_tf32(check.precision == "tf32")
    with keeping_layouts(case.is_drawn):
        arguments = case.arguments(rng)
        check.function(Subject(student, pure=check.pure), Subject(reference), rng, **arguments)


def _is_sound(
    check: Check, case: Case, reference: Session, rng: Callable[[], np.random.Generator]
) -> bool:
    """Return whether the check passes when the reference answers in the student's place."""
    try:
        _call(check, case, reference, reference, rng())
    except Exception:
        return False
    return True
