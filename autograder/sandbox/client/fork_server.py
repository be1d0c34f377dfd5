"""A fork server as the grader sees it: it is started behind its walls, and asked for sessions."""

import os
import signal
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from autograder.authoring.budget import GRADING
from autograder.errors import HarnessError, UnsafeHere, WireError
from autograder.sandbox.client.families import Families
from autograder.sandbox.client.gpu import DRIVER_SECONDS, environment_on
from autograder.sandbox.client.overuse import NO_KILLS, Kills, gpu_kills
from autograder.sandbox.client.starter import start_supervisor
from autograder.sandbox.isolation.cgroup import PREFIX, ControlGroup, stale_folders
from autograder.sandbox.isolation.walls import SHARED_MEMORY, remove_tree
from autograder.sandbox.kernel import children_of, queued_seconds_of, seconds_of, tasks_of_user
from autograder.sandbox.limits import MB, Limits
from autograder.sandbox.protocol.channel import Channel, ChannelClosed, ChannelTimeout
from autograder.sandbox.protocol.kinds import (
    FROM_FORK_SERVER,
    FROM_SESSION,
    End,
    Ended,
    Failed,
    Message,
    Ready,
    Start,
    Started,
    Unavailable,
)
from autograder.sandbox.protocol.settings import WALLED, Gpu, Isolation, Settings

__all__ = [
    "ANSWER_SECONDS",
    "ForkServer",
    "KilledFromOutside",
    "NoWalls",
    "Waiting",
    "environment_of",
]

M = TypeVar("M", bound=Message)
WARM_UP_SECONDS = 120.0
ANSWER_SECONDS = 10.0  # for what our own code does in a fork server or a session
CLOSE_SECONDS = 5.0  # for a fork server to end what it started
OTHER_TASKS = 1024  # that this user may start elsewhere while a session lasts

# All that a fork server, and so a session, has in its environment.
_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "MPLBACKEND": "Agg",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    GRADING: "1",
}


def environment_of(device: str, gpu: Gpu | None = None) -> dict[str, str]:
    """Return all that a fork server for a device has in its environment."""
    more = environment_on(gpu) if device == "cuda" else {"CUDA_VISIBLE_DEVICES": ""}
    return _ENVIRONMENT | more


@dataclass
class Waiting:
    """A session that waits for its notebook.

    ``number`` is 0 until the fork server has told it; ``kills`` is how many processes of the fork
    server's sessions had been ended for their memory before it started.
    """

    channel: Channel
    number: int = 0
    kills: Kills = NO_KILLS


class KilledFromOutside(HarnessError):
    """A session was killed, and as far as is known neither by our limits nor from within."""


class NoWalls(UnsafeHere):
    """This machine has no isolation level that will do; ``reasons`` says what each lacks."""

    def __init__(self, reasons: Mapping[Isolation, str]) -> None:
        self.reasons = dict(reasons)
        super().__init__(self.reasons)

    def __str__(self) -> str:
        lines = (f"\n  isolation level {level}: {why}" for level, why in self.reasons.items())
        return f"a student's code cannot be held safely on this machine{''.join(lines)}"


