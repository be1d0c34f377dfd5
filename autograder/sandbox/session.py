"""The grader's side of the sandbox: a nursery, the sessions it starts, and their checks."""

import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from autograder.authoring.subject import Session
from autograder.errors import (
    HarnessError,
    StudentKilled,
    StudentTimeout,
    WireError,
)
from autograder.sandbox.cgroup import ControlGroup
from autograder.sandbox.channel import Channel, ChannelClosed, ChannelTimeout
from autograder.sandbox.limits import MB, Limits
from autograder.sandbox.messages import MessageSession
from autograder.sandbox.wire import Message

__all__ = ["CellRun", "NotebookSession", "Nursery"]

WARM_UP_SECONDS = 120.0
ANSWER_SECONDS = 10.0  # for what our own code does in a nursery or a session
MAX_RESTARTS = 5

# All that a nursery, and so a session, has in its environment.
_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "MPLBACKEND": "Agg",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "IPYTHONDIR": "/nonexistent",
}


@dataclass(frozen=True)
class CellRun:
    """What came of running one cell: the error that it raised or how it ended the session."""

    number: int
    error: str | None = None
    ended: str | None = None
    printed: int = 0


class Nursery:
    """A warm process that forks sessions, one at a time.

    Args:
        limits: of every session.
        preload: modules to import before the first session.
        device: ``cpu`` hides every GPU from its sessions.
    """

    def __init__(
        self, limits: Limits, preload: Sequence[str] = ("numpy",), device: str = "cpu"
    ) -> None:
        self.limits = limits
        self._cgroup = ControlGroup.create(limits)
        self._channel, theirs = Channel.pair(MB)
        settings = {
            "limits": dataclasses.asdict(limits),
            "preload": list(preload),
            "device": device,
            "cgroup": [str(f) for f in self._cgroup.folders] if self._cgroup else [],
        }
        program = [sys.executable, "-I", "-m", "autograder.sandbox.nursery"]
        with theirs:
            self._process = subprocess.Popen(
                [*program, str(theirs.fileno()), json.dumps(settings)],
                env=_ENVIRONMENT | ({} if device == "cuda" else {"CUDA_VISIBLE_DEVICES": ""}),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        try:
            ready = self._ask(None, "ready", WARM_UP_SECONDS)
            if ready.number != 1:
                raise HarnessError(f"the nursery has {ready.number} threads; it may not fork")
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Nursery":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> tuple[Channel, Message]:
        """Fork a session; return the channel to it and the word by which it is ended."""
        channel, theirs = Channel.pair(self.limits.message_mb * MB)
        with theirs:
            self._channel.send(Message("start"))
            self._channel.send_socket(theirs)
        started = self._ask(None, "started", ANSWER_SECONDS)
        return channel, Message("end", text=started.text, number=started.number)

    def end(self, session: Message) -> str:
        """End a session with everything that it started; say how it had ended by itself."""
        status = self._ask(session, "ended", ANSWER_SECONDS).number
        if os.WIFSIGNALED(status):
            return f"it was ended by {signal.Signals(os.WTERMSIG(status)).name}"
        return f"its process left with exit code {os.WEXITSTATUS(status)}"

    def close(self) -> None:
        """End the nursery and what it started."""
        self._channel.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)
        self._process.kill()
        self._process.wait()
        if self._cgroup:
            self._cgroup.remove()

    def _ask(self, request: Message | None, expected: str, seconds: float) -> Message:
        deadline = time.monotonic() + seconds
        try:
            if request is not None:
                self._channel.send(request, deadline)
            reply = self._channel.receive(deadline)
        except (ChannelClosed, ChannelTimeout, WireError) as error:
            raise HarnessError(f"the nursery is gone ({type(error).__name__})") from None
        if reply.kind != expected:
            raise HarnessError(f"the nursery said {reply.kind!r}, expected {expected!r}")
        return reply


