"""The warm process of a fork server, which forks sessions and never runs a student's code.

Its supervisor starts it behind the walls of an isolation level (see
`autograder.sandbox.client.supervisor`). It imports what notebooks need once, so that a session
starts in milliseconds.
"""

import functools
import gc
import os
import resource
import signal
import socket
import sys
import tempfile
import time
from typing import Any

from autograder.sandbox import kernel
from autograder.sandbox.inside import device
from autograder.sandbox.inside.cells import make_shell
from autograder.sandbox.inside.preload import import_all, look_here
from autograder.sandbox.inside.worker import rehearse, serve_session
from autograder.sandbox.isolation import landlock
from autograder.sandbox.isolation.cgroup import enter
from autograder.sandbox.isolation.seccomp import seccomp_program
from autograder.sandbox.isolation.walls import NotToBeHad, Walls, kill_children, walls_of
from autograder.sandbox.limits import MB
from autograder.sandbox.protocol.channel import Channel, ChannelClosed
from autograder.sandbox.protocol.kinds import (
    FROM_GRADER,
    FROM_OWNER,
    End,
    Ended,
    Failed,
    Ready,
    Start,
    Started,
    Unavailable,
)
from autograder.sandbox.protocol.settings import Settings

__all__ = ["main"]

MAX_BYTES = 1 << 20
ENDING_SECONDS = 1.0  # for a process that has closed its channel to be gone
MAX_FILES = 256  # open at one time
OWN_TASKS = 8  # of a session's user that are not the student's


def main(descriptor: int, settings: Settings) -> None:
    """Warm up, say so, then start and end sessions until the grader closes the channel.

    Args:
        descriptor: a connected socket, inherited from the grader.
        settings: of this fork server.
    """
    kernel.adopt_orphans()  # so that nothing that a session leaves behind is out of reach
    channel = Channel(socket.socket(fileno=descriptor), MAX_BYTES, FROM_OWNER)
    try:
        walls = walls_of(settings)
        walls.settle()
        start = _Start(walls, settings)
    except (NotToBeHad, OSError, KeyError) as reason:
        channel.send(Unavailable(str(reason)))
        return
    try:
        shell = _warm_up(settings)
        rehearse(shell)
        if device.Device().is_in_use():
            raise RuntimeError("something that is preloaded has woken a GPU")
    except Exception as error:
        channel.send(Failed(f"{type(error).__name__}: {error}"))
        return
    gc.collect()
    gc.freeze()
    kernel.use_large_pages()
    try:
        channel.send(Ready(len(os.listdir("/proc/self/task"))))
        while True:
            match channel.receive():
                case Start():
                    channel.send(Started(start.session(channel, shell)))
                case End(session, by_itself):
                    channel.send(Ended(*_end(walls, session, by_itself)))
    except ChannelClosed:
        kill_children()


class _Start:
    """What it takes to start a session: the same for each one of a fork server."""

    def __init__(self, walls: Walls, settings: Settings) -> None:
        self._walls, self._entries = walls, settings.entries
        self._isolation, self._gpu = settings.isolation, settings.gpu
        self._limits = settings.limits
        self._tasks = self._limits.processes + OWN_TASKS
        own_names = os.readlink("/proc/self/ns/user") != settings.user_names
        if not self._isolation.has_own_user and not own_names:  # others of this user count too
            self._tasks += settings.others
        self._filter = (
            seccomp_program(devices=self._gpu, sockets=self._isolation.has_own_mounts)
            if self._isolation.is_walled
            else b""
        )

    def session(self, channel: Channel, shell: Any) -> int:
        """Fork a session that speaks on the socket which the grader passes; return its number."""
        stream = channel.receive_socket()
        fork_server = os.getpid()
        child = self._walls.fork()
        if child == 0:
            channel.close()
            grader = Channel(stream, self._limits.message_mb * MB, FROM_GRADER)
            try:
                self._become_session(stream.fileno(), fork_server)
            except OSError as error:
                grader.send(Unavailable(f"a session cannot be shut in: {error}"))
                os._exit(1)
            serve_session(grader, shell)
            os._exit(0)
        stream.close()
        return child

    def _become_session(self, stream: int, fork_server: int) -> None:
        """Turn this fork into a session's process, from which there is no way back."""
        os.setsid()
        kernel.adopt_orphans()  # of its checks, which it ends and waits for
        enter(self._entries)
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        folder = self._walls.shut_in()
        kernel.die_with_parent(None if self._isolation.has_own_processes else fork_server)
        os.chdir(folder)
        sys.path.insert(0, "")  # modules that a notebook writes are found, as in Jupyter
        if os.environ.get("HOME") != folder:
            _set_home(folder)
        os.closerange(3, stream)
        os.closerange(stream + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        self._lower_limits()
        if self._isolation.is_walled:
            kernel.forgo_privileges()
            readable, writable = self._walls.paths()
            if readable:
                landlock.restrict(readable, writable)
            kernel.install_seccomp(self._filter)

    def _lower_limits(self) -> None:
        limits = self._limits
        for name, value in (
            ("RLIMIT_AS", limits.memory_mb * MB),
            ("RLIMIT_CPU", limits.cpu_seconds),
            ("RLIMIT_FSIZE", limits.file_mb * MB),
            ("RLIMIT_NOFILE", MAX_FILES),
            ("RLIMIT_CORE", 0),
            ("RLIMIT_NPROC", self._tasks),
        ):
            if name == "RLIMIT_AS" and self._gpu:
                continue  # CUDA maps far more than it uses
            which = getattr(resource, name)
            hard = resource.getrlimit(which)[1]
            if hard != resource.RLIM_INFINITY:
                value = min(value, hard)  # the machine has set a lower one
            resource.setrlimit(which, (value, value))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write past the limit raises OSError


def _set_home(folder: str) -> None:
    os.environ.update(HOME=folder, TMPDIR=folder)
    tempfile.tempdir = folder


def _warm_up(settings: Settings) -> Any:
    _set_home(tempfile.gettempdir())  # where every session's own will be, at the best level
    look_here()
    import_all(settings.preload)
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_num_threads(1)
        _run_eagerly(torch)
        if settings.gpu:
            device.make_reproducible()
            device.use_no_more(settings.limits)
    os.environ["IPYTHONDIR"] = tempfile.gettempdir()
    return make_shell()


def _run_eagerly(torch: Any) -> None:
    """Have ``torch.compile`` compile nothing: there is no compiler behind the walls, nor time."""
    original = torch.compile

    def compile_nothing(model: Any = None, **_: Any) -> Any:
        return compile_nothing if model is None else original(model, backend="eager")

    torch.compile = functools.wraps(original)(compile_nothing)
    if hasattr(torch.compiler, "set_stance"):  # before 2.6 it goes through the code, and no further
        torch.compiler.set_stance("force_eager")


def _end(walls: Walls, session: int, by_itself: bool) -> tuple[int, float]:
    """Kill a session and everything that it started.

    Returns:
        How it had ended by itself, or 0, and the seconds of processor time that it had used then.

    Args:
        walls: the fork server's.
        session: its process.
        by_itself: whether it closed its channel, so that it is ending or pretends to.
    """
    until = time.monotonic() + (ENDING_SECONDS if by_itself else 0.0)
    while True:
        ended, status, used = os.wait4(session, os.WNOHANG)
        if ended or time.monotonic() >= until:
            break
        time.sleep(0.001)
    walls.end(session, bool(ended))
    return status, used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main(int(sys.argv[1]), Settings.of(sys.argv[2]))