class ForkServer:
    """A warm process that forks sessions behind walls.

    A session is kept in reserve where the walls allow it, so that the next start takes no time.

    Args:
        limits: of every session.
        preload: modules to import before the first session.
        device: ``cpu`` hides every GPU from its sessions.
        gpu: the one that they see, if the device is ``cuda``; None is all of them.
        levels: the isolation levels that will do, in the order in which they are tried.

    Attributes:
        isolation: the level that it found.
        on_gpu, shares_gpu: whether sessions have a GPU, and whether others may use the same one.
        folder: for our own temporary files; the supervisor removes it too.

    Raises:
        NoWalls: this machine has none of the isolation levels.
        HarnessError: the fork server could not warm up.
    """

    def __init__(
        self,
        limits: Limits,
        preload: Sequence[str] = ("numpy",),
        device: str = "cpu",
        levels: Sequence[Isolation] = WALLED,
        gpu: Gpu | None = None,
    ) -> None:
        self.limits, self.device, self.gpu = limits, device, gpu
        self.on_gpu = device == "cuda"
        self.shares_gpu = self.on_gpu and limits.gpu_sessions > 1
        self._reserve: Waiting | None = None
        self._kills = NO_KILLS
        reasons = {}
        for level in levels:
            self.isolation = level
            if (reason := self._open(tuple(preload))) is None:
                return
            reasons[level] = reason
        raise NoWalls(reasons)

    def _open(self, preload: tuple[str, ...]) -> str | None:
        """Start the fork server at its isolation level; return why that cannot be."""
        self._cgroup = ControlGroup.create(self.limits)
        self._channel, theirs = Channel.pair(MB, FROM_FORK_SERVER)
        for parent in (tempfile.gettempdir(), SHARED_MEMORY):
            for stale in stale_folders(Path(parent)):
                remove_tree(str(stale))
        self.folder = tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-")
        os.chmod(self.folder, 0o711)
        settings = Settings(
            isolation=self.isolation,
            limits=self.limits,
            preload=preload,
            device=self.device,
            card=self.gpu,
            folder=self.folder,
            user_names=os.readlink("/proc/self/ns/user"),
            others=OTHER_TASKS + (0 if self._cgroup else tasks_of_user()),
            groups=tuple(map(str, self._cgroup.folders)) if self._cgroup else (),
            shared=tuple(map(str, self._cgroup.shared)) if self._cgroup else (),
        )
        try:
            with theirs:
                environment = environment_of(self.device, self.gpu)
                self._process = start_supervisor(environment, settings, theirs)
        except BaseException:
            self._channel.close()
            self._remove()
            raise
        try:
            ready = self._receive(Ready, WARM_UP_SECONDS)
            if ready.threads != 1:
                raise HarnessError(f"the fork server has {ready.threads} threads; it may not fork")
        except _NotToBeHad as reason:
            self.close()
            return str(reason)
        except BaseException:
            self.close()
            raise
        if self.isolation.has_own_processes:
            self._ask_to_start()
        return None

    def __enter__(self) -> "ForkServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> Waiting:
        """Return a session that waits for its notebook: the one in reserve, if there is one."""
        started = self._started()
        # What ended an earlier session says nothing of this one.
        started.kills = self._kills = self._count_kills()
        self._reserve = None
        if self.isolation.has_own_processes:
            try:
                self._ask_to_start()
            except HarnessError:
                started.channel.close()
                raise
        return started

    def end(self, session: Waiting, by_itself: bool = False) -> str:
        """End a session with everything that it started; say how it had ended by itself.

        Raises:
            KilledFromOutside: it was killed by somebody else.
            HarnessError: the fork server is gone.
        """
        if self._reserve is not None:
            self._started()  # its reply comes first
        self._send(End(session.number, by_itself))
        ended = self._receive(Ended, DRIVER_SECONDS if self.on_gpu else ANSWER_SECONDS)
        status = ended.status
        if os.WIFSIGNALED(status):
            if overuse := self._count_kills().since(session.kills, self.limits):
                return f"it {overuse}"
            number = os.WTERMSIG(status)
            if number == signal.SIGKILL and self._is_from_outside(ended.seconds):
                raise KilledFromOutside("a session was killed from outside")
            known = number in set(signal.Signals)
            return f"it was ended by {signal.Signals(number).name if known else f'signal {number}'}"
        return f"its process left with exit code {os.WEXITSTATUS(status)}"

    def overuse(self) -> str | None:
        """Return of what memory too much was used for which a process was ended since we asked."""
        before, self._kills = self._kills, self._count_kills()
        return self._kills.since(before, self.limits)

    def _count_kills(self) -> Kills:
        return Kills(self._cgroup.kills() if self._cgroup else 0, gpu_kills(self.folder))

    def _is_from_outside(self, used: float) -> bool:
        """Return whether a session that was killed was not by its limits, nor by itself.

        In a process namespace of its own it is the first process, which nothing inside can kill;
        the kernel kills it for its memory, which we have asked about, or for its processor time.
        """
        alone = self.isolation.has_own_processes and self._cgroup is not None
        return alone and used < 0.9 * self.limits.cpu_seconds

    def busy_seconds(self, forks: bool) -> float:
        """Return the processor's time that sessions have used, and what they started.

        Args:
            forks: without the sessions' own processes.
        """
        return sum(map(seconds_of, self.family(forks)))

    def queued_seconds(self, forks: bool) -> float | None:
        """Return how long the same have waited for a processor; None where nobody counts it."""
        queued = [queued_seconds_of(process) for process in self.family(forks)]
        known = [seconds for seconds in queued if seconds is not None]
        return sum(known) if known else None

    def family(self, forks: bool) -> set[int]:
        """Return the processes of sessions, and what they started.

        Args:
            forks: without the sessions' own processes.
        """
        return self._families().members(forks)

    def in_use(self) -> tuple[int, ...]:
        """Return the processes of the sessions that were given, each before what it started.

        A session's own process is among them where a fork of it answers: what a notebook has left
        running there, a signal's handler for one, shares memory with the fork.
        """
        reserve = self._started().number if self._reserve is not None else 0
        return self._families().without(reserve)

    def _families(self) -> Families:
        driver = self.gpu.smi if self.gpu is not None else ""
        return Families.below(self._process.pid, self.isolation.is_in_bubblewrap, driver)

    def processes(self) -> list[int]:
        """Return the numbers of our own processes that keep this fork server."""
        return [self._process.pid, *children_of(self._process.pid)]

    def close(self) -> None:
        """End the fork server and what it started."""
        self._channel.close()
        if self._reserve is not None:
            self._reserve.channel.close()
        self._process.end(CLOSE_SECONDS)
        self._remove()

    def _remove(self) -> None:
        """Remove what there is of it in the kernel and in folders."""
        if self._cgroup:
            self._cgroup.remove()
        remove_tree(self.folder)

    def _started(self) -> Waiting:
        if self._reserve is None:
            self._ask_to_start()
        started = self._reserve
        assert started is not None
        if not started.number:
            started.number = self._receive(Started, ANSWER_SECONDS).session
        return started

    def _ask_to_start(self) -> None:
        channel, theirs = Channel.pair(self.limits.message_mb * MB, FROM_SESSION)
        try:
            with theirs:
                self._send(Start())
                self._channel.send_socket(theirs)
        except (ChannelClosed, HarnessError) as error:
            channel.close()
            raise _gone(error) from None
        self._reserve = Waiting(channel)

    def _send(self, request: Message) -> None:
        try:
            self._channel.send(request, time.monotonic() + ANSWER_SECONDS)
        except (ChannelClosed, ChannelTimeout, WireError) as error:
            raise _gone(error) from None

    def _receive(self, expected: type[M], seconds: float) -> M:
        try:
            reply = self._channel.receive(time.monotonic() + seconds)
        except (ChannelClosed, ChannelTimeout, WireError) as error:
            raise _gone(error) from None
        if isinstance(reply, Unavailable):
            raise _NotToBeHad(reply.reason)
        if isinstance(reply, Failed):
            raise HarnessError(f"the fork server cannot warm up: {reply.reason}")
        if not isinstance(reply, expected):
            said = type(reply).__name__
            raise HarnessError(f"the fork server said {said}, expected {expected.__name__}")
        return reply


class _NotToBeHad(HarnessError):
    """The walls of an isolation level cannot be had on this machine."""


def _gone(error: Exception) -> HarnessError:
    return HarnessError(f"the fork server is gone ({type(error).__name__})")
