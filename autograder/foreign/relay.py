"""The relay: a test cell runs in one session, what it calls of the student's runs in another.

Both sessions speak to the grader alone. What one asks is checked here, part by part, and sent on to
the other, so that nothing but plain values ever goes from the student's code to the tests. They
take turns: whoever asks waits for its answer, and answers what it is asked meanwhile.
"""

import time
from collections.abc import Mapping as AnyMapping
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from autograder.errors import (
    HarnessError,
    StudentError,
    StudentTimeout,
    UnsendableArgument,
    WireError,
)
from autograder.foreign.inside.requests import ANSWER, RUN, names_request
from autograder.foreign.plan import TestNames
from autograder.sandbox.client.session import CheckSession
from autograder.sandbox.protocol.kinds import Apply, Callback, Message, Raised, Value
from autograder.sandbox.protocol.packed import Mapping, Packed, Reference
from autograder.sandbox.protocol.wire import Packer, require_plain, unpack

__all__ = ["Outcome", "Tests"]

MOST_TURNS = 1_000_000  # of one test cell
OVERHEAD_SECONDS = 5.0  # for the tests' own side to say that it is done

# What the student's side may say, and what must be there then.
_FORMS: AnyMapping[str, frozenset[str]] = {
    "value": frozenset({"value"}),
    "raised": frozenset({"type", "args", "text", "place"}),
    "ask": frozenset({"op", "on", "with", "named"}),
}


@dataclass(frozen=True)
class _Said:
    """What one side says to the other, as it was received."""

    packed: Packed
    bodies: list[Any]

    @classmethod
    def of(cls, plain: Any) -> "_Said":
        """Return what is said here, in the place of one of them."""
        packer = Packer(_refuse)
        return cls(packer.pack(plain), packer.bodies)

    def as_value(self) -> Message:
        """Return it as the answer to what was asked."""
        return Value(self.packed).with_bodies(self.bodies)

    def as_request(self) -> Message:
        """Return it as a request to the student's side."""
        return Apply("answer", ANSWER, [self.packed]).with_bodies(self.bodies)


@dataclass(frozen=True)
class _Meant:
    """What a student's side has said of names."""

    session: CheckSession | None
    names: tuple[str, ...]
    said: _Said


@dataclass(frozen=True)
class Outcome:
    """What came of a test cell.

    Attributes:
        error: what it raised: type and text; None if nothing.
        error_type: the type alone; "" where the student's code ended.
        line: of the cell, where it did.
        place: where in the student's notebook the code raised.
        value: the number that it ended with, as partial credit.
        stays: why an object was not asked that stays in the student's session and would decide.
        used: what was asked of their objects beside data.
        timed_out, killed: how the student's code ended, if a limit ended it.
        lost: whether the tests' own session can run no more.
        gone: whether the student's can be asked no more.
    """

    error: str | None = None
    error_type: str = ""
    line: int | None = None
    place: str = ""
    value: float | None = None
    stays: str | None = None
    used: tuple[str, ...] = ()
    timed_out: bool = False
    killed: bool = False
    lost: bool = False
    gone: bool = False


class Tests:
    """The session of a notebook's tests.

    Args:
        session: of theirs, to which `ASK` was given; or its fork.
    """

    def __init__(self, session: CheckSession) -> None:
        self._session = session
        self._meant: _Meant | None = None  # and nothing has run there since

    def run(
        self,
        source: str,
        names: TestNames,
        label: str,
        theirs: CheckSession | None,
        seconds: float,
        allowed: Sequence[str] | None = None,
        *,
        is_test: bool = True,
        shown: str = "",
    ) -> Outcome:
        """Run a cell of the instructor's.

        Args:
            source: its text.
            names: whose names are whose.
            label: what a traceback calls it.
            theirs: the session of the student's notebook, at this place; None where it has ended.
            seconds: how long the cell may take together with all that it calls.
            allowed: what may be asked of their objects beside data; None is all.
            is_test: whether it is a test, or a given cell above one.
            shown: what of it students may read, whose functions they may be given as they are.

        Raises:
            HarnessError: the tests' own session says what it cannot.
        """
        turn = _Turn(theirs, seconds)
        asked = None if allowed is None else list(allowed)
        about = (source, list(names.theirs), list(names.down), asked, label, is_test, shown)
        message = _as_run(about, self._meaning(turn, theirs, names.theirs))
        try:
            for _ in range(MOST_TURNS):
                self._session.seconds = turn.left() + OVERHEAD_SECONDS
                try:
                    reply = self._session.exchange(message)
                except UnsendableArgument as error:  # of theirs: it was received, and is too long
                    said = turn.end(StudentError(f"the notebook's session: {error}"))
                    first = isinstance(message, Apply)
                    message = _as_run(about, said) if first else said.as_value()
                    continue
                if isinstance(reply, Callback):
                    self._meant = None
                    message = turn.ask(_argument(reply)).as_value()
                elif isinstance(reply, Value):
                    return turn.outcome(unpack(reply.value, reply.bodies, _no_object))
                else:
                    text = f": {reply.text}" if isinstance(reply, Raised) else ""
                    raise HarnessError(f"the tests' session answered out of turn{text}")
                if turn.is_long_over():
                    raise StudentTimeout("it goes on behind its time")
        except StudentTimeout:  # of the tests' own code, or of both together
            return Outcome(turn.too_long, timed_out=True, lost=True)
        except StudentError as error:  # by what it was given: the instructor's own solution passes
            return Outcome(f"ended the session of the tests: {error}", killed=True, lost=True)
        return Outcome("asked the notebook too often", timed_out=True, lost=True)

    def _meaning(
        self, turn: "_Turn", theirs: CheckSession | None, names: tuple[str, ...]
    ) -> _Said | None:
        """Return what the student's side says of names; while it only waits, what it has said.

        So the tests' side, whose every cell needs that first, does not ask by itself.
        """
        if not names:
            return None
        known = self._meant
        if known is not None and known.session is theirs and known.names == names:
            return known.said
        self._meant = None
        said = turn.ask(_Said.of(names_request(names)))
        # What says more than a value, as news of its generators, is to be heard once.
        if isinstance(said.packed, Mapping) and said.packed.items.keys() == {"say", "value"}:
            self._meant = _Meant(theirs, names, said)
        return said


