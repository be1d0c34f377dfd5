"""The starter as the grader sees it: it starts supervisors, all of one environment.

To import torch takes three seconds, and a run has a fork server for each worker and each
assignment. All of them are forks of one process, which imports it once, and what it needs.
"""

import atexit
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from autograder.errors import HarnessError
from autograder.sandbox.protocol.settings import Settings

__all__ = ["Starter", "Supervisor", "start_supervisor", "starter_for", "use"]

WARM_UP_SECONDS = 120.0
CLOSE_SECONDS = 5.0
MAX_REPLY = 100  # bytes: a number
# What is imported once for all fork servers.
_EARLY = frozenset({"numpy", "torch"})
_EARLY_TOO = frozenset({"matplotlib", "pytest", "scipy"})  # where somebody expects them
_NAMES = ("mnt", "net", "pid", "user")  # the namespaces that a process may have left since


class Supervisor:
    """A supervisor as its owner sees it.

    Args:
        pid: its number.
        descriptor: what stands for it, whatever becomes of the number.
    """

    def __init__(self, pid: int, descriptor: int) -> None:
        self.pid, self._descriptor = pid, descriptor

    def wait(self, seconds: float | None = None) -> None:
        """Wait until it has ended, at most that long."""
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        poll.poll(None if seconds is None else 1000 * seconds)

    def kill(self) -> None:
        """Kill it."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._descriptor, signal.SIGKILL)

    def end(self, seconds: float) -> None:
        """Wait that long for its end, then kill it; nothing, where that is done."""
        if self._descriptor >= 0:
            self.wait(seconds)
            self.kill()
            self.wait()
            os.close(self._descriptor)
            self._descriptor = -1


@dataclass(frozen=True)
class Starter:
    """What starts supervisors; another process can use it, too, when it is begun with it.

    Attributes:
        key: what all that it starts has in common.
        stream: on which it is asked; it ends when nobody holds this any more.
        process: its own, in the process that began it.
    """

    key: tuple[object, ...]
    stream: socket.socket = field(repr=False)
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def __reduce__(self) -> tuple[object, ...]:
        """Let it go to another process, which has not begun it."""
        return Starter, (self.key, self.stream)

    def start(self, settings: Settings, stream: socket.socket) -> Supervisor:
        """Start the supervisor of a fork server.

        Args:
            settings: the fork server's.
            stream: on which it speaks.

        Raises:
            OSError: the starter is gone, and has started nothing.
            HarnessError: it has gone meanwhile.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours:
            with theirs:
                passed = [stream.fileno(), theirs.fileno()]
                socket.send_fds(self.stream, [settings.text().encode()], passed)
            poll = select.poll()
            poll.register(ours, select.POLLIN)
            if poll.poll(1000 * WARM_UP_SECONDS):
                text, descriptors, _, _ = socket.recv_fds(ours, MAX_REPLY, 1)
                if descriptors:
                    return Supervisor(int(text), descriptors[0])
        raise HarnessError("the process that starts fork servers has ended")

    def close(self) -> None:
        """Use it no more; end it, if this process has begun it."""
        self.stream.close()
        if self.process is not None:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(CLOSE_SECONDS)
            self.process.kill()
            self.process.wait()


_starters: dict[tuple[object, ...], Starter] = {}  # that this process uses


def starter_for(
    environment: Mapping[str, str], preload: Iterable[str], expected: Iterable[str] = ()
) -> Starter:
    """Return the starter of fork servers with an environment and modules that they import.

    It lasts as long as this process, which begins it when it is first needed.

    Args:
        environment: all that they have.
        preload: of the modules, those that all of them can have imported beforehand are.
        expected: modules that most of them will import; one that is there already may have others.
    """
    modules = sorted(_EARLY.intersection(preload))
    names = (os.readlink(f"/proc/self/ns/{name}") for name in _NAMES)
    user = os.geteuid(), os.getegid()
    key = tuple(sorted(environment.items())), tuple(modules), user, tuple(names)
    if (known := _starters.get(key)) is not None:
        return known
    more = (name for name in expected if name.partition(".")[0] in _EARLY_TOO)
    begun = _begin(key, environment, [*modules, *sorted(more)])
    if (kept := _starters.setdefault(key, begun)) is not begun:  # another thread's was first
        begun.close()
    return kept


def use(starter: Starter) -> None:
    """Use a starter of the process that began this one."""
    _starters[starter.key] = starter


def start_supervisor(
    environment: Mapping[str, str], settings: Settings, stream: socket.socket
) -> Supervisor:
    """Start the supervisor of a fork server; see `Starter.start`.

    Raises:
        HarnessError: what starts it was killed.
    """
    starter = starter_for(environment, settings.preload)
    try:
        return starter.start(settings, stream)
    except HarnessError:
        _forget(starter)
        raise
    except OSError:  # it was killed before, and another one will do
        _forget(starter)
        return starter_for(environment, settings.preload).start(settings, stream)


def _begin(
    key: tuple[object, ...], environment: Mapping[str, str], modules: Iterable[str]
) -> Starter:
    stream, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    program = [sys.executable, "-I", "-m", "autograder.sandbox.client.starting"]
    with theirs:
        process = subprocess.Popen(
            [*program, str(theirs.fileno()), *modules],
            env=environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
    return Starter(key, stream, process)


def _forget(starter: Starter) -> None:
    _starters.pop(starter.key, None)
    starter.close()


@atexit.register
def _end() -> None:
    while _starters:
        _starters.popitem()[1].close()
