"""Recordings: the reference's replies to the visible cases, so that a release checks itself."""

import math
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from autograder.authoring.checks import Case, Check, case_rng
from autograder.authoring.subject import Handle, Helper, Session
from autograder.errors import HarnessError, SourceError, StudentError
from autograder.grading.cases import ReferenceSession, run_case
from autograder.grading.results import Verdict
from autograder.sandbox.wire import Packed, Packer, unpack

if TYPE_CHECKING:  # a student's installation is without what an oracle needs
    from autograder.grading.oracle import Oracle

__all__ = ["FILE", "Recording", "ReplaySession", "load_recording", "record", "replies_to"]

FILE = "recording.json"


class Reply(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One reply of the reference: what was asked, roughly with what, and the value."""

    asked: str
    sketch: tuple[float, ...]
    value: Packed
    bodies: tuple[bytes, ...] = ()


class Recording(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The replies to each visible case, by check and case, in the order in which they are asked."""

    assignment: str
    replies: dict[str, dict[str, tuple[Reply, ...]]]
    schema: int = 1


def record(oracle: "Oracle", assignment: str) -> bytes:
    """Return the recording of an assignment's visible cases, as JSON.

    Raises:
        SourceError: a check does not pass with the reference in the student's place.
    """
    replies = {}
    for check in oracle.checks.values():
        visible = [c for c in check.cases if not c.hidden]
        if visible and check.device != "cuda":
            replies[check.name] = {c.name: replies_to(oracle, check, c) for c in visible}
    recording = Recording(assignment, replies)
    return msgspec.json.format(msgspec.json.encode(recording, order="sorted"), indent=0) + b"\n"


def replies_to(oracle: "Oracle", check: Check, case: Case) -> tuple[Reply, ...]:
    """Return what the reference replies to a case with a release's inputs.

    Raises:
        SourceError: the check does not pass with the reference in the student's place.
    """
    reference = _RecordingSession(ReferenceSession(oracle.namespace))
    result = run_case(
        check,
        case,
        ReferenceSession(oracle.namespace),
        reference,
        lambda: case_rng(b"", oracle.assignment, check.name, case.name),
    )
    if result.verdict is not Verdict.PASSED:
        raise SourceError(
            f"check {check.name}, case {case.name!r}: the reference does not pass: {result.message}"
        )
    return tuple(reference.replies)


def load_recording(data: bytes) -> Recording:
    """Read a recording.

    Raises:
        HarnessError: the bytes are no recording.
    """
    try:
        return msgspec.json.decode(data, type=Recording)
    except msgspec.MsgspecError as error:
        raise HarnessError(f"{FILE} is damaged ({error}); download the release again") from None


class _RecordingSession:
    """A session that passes everything on and keeps the replies."""

    def __init__(self, inner: Session) -> None:
        self._inner = inner
        self.replies: list[Reply] = []

    def get(self, name: str) -> Any:
        return self._keep(f"get {name}", (), self._inner.get(name))

    def attribute(self, target: int, name: str) -> Any:
        return self._keep(f"attribute {name}", (), self._inner.attribute(target, name))

    def call(
        self, target: int, args: tuple[Any, ...], kwargs: dict[str, Any], watch: bool
    ) -> tuple[Any, tuple[int | str, ...]]:
        value, changed = self._inner.call(target, args, kwargs, watch)
        return self._keep("call", _sketch(args, kwargs), value), changed

    def apply(self, helper: Helper, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        value = self._inner.apply(helper, args, kwargs)
        return self._keep(f"apply {helper.__name__}", _sketch(args, kwargs), value)

    def seed(self, number: int) -> None:
        self._inner.seed(number)

    def _keep(self, asked: str, sketch: tuple[float, ...], value: Any) -> Any:
        packer = Packer(_keep_handle)
        packed = packer.pack(value)
        self.replies.append(Reply(asked, sketch, packed, tuple(bytes(b) for b in packer.bodies)))
        return value


class ReplaySession:
    """A session that gives recorded replies in their order, each to the call it was made for."""

    def __init__(self, replies: tuple[Reply, ...]) -> None:
        self._replies = list(replies)

    def get(self, name: str) -> Any:
        """Return the recorded value of a name."""
        return self._next(f"get {name}", ())

    def attribute(self, target: int, name: str) -> Any:
        """Return the recorded attribute of an object."""
        return self._next(f"attribute {name}", ())

    def call(
        self, target: int, args: tuple[Any, ...], kwargs: dict[str, Any], watch: bool
    ) -> tuple[Any, tuple[int | str, ...]]:
        """Return the recorded value of a call."""
        return self._next("call", _sketch(args, kwargs)), ()

    def apply(self, helper: Helper, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return the recorded value of a helper."""
        return self._next(f"apply {helper.__name__}", _sketch(args, kwargs))

    def seed(self, number: int) -> None:
        """Do nothing: a recording draws no numbers."""

    def _next(self, asked: str, sketch: tuple[float, ...]) -> Any:
        reply = self._replies.pop(0) if self._replies else None
        if reply is None or reply.asked != asked or not _alike(reply.sketch, sketch):
            raise HarnessError(
                "the recording has no reply to what this case asks; it can only be graded"
            )
        bodies = [bytearray(body) for body in reply.bodies]
        return unpack(reply.value, bodies, lambda r: Handle(r.number, r.type_name))


def _keep_handle(value: object) -> Handle:
    if isinstance(value, Handle):
        return value
    raise StudentError(f"an object of type {type(value).__name__} cannot be recorded")


def _sketch(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[float, ...]:
    """Return one number for each argument, which tells different inputs apart.

    Not a hash: two platforms may draw numbers that differ in the last place.
    """
    return tuple(_size(v) for v in (*args, *(kwargs[k] for k in sorted(kwargs))))


def _size(value: Any) -> float:
    if isinstance(value, (list, tuple)):
        return float(sum(_size(v) * (i + 1) for i, v in enumerate(value)))
    try:
        array = np.abs(np.asarray(value, dtype=np.complex128)).reshape(-1)
    except (TypeError, ValueError):
        return float(len(str(value)))
    size = float((array * (1 + np.arange(array.size) % 7)).sum())
    return size if math.isfinite(size) else -1.0


def _alike(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return len(a) == len(b) and bool(np.allclose(a, b, rtol=1e-6, atol=1e-9))
