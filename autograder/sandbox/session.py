"""Sessions as the grader sees them: what ran in one, and the calls of checks to it."""

import json
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import NamedTuple

from autograder.authoring.subject import Session
from autograder.errors import (
    HarnessError,
    StudentKilled,
    StudentTimeout,
    UnsendableArgument,
    WireError,
)
from autograder.sandbox.channel import Channel, ChannelClosed, ChannelTimeout
from autograder.sandbox.files import as_bodies
from autograder.sandbox.messages import MessageSession
from autograder.sandbox.nursery import ANSWER_SECONDS, Nursery, Started
from autograder.sandbox.wire import Message

__all__ = ["CellRun", "CodeCell", "NotebookSession"]


class CodeCell(NamedTuple):
    """A code cell of a submission.

    ``kind`` is ``given`` (the release's own), ``stub`` (an answer as the release has it),
    ``answer`` (what the student made of one) or ``own`` (a cell that the student added).
    """

    number: int
    source: str
    kind: str = "own"


@dataclass(frozen=True)
class CellRun:
    """What came of running one cell: the error that it raised or how it ended the session.

    ``later`` says that it ended a later run, having come through an earlier one.
    """

    number: int
    error: str | None = None
    ended: str | None = None
    printed: int = 0
    later: bool = False