class _Turn:
    """The student's side while one test cell runs.

    Args:
        session: of the student's notebook; None where it has ended.
        seconds: how long the cell may take, with all that it calls.
    """

    def __init__(self, session: CheckSession | None, seconds: float) -> None:
        self._session, self._until = session, time.monotonic() + seconds
        self.too_long = f"ran for more than {seconds:g} s"
        self._waits = False  # whether the session waits for the answer to something that it asked
        self._gone: Outcome | None = None
        if session is None:
            self._gone = Outcome("the notebook's session ended", killed=True)

    def left(self) -> float:
        """Return the seconds that are left."""
        return max(0.0, self._until - time.monotonic())

    def is_long_over(self) -> bool:
        """Return whether the tests do not end, though nobody answers them any more."""
        return time.monotonic() > self._until + OVERHEAD_SECONDS

    def end(self, error: StudentError) -> _Said:
        """Ask the student's session no more, for this error; return what is said instead."""
        self._end(error)
        return self._said_gone()

    def ask(self, request: _Said) -> _Said:
        """Send on what the tests say, and return what the student's side says to it."""
        if self._gone is None and self.left() == 0:
            self._end(StudentTimeout(self.too_long))
        if self._gone is None:
            try:
                waits = self._waits
                reply = self._exchange(request.as_value() if waits else request.as_request())
                self._waits = isinstance(reply, Callback)
                if isinstance(reply, Callback):
                    return _checked(_argument(reply))
                if isinstance(reply, Value):
                    return _checked(_Said(reply.value, reply.bodies))
                raise StudentError("the notebook's session answered out of turn")
            except StudentError as error:
                self._end(error)
            except (WireError, ValueError, OverflowError, RuntimeError, MemoryError) as error:
                self._end(StudentError(f"the notebook's session sent no value: {error}"))
        return self._said_gone()

    def _said_gone(self) -> _Said:
        assert self._gone is not None
        return _Said.of({"say": "gone", "text": self._gone.error})

    def outcome(self, said: dict[str, Any]) -> Outcome:
        """Return what came of the cell, by what the tests' session says."""
        found = Outcome(
            gone=self._gone is not None,
            value=said["value"],
            stays=said["stays"],
            used=tuple(said["used"]),
        )
        if self._gone is not None:  # whatever the test made of that: nobody has answered it
            gone = self._gone
            return replace(found, error=gone.error, timed_out=gone.timed_out, killed=gone.killed)
        error = said.get("error")
        if found.stays is not None:  # likewise
            line = None if error is None else error["line"]
            return replace(found, error=found.stays, error_type="AssertionError", line=line)
        if error is None:
            return found
        return replace(
            found,
            error=": ".join(filter(None, (error["type"], error["text"]))),
            error_type=error["type"],
            line=error["line"],
            place=error["place"],
        )

    def _exchange(self, message: Message) -> Message:
        assert self._session is not None
        self._session.seconds = self.left()
        return self._session.exchange(message)

    def _end(self, error: StudentError) -> None:
        timed_out = isinstance(error, StudentTimeout)
        text = self.too_long if timed_out and self.left() == 0 else str(error)
        self._gone = Outcome(text, timed_out=timed_out, killed=not timed_out)


def _as_run(about: Sequence[Any], meant: _Said | None) -> Message:
    """Return the request to run a cell, with what the student's side has said of its names."""
    packer = Packer(_refuse)
    args = [packer.pack(arg) for arg in about]
    assert not packer.bodies  # arrays are numbered by their bodies
    if meant is None:
        return Apply("run", RUN, [*args, None])
    return Apply("run", RUN, [*args, meant.packed]).with_bodies(meant.bodies)


def _argument(callback: Callback) -> _Said:
    if len(callback.args) != 1:
        raise StudentError("the notebook's session answered out of turn")
    return _Said(callback.args[0], callback.bodies)


def _checked(said: _Said) -> _Said:
    """Return what a student's side says: plain values in the form of an answer or a request.

    Raises:
        StudentError: it has not that form.
        WireError: it holds what is no value.
    """
    require_plain(said.packed, said.bodies)
    parts = said.packed.items if isinstance(said.packed, Mapping) else {}
    say = parts.get("say")
    if not isinstance(say, str) or say not in _FORMS or not _FORMS[say] <= parts.keys():
        raise StudentError("the notebook's session answered out of turn")
    if say == "ask" and parts["op"] != "call":
        raise StudentError("the notebook's session answered out of turn")
    return said


def _no_object(reference: Reference) -> Any:
    raise WireError(f"an object of type {reference.type_name[:100]}")


def _refuse(value: object) -> Any:
    raise WireError(f"an object of type {type(value).__name__}")
