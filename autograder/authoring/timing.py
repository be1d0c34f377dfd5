"""Speed: how long a student's function takes, beside the reference on the same arguments.

The clock is ours. It runs in the process of the check, around each call; what a session says of
time is never asked for. A session may do three things to look faster, and none of them helps:

- It keeps answers, or prepares them. Each call has arguments that nobody has seen before.
- It answers at once, and wrongly. Every answer that was timed is compared.
- It slows the reference down, by keeping the machine busy. The reference is timed by the seconds of
  the processor that it had, and those do not grow while it waits.

Others keep the machine busy, too. What they cost a call is only ever added to it, so the shortest
of several calls counts, and more calls are made before anything is called slow. Where the reference
itself was kept waiting for as long as would explain it, nothing is decided: the case is *broken*,
which costs nobody anything.

On a GPU (`on_device`) both functions are timed by the wall, as no processor's time tells of it.
The session is stopped while the reference is timed, so that it starts nothing meanwhile. Where the
reference's own times differ by as much as would explain it, nothing is decided.
"""

import os
import pickle
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from statistics import median
from typing import Any, NamedTuple

from autograder.authoring.arrays import bytes_of
from autograder.authoring.assertions import assert_close
from autograder.authoring.gpu import held
from autograder.authoring.kinds import Kind, note_kind
from autograder.authoring.phrases import kind
from autograder.authoring.placement import DeviceProxy
from autograder.authoring.subject import Proxy, processes_of
from autograder.errors import CheckFailure, HarnessError, NotMeasured, Unanswered

__all__ = ["assert_fast"]

FEWEST, MOST = 5, 15  # pairs of calls
HOPELESS = 4.0  # times as long as is allowed, after which two pairs are enough
FLOOR = 0.001  # seconds that a reference counts as having taken at least
MESSAGE, BYTE = 0.005, 1e-8  # seconds that a call may take on its way to a session and back
LEAST = 2.0  # times as long as the reference that must be allowed: a machine is no stop-watch


class _Pair(NamedTuple):
    """One call of the student's function, and one of the reference on the same arguments.

    ``busy`` are the seconds of the processor that the reference had, ``waited`` those on the wall;
    on a GPU both are those on the wall. ``allowed`` are what the student's arguments and value may
    take on their way.
    """

    got: Any
    want: Any
    seconds: float
    busy: float
    waited: float
    allowed: float = 0.0


def assert_fast(
    got: Any,
    want: Any,
    draw: Callable[[], Sequence[Any]],
    *,
    within: float,
    rtol: float | None = None,
    atol: float | None = None,
    what: str = "value",
) -> None:
    """Require a function that is right and takes no longer than some times the reference.

    ::

        assert_fast(
            student.distances,
            reference.distances,
            lambda: [rng.normal(size=(300, 40))],
            within=5,
            what="distances",
        )

    Both functions are called in turn with what ``draw`` returns, 5 times or, before anything is
    called slow, 15 times. Each value is compared, and in the end the shortest times. In a release
    one value is compared, and the rest is measured at grading.

    Take arguments with which the reference takes some 5 ms or more, and the way that is too slow at
    least three times as long as is allowed. Put that into the bank, as a mistake. With a case for
    each ``within``, a faster function earns more. On a GPU, put `on_device` around both functions.

    Args:
        got: the student's function.
        want: the reference's.
        draw: returns the arguments of a call, new ones each time: a list or a tuple.
        within: how many times as long as the reference the function may take, 2 or more.
        rtol: of the values, as for `assert_close`.
        atol: likewise.
        what: what the value is called in the message.

    Raises:
        CheckFailure: a value is wrong, or the function is too slow.
        NotMeasured: in a release, where the values are right.
    """
    if not within >= LEAST:
        raise ValueError(f"within must be {LEAST:g} or more, got {within!r}")
    note_kind(Kind.SPEED, float(within))
    _require_function(got, what)
    theirs = processes_of(got)
    is_measured = theirs is not None and processes_of(want) is not None
    # What runs in this process is ours: by the processor's time, nobody keeps it waiting.
    is_ours = theirs is not None and os.getpid() in theirs
    on_gpu = isinstance(got, DeviceProxy)
    if on_gpu != isinstance(want, DeviceProxy):
        raise ValueError("both functions must be on one device: put on_device around each")
    calls = _Calls(got, want, draw, is_ours, on_gpu)
    pairs: list[_Pair] = []
    while not pairs or (is_measured and not _are_enough(pairs, within, on_gpu)):
        pair = calls.pair(student_first=len(pairs) % 2 == 0)
        assert_close(pair.got, pair.want, rtol=rtol, atol=atol, what=what)  # wrong is not timed on
        pairs.append(pair)
    if not is_measured:
        raise NotMeasured("the values are right; how long it takes is measured at grading")
    _judge(pairs, within, on_gpu)


