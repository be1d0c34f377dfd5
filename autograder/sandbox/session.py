"""The grader's side of the sandbox: a nursery, the sessions it starts, and their checks."""

import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from autograder.authoring.subject import Session
from autograder.errors import (
    HarnessError,
    StudentKilled,
    StudentTimeout,
    UnsafeHere,
    UnsendableArgument,
    WireError,
)
from autograder.sandbox.cgroup import PREFIX, ControlGroup, stale_folders
from autograder.sandbox.channel import Channel, ChannelClosed, ChannelTimeout
from autograder.sandbox.limits import MB, Limits
from autograder.sandbox.messages import MessageSession
from autograder.sandbox.walls import remove_tree
from autograder.sandbox.wire import Message

__all__ = ["WEAKEST_TIER", "CellRun", "NotebookSession", "Nursery"]

WARM_UP_SECONDS = 120.0
ANSWER_SECONDS = 10.0  # for what our own code does in a nursery or a session
CLOSE_SECONDS = 5.0  # for a nursery to end what it started
WEAKEST_TIER = 2
RESERVING_TIER = 0  # in which a session that waits is out of the running one's reach
OTHER_TASKS = 1024  # that this user may start elsewhere while a session lasts

# All that a nursery, and so a session, has in its environment.
_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "MPLBACKEND": "Agg",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}


@dataclass(frozen=True)
class CellRun:
    """What came of running one cell: the error that it raised or how it ended the session."""

    number: int
    error: str | None = None
    ended: str | None = None
    printed: int = 0


@dataclass
class Started:
    """A session that waits for its notebook; ``number`` is 0 until the nursery has told it."""

    channel: Channel
    number: int = 0


class Nursery:
    """A warm process that forks sessions behind walls.

    A session is kept in reserve where the walls allow it, so that the next start takes no time.

    Args:
        limits: of every session.
        preload: modules to import before the first session.
        device: ``cpu`` hides every GPU from its sessions.
        min_tier: the weakest tier that will do; None is no walls at all.

    Attributes:
        tier: of the walls that it found, the strongest that this machine has.

    Raises:
        UnsafeHere: this machine has no tier that will do.
        HarnessError: the nursery could not warm up.
    """

    def __init__(
        self,
        limits: Limits,
        preload: Sequence[str] = ("numpy",),
        device: str = "cpu",
        min_tier: int | None = WEAKEST_TIER,
    ) -> None:
        self.limits, self.tier = limits, min_tier
        self._reserve: Started | None = None
        self._kills = 0
        reasons = []
        for tier in (None,) if min_tier is None else range(min_tier + 1):
            if (reason := self._open(tier, list(preload), device)) is None:
                self.tier = tier
                return
            reasons.append(f"tier {tier}: {reason}")
        raise UnsafeHere(
            "a student's code cannot be held safely on this machine\n  " + "\n  ".join(reasons)
        )

    def _open(self, tier: int | None, preload: list[str], device: str) -> str | None:
        """Start the nursery behind the walls of a tier; return why that cannot be."""
        self._cgroup = ControlGroup.create(self.limits)
        self._channel, theirs = Channel.pair(MB)
        for stale in stale_folders(Path(tempfile.gettempdir())):
            remove_tree(str(stale))
        self._folder = tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-")
        settings = {
            "tier": tier,
            "limits": dataclasses.asdict(self.limits),
            "preload": preload,
            "device": device,
            "cgroup": [str(f) for f in self._cgroup.folders] if self._cgroup else [],
            "folder": self._folder,
            "others": OTHER_TASKS + (0 if self._cgroup else _tasks_of_user()),
        }
        program = [sys.executable, "-I", "-m", "autograder.sandbox.supervisor"]
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
            ready = self._receive("ready", WARM_UP_SECONDS)
            if ready.number != 1:
                raise HarnessError(f"the nursery has {ready.number} threads; it may not fork")
        except _Unavailable as reason:
            self.close()
            return str(reason)
        except BaseException:
            self.close()
            raise
        if tier == RESERVING_TIER:
            self._ask_to_start()
        return None

    def __enter__(self) -> "Nursery":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> Started:
        """Return a session that waits for its notebook: the one in reserve, if there is one."""
        started = self._started()
        self._reserve = None
        if self.tier == RESERVING_TIER:
            try:
                self._ask_to_start()
            except HarnessError:
                started.channel.close()
                raise
        return started

    def end(self, session: Started, by_itself: bool = False) -> str:
        """End a session with everything that it started; say how it had ended by itself."""
        if self._reserve is not None:
            self._started()  # its reply comes first
        self._send(Message("end", number=session.number, values=[by_itself]))
        status = self._receive("ended", ANSWER_SECONDS).number
        if os.WIFSIGNALED(status):
            if self.ran_out_of_memory():
                return f"it used more than {self.limits.memory_mb} MB of memory"
            number = os.WTERMSIG(status)
            known = number in set(signal.Signals)
            return f"it was ended by {signal.Signals(number).name if known else f'signal {number}'}"
        return f"its process left with exit code {os.WEXITSTATUS(status)}"

    def ran_out_of_memory(self) -> bool:
        """Return whether the kernel has ended a process for its memory since we last asked."""
        before, self._kills = self._kills, self._cgroup.kills() if self._cgroup else 0
        return self._kills > before

    def close(self) -> None:
        """End the nursery and what it started."""
        self._channel.close()
        if self._reserve is not None:
            self._reserve.channel.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(CLOSE_SECONDS)
        self._process.kill()
        self._process.wait()
        if self._cgroup:
            self._cgroup.remove()
        remove_tree(self._folder)

    def _started(self) -> Started:
        if self._reserve is None:
            self._ask_to_start()
        started = self._reserve
        assert started is not None
        if not started.number:
            started.number = self._receive("started", ANSWER_SECONDS).number
        return started

    def _ask_to_start(self) -> None:
        channel, theirs = Channel.pair(self.limits.message_mb * MB)
        try:
            with theirs:
                self._send(Message("start"))
                self._channel.send_socket(theirs)
        except (ChannelClosed, HarnessError) as error:
            channel.close()
            raise _gone(error) from None
        self._reserve = Started(channel)

    def _send(self, request: Message) -> None:
        try:
            self._channel.send(request, time.monotonic() + ANSWER_SECONDS)
        except (ChannelClosed, ChannelTimeout, WireError) as error:
            raise _gone(error) from None

    def _receive(self, expected: str, seconds: float) -> Message:
        try:
            reply = self._channel.receive(time.monotonic() + seconds)
        except (ChannelClosed, ChannelTimeout, WireError) as error:
            raise _gone(error) from None
        if reply.kind == "unavailable":
            raise _Unavailable(reply.text)
        if reply.kind != expected:
            raise HarnessError(f"the nursery said {reply.kind!r}, expected {expected!r}")
        return reply


