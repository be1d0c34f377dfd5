"""Recordings: the reference's replies to the visible cases, so that a release checks itself."""

import hashlib
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from autograder.artefacts.recording import Recording, Reply, Sketch
from autograder.artefacts.results import Verdict
from autograder.authoring.arrays import NUMERIC, is_array, to_numpy
from autograder.authoring.checks import Case, Check
from autograder.authoring.subject import Helper, Proxy, RemoteId, Session
from autograder.errors import HarnessError, SourceError
from autograder.grading.cases import ReferenceSession, drawn_under, run_case
from autograder.grading.twice import TWO_ANSWERS, gives_two_answers
from autograder.sandbox.limits import Limits
from autograder.sandbox.protocol.wire import Packer, unpack

if TYPE_CHECKING:  # a student's installation is without what an oracle needs
    from autograder.artefacts.compiled import Oracle

__all__ = [
    "ReplaySession",
    "record",
    "replies_to",
]

GOLDEN = 0.6180339887498949  # its multiples, modulo 1, do not repeat


def record(
    oracle: "Oracle", assignment: str, call_seconds: float = Limits.call_seconds
) -> Recording:
    """Return the recording of an assignment's visible cases, each check with the default standard.

    Raises:
        SourceError: a check does not pass with the reference in the student's place.
    """
    replies = {}
    for check in oracle.checks.values():
        visible = [c for c in check.cases if not c.hidden]
        if visible and check.device != "cuda":
            replies[check.name] = {c.name: replies_to(oracle, check, c) for c in visible}
    return Recording(assignment, replies, call_seconds=call_seconds)


def replies_to(oracle: "Oracle", check: Check, case: Case) -> tuple[Reply, ...]:
    """Return what the reference replies to a case with a release's inputs.

    Raises:
        SourceError: the check does not pass with the reference in the student's place.
    """
    reference = _RecordingSession(ReferenceSession(oracle.namespace))
    draw = drawn_under(b"", oracle.assignment)
    student = ReferenceSession(oracle.namespace)
    result = run_case(check, case, student, reference, partial(draw, check, case))
    if result.verdict not in (Verdict.PASSED, Verdict.PENDING):
        why = f"the reference does not pass: {result.message}"
        if gives_two_answers(oracle, check, case, draw):
            why = TWO_ANSWERS
        where = f"check {check.name}, case {case.name!r}"
        raise SourceError(f"{where}: {why}", check=check.name)
    return tuple(reference.replies)