def _require_function(got: Any, what: str) -> None:
    if isinstance(got, Proxy) and got.type_name == "ellipsis":
        raise Unanswered(what)
    if not isinstance(got, Proxy):
        raise CheckFailure(f"{kind(got)}, expected a function", what)


class _Calls:
    """Makes pairs of calls, each with arguments of its own.

    Args:
        got: the student's function.
        want: the reference's.
        draw: returns arguments.
        is_ours: whether both run in this process.
        on_gpu: whether both run on a GPU.
    """

    def __init__(
        self,
        got: Proxy,
        want: Proxy,
        draw: Callable[[], Sequence[Any]],
        is_ours: bool,
        on_gpu: bool = False,
    ) -> None:
        self._got, self._want, self._draw = got, want, draw
        self._is_ours, self._on_gpu = is_ours, on_gpu
        self._clock = time.process_time if is_ours and not on_gpu else time.perf_counter
        self._seen: set[bytes] = set()

    def pair(self, student_first: bool) -> _Pair:
        """Call both functions, one behind the other, and return what came of it."""
        arguments = self._new_arguments()
        if student_first:
            theirs = self._timed(arguments)
            return self._with_reference(arguments, *theirs)
        return self._with_reference(arguments)

    def _new_arguments(self) -> Sequence[Any]:
        arguments = self._draw()
        if not isinstance(arguments, (list, tuple)):
            raise ValueError(f"draw must return a list of arguments, got {kind(arguments)}")
        text = pickle.dumps(arguments)
        if text in self._seen:
            raise ValueError("draw must return new arguments each time: draw them from rng")
        self._seen.add(text)
        return arguments

    def _timed(self, arguments: Sequence[Any]) -> tuple[Any, float]:
        began = self._clock()
        value = self._got(*arguments)
        return value, self._clock() - began

    def _with_reference(
        self, arguments: Sequence[Any], got: Any = None, seconds: float | None = None
    ) -> _Pair:
        stops = self._on_gpu and not self._is_ours
        with held(processes_of(self._got) or ()) if stops else nullcontext():
            busy, wall = time.process_time(), time.perf_counter()
            want = self._want(*arguments)
            busy, wall = time.process_time() - busy, time.perf_counter() - wall
        if self._on_gpu:
            busy = wall
        if seconds is None:
            got, seconds = self._timed(arguments)
        if self._is_ours:
            return _Pair(got, want, seconds, busy, busy)
        size = bytes_of(arguments) + bytes_of(want)
        return _Pair(got, want, seconds, busy, wall, MESSAGE + BYTE * size)


def _are_enough(pairs: Sequence[_Pair], within: float, on_gpu: bool = False) -> bool:
    """Return whether there are pairs enough to judge by."""
    if len(pairs) >= MOST:
        return True
    taken, busy, waited = _times(pairs, on_gpu)
    if len(pairs) >= 2 and taken > HOPELESS * within * waited:
        return True
    return len(pairs) >= FEWEST and taken <= within * busy


def _times(pairs: Sequence[_Pair], on_gpu: bool) -> tuple[float, float, float]:
    """Return the shortest times: the student's, the reference's, and that on the wall.

    On a GPU the last is the reference's usual time, as nothing tells how long it was kept waiting.
    """
    busy = max(FLOOR, min(pair.busy for pair in pairs))
    walls = [pair.waited for pair in pairs]
    waited = max(busy, median(walls) if on_gpu else min(walls))
    return max(0.0, min(pair.seconds - pair.allowed for pair in pairs)), busy, waited


def _judge(pairs: Sequence[_Pair], within: float, on_gpu: bool = False) -> None:
    taken, busy, waited = _times(pairs, on_gpu)
    if taken <= within * busy:
        return
    if taken > within * waited:
        raise CheckFailure(
            f"takes {taken * 1000:.3g} ms, which is {taken / busy:.1f} times as long as the "
            f"reference; at most {within:g} times is fast enough"
        )
    raise HarnessError(
        f"the machine was too busy to time anything: the reference had to wait for "
        f"{(waited - busy) * 1000:.3g} ms in each of {len(pairs)} calls; grade again when it is "
        "less busy"
    )