class NotebookSession:
    """A session that ran one student's notebook, and answers checks about it.

    A cell that ends the session, by a limit or by itself, is left out and the notebook is run
    again without it, so that every other cell counts.

    Args:
        nursery: which forks the session.
        cells: the code cells to run, as (number, source).
        deadline: a time of `time.monotonic` at which the whole submission must be done.
    """

    def __init__(self, nursery: Nursery, cells: Sequence[tuple[int, str]], deadline: float) -> None:
        self._nursery, self._cells, self._deadline = nursery, list(cells), deadline
        self._channel: Channel | None = None
        self._session: Message | None = None
        self.runs: dict[int, CellRun] = {}
        self.restarted = 0
        self._open()

    def __enter__(self) -> "NotebookSession":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def check(self, seconds: float | None = None) -> Iterator[Session]:
        """Give a session for one check, whose calls start from the notebook's state.

        It is a fork of the session; where that cannot be forked, because the notebook started
        threads, the notebook has been run again for this check.

        Args:
            seconds: the limit on one call; None is the nursery's.

        Raises:
            StudentError: the notebook cannot be run any more.
        """
        limit = seconds if seconds is not None else self._nursery.limits.call_seconds
        channel = self._fork()
        forked = channel is not None
        if channel is None:
            self._open()
            assert self._channel is not None
            channel = self._channel

        def ask(request: Message) -> Message:
            return self._call(channel, request, limit)

        try:
            yield MessageSession(ask)
        finally:
            if forked:
                channel.close()
                self._reap()
            else:
                self.close()

    def close(self) -> str:
        """End the session; say how it had ended by itself."""
        if self._channel is not None:
            self._channel.close()
        session, self._channel, self._session = self._session, None, None
        return self._nursery.end(session) if session is not None else ""

    def _open(self) -> None:
        """Run the notebook in a fresh session, without the cells that ended earlier ones."""
        self.close()
        for _ in range(MAX_RESTARTS + 1):
            self._channel, self._session = self._nursery.start()
            ended = self._run()
            if ended is None:
                return
            self.close()
            self.runs[ended.number] = ended
        raise StudentKilled(f"the notebook ended its session {MAX_RESTARTS + 1} times")

    def _run(self) -> CellRun | None:
        """Run the cells; return the one that ended the session, None if none did."""
        assert self._channel is not None
        skipped = {n for n, run in self.runs.items() if run.ended}
        cells = [cell for cell in self._cells if cell[0] not in skipped]
        current = cells[0][0] if cells else 0
        body = json.dumps(cells).encode()
        try:
            self._channel.send(Message("run", bodies=[body]), self._until(ANSWER_SECONDS))
            limit = ANSWER_SECONDS
            while True:
                reply = self._channel.receive(self._until(limit))
                if reply.kind == "cell":
                    current, limit = reply.number, self._nursery.limits.cell_seconds
                elif reply.kind == "done":
                    self.runs[current] = CellRun(
                        current, reply.text[:500] or None, printed=reply.number
                    )
                elif reply.kind == "ran":
                    return None
                else:
                    return CellRun(current, ended="it wrote to the grader's channel")
        except ChannelTimeout:
            if time.monotonic() >= self._deadline:
                raise StudentTimeout("the submission ran out of its time") from None
            return CellRun(current, ended=f"it ran for more than {limit:g} s")
        except ChannelClosed:
            return CellRun(current, ended=self.close())
        except WireError:
            return CellRun(current, ended="it wrote to the grader's channel")

    def _fork(self) -> Channel | None:
        """Return the channel to a fork of the session, None if it cannot be forked."""
        if self._channel is None:
            self._open()
            assert self._channel is not None
        ours, theirs = socket.socketpair()
        channel = Channel(ours, self._channel.max_bytes)
        try:
            with theirs:
                self._channel.send(Message("fork"), self._until(ANSWER_SECONDS))
                self._channel.send_socket(theirs)
            reply = self._channel.receive(self._until(ANSWER_SECONDS))
        except (ChannelClosed, ChannelTimeout, WireError):
            reply = Message("gone")
        if reply.kind == "forked":
            return channel
        channel.close()
        return None

    def _reap(self) -> None:
        """Have the session kill its fork; a session that does not is ended with it."""
        try:
            assert self._channel is not None
            self._channel.send(Message("reap"), self._until(ANSWER_SECONDS))
            if self._channel.receive(self._until(ANSWER_SECONDS)).kind == "reaped":
                return
        except (ChannelClosed, ChannelTimeout, WireError):
            pass
        self.close()

    def _call(self, channel: Channel, request: Message, seconds: float) -> Message:
        """Send a request and return its reply, with the student's fault as the exception."""
        until = self._until(seconds)
        try:
            channel.send(request, until)
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
            raise StudentKilled("the code ended its own process") from None
        except WireError as error:
            raise StudentKilled(f"the session sent what is no value: {error}") from None

    def _until(self, seconds: float) -> float:
        return min(time.monotonic() + seconds, self._deadline)