class NotebookSession:
    """A session that ran one student's notebook, and answers checks about it.

    A cell that ends the session, by a limit or by itself, is left out and the notebook is run
    again without it, so that every other cell counts.

    Attributes:
        runs: what came of each cell, by its number.
        anew: whether the notebook was run again for a check, because it started threads.

    Args:
        nursery: which forks the session.
        cells: the code cells to run.
        deadline: a time of `time.monotonic` at which the whole submission must be done.
        files: what lies in its working directory, by path.

    Raises:
        HarnessError: the nursery is gone, or its session ended before it ran a cell or was killed
            by somebody else; so do all methods.
    """

    def __init__(
        self,
        nursery: Nursery,
        cells: Sequence[CodeCell],
        deadline: float,
        files: Mapping[str, bytes] | None = None,
    ) -> None:
        self._nursery, self._cells, self._deadline = nursery, list(cells), deadline
        self._files = as_bodies(files or {})
        self._channel: Channel | None = None
        self._session: Started | None = None
        self._fresh = False  # whether the session has answered nothing yet
        self.runs: dict[int, CellRun] = {}
        self.anew = False
        self._open()

    def __enter__(self) -> "NotebookSession":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def check(self, seconds: float | None = None) -> Iterator[Session]:
        """Give a session for some cases, whose first call finds the notebook's own state.

        It is a fork of the session; where that cannot be forked, because the notebook started
        threads, the notebook has been run again for it.

        Args:
            seconds: the limit on one call; None is the nursery's.

        Raises:
            StudentTimeout: the submission's time is used up.
            StudentKilled: the session ends whenever it is asked.
        """
        limit = seconds if seconds is not None else self._nursery.limits.call_seconds
        channel = self._fork()
        try:
            yield MessageSession(lambda request: self._call(channel, request, limit))
        finally:
            if channel is self._channel:
                self.close()
            else:
                channel.close()
                self._reap()

    def close(self, by_itself: bool = False) -> str:
        """End the session; say how it had ended by itself."""
        if self._channel is not None:
            self._channel.close()
        session, self._channel, self._session = self._session, None, None
        return self._nursery.end(session, by_itself) if session is not None else ""

    def seconds_left(self) -> float:
        """Return how much of the submission's time is left."""
        return max(0.0, self._deadline - time.monotonic())

    def _open(self) -> None:
        """Run the notebook in a fresh session, without the cells that ended earlier ones.

        There is no session afterwards if the submission's time is used up.
        """
        self.close()
        while time.monotonic() < self._deadline:
            self._session = started = self._nursery.start()
            self._channel = started.channel
            try:
                culprit = self._run(self._channel)
            except StudentTimeout:  # before its first cell
                break
            except HarnessError:
                started.channel.close()
                raise
            if culprit is None:
                self._fresh = True
                return
            first = self.runs.get(culprit.number)
            if first is not None:  # what it said then is reported, as below
                culprit = replace(first, ended=culprit.ended, later=True)
            self.runs[culprit.number] = culprit
            self.close()
        self.close()

    def _run(self, channel: Channel) -> CellRun | None:
        """Run the cells; return the one that ended the session, None if none did."""
        cells = [(c.number, c.source) for c in self._cells if not self._left_out(c.number)]
        current: int | None = None
        limit = ANSWER_SECONDS
        try:
            body = json.dumps(cells).encode()
            channel.send(Message("run", bodies=[body, *self._files]), self._until(limit))
            for number, _ in cells:
                _expect(channel, "cell", self._until(limit), number)
                current, limit = number, self._nursery.limits.cell_seconds
                done = _expect(channel, "done", self._until(limit))
                # What a later run says may tell of hidden inputs: the first is reported.
                first = CellRun(number, done.text[:500] or None, printed=done.number)
                self.runs.setdefault(number, first)
            _expect(channel, "ran", self._until(ANSWER_SECONDS))
            return None
        except ChannelTimeout:
            whole = time.monotonic() >= self._deadline
            if whole and current is None:
                raise StudentTimeout("the submission ran out of its time") from None
            how = (
                "the submission's time was used up"
                if whole
                else f"it ran for more than {limit:g} s"
            )
        except ChannelClosed:
            how = self.close(by_itself=True)
        except WireError as error:
            if current is None:
                raise HarnessError(f"a session did not run its first cell: {error}") from None
            how = "it wrote to the grader's channel"
        if current is None:
            raise HarnessError(f"a session ended before its first cell: {how}")
        return CellRun(current, ended=how)

    def _left_out(self, number: int) -> bool:
        return number in self.runs and self.runs[number].ended is not None

    def _fork(self) -> Channel:
        """Return the channel to a fork of the session, or to the session where it cannot fork."""
        for _ in range(2):
            if self._channel is None:
                self._open()
            if self._channel is None:
                raise StudentTimeout("the submission ran out of its time")
            answer, channel = self._ask_to_fork(self._channel)
            if answer == "forked":
                return channel
            channel.close()
            if answer == "refused":
                raise StudentKilled("it has started as many processes as a session may have")
            if answer == "threads":
                self.anew = True
                if self._fresh:
                    self._fresh = False
                    return self._channel
            self.close(by_itself=answer == "gone")
        raise StudentKilled("the session ends whenever it is asked")

    def _ask_to_fork(self, session: Channel) -> tuple[str, Channel]:
        ours, theirs = socket.socketpair()
        channel = Channel(ours, session.max_bytes)
        try:
            with theirs:
                session.send(Message("fork"), self._until(ANSWER_SECONDS))
                session.send_socket(theirs)
            return session.receive(self._until(ANSWER_SECONDS)).kind, channel
        except (ChannelClosed, ChannelTimeout, WireError):
            return "gone", channel

    def _reap(self) -> None:
        """Have the session kill its fork; a session that does not is ended with it."""
        try:
            if self._channel is not None:
                self._channel.send(Message("reap"), self._until(ANSWER_SECONDS))
                _expect(self._channel, "reaped", self._until(ANSWER_SECONDS))
        except (ChannelClosed, ChannelTimeout, WireError):
            self.close(by_itself=True)

    def _call(self, channel: Channel, request: Message, seconds: float) -> Message:
        """Send a request and return its reply, with the student's fault as the exception."""
        until = self._until(seconds)
        try:
            channel.send(request, until)
        except WireError as error:
            raise UnsendableArgument(f"an argument of a check cannot be sent: {error}") from None
        except (ChannelClosed, ChannelTimeout):
            pass  # the reply, which does not come, says which
        try:
            return channel.receive(until)
        except ChannelTimeout:
            whole = time.monotonic() >= self._deadline
            what = (
                "the submission ran out of its time"
                if whole
                else f"ran for more than {seconds:g} s"
            )
            raise StudentTimeout(what) from None
        except ChannelClosed:
            how = "the code ended its own process"
            if self._nursery.ran_out_of_memory():
                how = f"used more than {self._nursery.limits.memory_mb} MB of memory"
            raise StudentKilled(how) from None
        except WireError as error:
            raise StudentKilled(f"the session sent what is no value: {error}") from None

    def _until(self, seconds: float) -> float:
        return min(time.monotonic() + seconds, self._deadline)


def _expect(channel: Channel, kind: str, deadline: float, number: int | None = None) -> Message:
    """Return the next message, which must be of this kind and number: no other was due."""
    message = channel.receive(deadline)
    if message.kind == "unavailable":  # what a student's code says so is an untimely message too
        raise WireError(message.text[:500])
    if message.kind != kind or (number is not None and message.number != number):
        raise WireError(f"a message of kind {message.kind!r}, expected {kind!r}")
    return message