class _RecordingSession:
    """A session that passes everything on and keeps the replies."""

    def __init__(self, inner: Session) -> None:
        self._inner = inner
        self.replies: list[Reply] = []

    def get(self, name: str) -> Any:
        return self._keep(f"get {name}", _sketch(), self._inner.get(name))

    def attribute(self, target: int, name: str) -> Any:
        return self._keep(f"attribute {name}", _sketch(target), self._inner.attribute(target, name))

    def call(
        self, target: int, args: tuple[Any, ...], kwargs: dict[str, Any], watch: bool
    ) -> tuple[Any, tuple[int | str, ...]]:
        value, changed = self._inner.call(target, args, kwargs, watch)
        return self._keep("call", _sketch(target, *args, kwargs), value), changed

    def apply(self, helper: Helper, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        value = self._inner.apply(helper, args, kwargs)
        return self._keep(f"apply {helper.__name__}", _sketch(*args, kwargs), value)

    def seed(self, number: int) -> None:
        self._inner.seed(number)

    def processes(self) -> None:
        """Say that nothing is measured: at home a recording answers, as quick as it is."""

    def _keep(self, asked: str, sketch: Sketch, value: Any) -> Any:
        packer = Packer(_keep_remote)
        packed = packer.pack(value)
        self.replies.append(Reply(asked, sketch, packed, tuple(bytes(b) for b in packer.bodies)))
        return value


class ReplaySession:
    """A session that gives recorded replies in their order, each to the call it was made for."""

    def __init__(self, replies: tuple[Reply, ...]) -> None:
        self._replies = list(replies)

    def get(self, name: str) -> Any:
        """Return the recorded value of a name."""
        return self._next(f"get {name}", _sketch())

    def attribute(self, target: int, name: str) -> Any:
        """Return the recorded attribute of an object."""
        return self._next(f"attribute {name}", _sketch(target))

    def call(
        self, target: int, args: tuple[Any, ...], kwargs: dict[str, Any], watch: bool
    ) -> tuple[Any, tuple[int | str, ...]]:
        """Return the recorded value of a call."""
        return self._next("call", _sketch(target, *args, kwargs)), ()

    def apply(self, helper: Helper, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return the recorded value of a helper."""
        return self._next(f"apply {helper.__name__}", _sketch(*args, kwargs))

    def seed(self, number: int) -> None:
        """Do nothing: a recording draws no numbers."""

    def processes(self) -> None:
        """Say that nothing can be measured: the reference is not here."""

    def _next(self, asked: str, sketch: Sketch) -> Any:
        reply = self._replies.pop(0) if self._replies else None
        if reply is None or reply.asked != asked or not _alike(reply.sketch, sketch):
            raise HarnessError(
                "the recording has no reply to what this case asks; it can only be graded"
            )
        bodies = [bytearray(body) for body in reply.bodies]
        return unpack(reply.value, bodies, lambda r: RemoteId(r.number, r.type_name))


def _keep_remote(value: object) -> RemoteId:
    if isinstance(value, RemoteId):
        return value
    raise HarnessError(f"an object of type {type(value).__name__} cannot be recorded")


def _sketch(*arguments: Any) -> Sketch:
    """Return the sketch of what was asked: the object's number, its arguments."""
    texts = [f"{len(arguments)} arguments"]
    rough: list[tuple[float, float]] = []
    for part in (part for argument in arguments for part in _parts(argument)):
        if isinstance(part, str):
            texts.append(part)
        else:
            rough.append(_means(part))
    return Sketch(hashlib.sha256(repr(texts).encode()).hexdigest(), tuple(rough))


def _parts(value: Any) -> Iterator[str | NDArray[np.float64]]:
    """Give what a value consists of: texts, for all that is exact, and flat arrays of floats."""
    numbers = _numbers(value)
    if numbers is not None:
        yield from _parts_of_numbers(numbers)
    elif isinstance(value, (list, tuple)):
        yield f"items {len(value)}"
        for item in value:
            yield from _parts(item)
    elif isinstance(value, dict):
        yield f"keys {sorted(value, key=repr)}"
        for key in sorted(value, key=repr):
            yield from _parts(value[key])
    elif isinstance(value, Proxy):
        yield str(value.remote)
    else:
        # repr() refuses an integer of more than 4300 digits.
        yield hex(value) if isinstance(value, int) else repr(value)


def _numbers(value: Any) -> NDArray[Any] | None:
    """Return an array, a number or a list of one type of numbers as an array; else None."""
    types = {type(item) for item in value} if isinstance(value, (list, tuple)) else {type(value)}
    if is_array(value):
        array = to_numpy(value)
    elif len(types) <= 1 and types <= {bool, int, float, complex, np.float64, np.float32}:
        array = np.asarray(value)
    else:
        return None
    return array if array.dtype.kind in NUMERIC else None


def _parts_of_numbers(array: NDArray[Any]) -> Iterator[str | NDArray[np.float64]]:
    kind = array.dtype.kind.replace("u", "i")  # the same integers, whatever their width
    yield f"{kind}{array.shape}"
    if kind in "bi":
        yield _digest(array.astype("<i8"))
        return
    wide = array.astype(np.complex128 if kind == "c" else np.float64, order="C")
    flat = wide.reshape(-1).view(np.float64)
    yield _digest(np.isnan(flat) + 2 * np.isposinf(flat) + 3 * np.isneginf(flat))
    yield np.where(np.isfinite(flat), flat, 0.0)


def _digest(array: NDArray[Any]) -> str:
    return hashlib.sha256(array.tobytes()).hexdigest()


def _means(flat: NDArray[np.float64]) -> tuple[float, float]:
    """Return the means of the sizes and of the values, weighted so that their order counts."""
    weights = (1 + np.arange(flat.size) * GOLDEN % 1) / (2 * max(flat.size, 1))
    return float(weights @ np.abs(flat)), float(weights @ flat)


def _alike(a: Sketch, b: Sketch) -> bool:
    if a.exact != b.exact or len(a.rough) != len(b.rough):
        return False
    pairs = zip(a.rough, b.rough, strict=True)
    return all(_near(one[i], other[i], one[0]) for one, other in pairs for i in range(2))


def _near(one: float, other: float, size: float) -> bool:
    # By the size of what was averaged: values may cancel, and leave a mean that is all rounding.
    return abs(one - other) <= 1e-9 + 1e-6 * size
