"""The nursery: a warm process of ours that forks sessions and never runs a student's code.

It is started as a program with a clean environment; see `autograder.sandbox.session` for the
grader's side. It imports what notebooks need once, so that a session starts in milliseconds.
"""

import contextlib
import gc
import importlib
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from autograder.sandbox.cgroup import PREFIX, enter, stale_folders
from autograder.sandbox.channel import Channel, ChannelClosed
from autograder.sandbox.limits import MB, Limits
from autograder.sandbox.process import adopt_orphans, children_of, die_with_parent
from autograder.sandbox.wire import Message
from autograder.sandbox.worker import make_shell, serve_session

__all__ = ["main"]

MAX_BYTES = 1 << 20
# What a module imports when it is first used, and every session would import anew.
LAZY_IMPORTS = {"torch": ("torch._dynamo",)}  # by the first optimizer: 1.2 s
OTHER_TASKS = 1024  # that this user may start elsewhere while a session lasts
ENDING_SECONDS = 1.0  # for a process that has closed its channel to be gone
REMOVE_SECONDS = 2.5  # three times of it are less than the grader waits


def main(descriptor: int, settings: dict[str, Any]) -> None:
    """Warm up, say so, then start and end sessions until the grader closes the channel.

    The kernel closes it too when the grader is killed: so there is time to kill what a session
    left behind, which a signal at the parent's death would not leave.

    Args:
        descriptor: a connected socket, inherited from the grader.
        settings: ``limits``, ``preload`` (modules to import), ``device`` and ``cgroup`` (folders).
    """
    adopt_orphans()  # so that nothing that a session leaves behind is out of reach
    channel = Channel(socket.socket(fileno=descriptor), MAX_BYTES)
    for stale in stale_folders(Path(tempfile.gettempdir())):
        _remove(str(stale))
    shell = _warm_up(settings["preload"])
    gc.collect()
    gc.freeze()
    try:
        channel.send(Message("ready", number=len(os.listdir("/proc/self/task"))))
        while True:
            request = channel.receive()
            if request.kind == "start":
                channel.send(_start(channel, shell, settings))
            else:
                by_itself = request.values == [True]
                channel.send(Message("ended", number=_end(request.number, by_itself)))
                _remove(request.text)
    except ChannelClosed:
        _kill_children()


def _start(channel: Channel, shell: Any, settings: dict[str, Any]) -> Message:
    """Fork a session that speaks on the socket which the grader passes; return what to tell it."""
    stream = channel.receive_socket()
    folder = tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-")
    nursery = os.getpid()
    # RLIMIT_NPROC counts all tasks of this user, and others come and go.
    others = _processes_of_user() + OTHER_TASKS if not settings["cgroup"] else OTHER_TASKS
    child = os.fork()
    if child == 0:
        channel.close()
        limits = Limits(**settings["limits"])
        limits = replace(limits, processes=limits.processes + others)
        _become_session(nursery, stream, folder, limits, settings)
        serve_session(Channel(stream, limits.message_mb * MB), shell)
        os._exit(0)
    stream.close()
    return Message("started", text=folder, number=child)


def _warm_up(preload: list[str]) -> Any:
    for name in preload:
        importlib.import_module(name)
        for lazy in LAZY_IMPORTS.get(name, ()):
            with contextlib.suppress(ImportError):
                importlib.import_module(lazy)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    return make_shell()


def _become_session(
    nursery: int, stream: socket.socket, folder: str, limits: Limits, settings: dict[str, Any]
) -> None:
    """Turn this fork into a session's process: own group, folder, descriptors and limits."""
    os.setsid()
    die_with_parent(nursery)
    enter(settings["cgroup"])
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    keep = stream.fileno()
    os.closerange(3, keep)
    os.closerange(keep + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    os.chdir(folder)
    os.environ.update(HOME=folder, TMPDIR=folder)
    tempfile.tempdir = folder
    for name, value in (
        ("RLIMIT_AS", limits.memory_mb * MB),
        ("RLIMIT_CPU", limits.cpu_seconds),
        ("RLIMIT_FSIZE", limits.file_mb * MB),
        ("RLIMIT_NOFILE", 256),
        ("RLIMIT_CORE", 0),
        ("RLIMIT_NPROC", limits.processes),
    ):
        if name == "RLIMIT_AS" and settings["device"] == "cuda":
            continue  # CUDA maps far more than it uses
        _lower_limit(getattr(resource, name), value)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write past the limit raises OSError


def _lower_limit(which: int, value: int) -> None:
    """Set a limit, unless the machine has set a lower one."""
    hard = resource.getrlimit(which)[1]
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(which, (value, value))


def _end(session: int, by_itself: bool) -> int:
    """Kill a session and everything that it started; return how it had ended by itself, or 0.

    Args:
        session: its process.
        by_itself: whether it closed its channel, so that it is ending or pretends to.
    """
    status = 0
    until = time.monotonic() + (ENDING_SECONDS if by_itself else 0.0)
    while True:
        ended, status = os.waitpid(session, os.WNOHANG)
        if ended or time.monotonic() >= until:
            break
        time.sleep(0.001)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(session, signal.SIGKILL)
    _kill_children()
    return status


def _kill_children() -> None:
    """Kill all children until there are none: orphans arrive one generation at a time."""
    for _ in range(1000):
        children = children_of(os.getpid())
        if not children:
            return
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(0.0005)


def _remove(folder: str) -> None:
    """Remove a session's folder, whatever the student's code has made in it.

    By `rm`, which a hundred thousand nested folders do not exhaust as they do a recursive function.
    """
    with contextlib.suppress(OSError):
        os.rmdir(folder)  # mostly nothing was written
        return
    for command in (["rm", "-rf"], ["chmod", "-R", "u+rwx"], ["rm", "-rf"]):
        if os.path.lexists(folder):
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                subprocess.run(
                    [*command, "--", folder],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    timeout=REMOVE_SECONDS,
                    check=False,
                )


def _processes_of_user() -> int:
    """Return how many tasks this user has now: RLIMIT_NPROC counts all of them."""
    user, count = os.getuid(), 0
    for entry in os.scandir("/proc"):
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and entry.stat().st_uid == user:
                count += len(os.listdir(f"/proc/{entry.name}/task"))
    return count


if __name__ == "__main__":
    main(int(sys.argv[1]), json.loads(sys.argv[2]))