class _Unavailable(HarnessError):
    """The walls of a tier cannot be had on this machine."""


def _gone(error: Exception) -> HarnessError:
    return HarnessError(f"the nursery is gone ({type(error).__name__})")


def _tasks_of_user() -> int:
    """Return how many tasks this user has now: RLIMIT_NPROC counts all of them."""
    user, count = os.getuid(), 0
    for entry in os.scandir("/proc"):
        with suppress(OSError):
            if entry.name.isdigit() and entry.stat().st_uid == user:
                count += len(os.listdir(f"/proc/{entry.name}/task"))
    return count


class NotebookSession:
    """A session that ran one student's notebook, and answers checks about it.

    A cell that ends the session, by a limit or by itself, is left out and the notebook is run
    again without it, so that every other cell counts.

    Attributes:
        runs: what came of each cell, by its number.
        anew: whether the notebook was run again for a check, because it started threads.

    Args:
        nursery: which forks the session.
        cells: the code cells to run, as (number, source).
        deadline: a time of `time.monotonic` at which the whole submission must be done.

    Raises:
        HarnessError: the nursery is gone, or its session ended before it ran a cell.
    """

    def __init__(self, nursery: Nursery, cells: Sequence[tuple[int, str]], deadline: float) -> None:
        self._nursery, self._cells, self._deadline = nursery, list(cells), deadline
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
            self.runs[culprit.number] = culprit
            self.close()
        self.close()

    def _run(self, channel: Channel) -> CellRun | None:
        """Run the cells; return the one that ended the session, None if none did."""
        cells = [cell for cell in self._cells if not self._left_out(cell[0])]
        current: int | None = None
        limit = ANSWER_SECONDS
        try:
            body = json.dumps(cells).encode()
            channel.send(Message("run", bodies=[body]), self._until(limit))
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
                raise HarnessError("a session may not fork: too many processes")
            if answer == "threads":
                self.anew = True
                if self._fresh:
                    self._fresh = False
                    return self._channel
            self.close()
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
            self.close()

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
            raise StudentKilled("the code ended its own process") from None
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
