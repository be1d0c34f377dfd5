"""The walls around a session at each isolation level: how it is forked, shut in and ended.

========== ================================ ====================================================
level      where                            walls
========== ================================ ====================================================
namespaces root, or user namespaces         own process, mount, network, IPC, host and user
                                            names, a private root; Landlock where there is one
bubblewrap an ordinary user with bubblewrap bubblewrap's box around the fork server, Landlock in it
own user   root in a container              an own user for the sessions, Landlock
none       only where somebody insists      control groups and rlimits
========== ================================ ====================================================

At all levels but the last, a session has no privileges, an allow list of system calls, and limits.
"""

import contextlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Protocol

from autograder.sandbox import kernel
from autograder.sandbox.isolation import landlock
from autograder.sandbox.isolation.box import (
    COUNTERS,
    FOLDER,
    enter_box,
    furnish_session,
    gpu_nodes,
    readable_paths,
)
from autograder.sandbox.limits import Limits
from autograder.sandbox.protocol.settings import Isolation, Settings

__all__ = [
    "SHARED_MEMORY",
    "NotToBeHad",
    "Walls",
    "bubblewrap_command",
    "kill_children",
    "remove_tree",
    "user_of",
    "walls_of",
]

SHARED_MEMORY = "/dev/shm"
REMOVE_SECONDS = 2.5  # three times of it are less than the grader waits
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")


class NotToBeHad(Exception):
    """This machine does not have what an isolation level needs."""


class Walls(Protocol):
    """How a fork server's sessions are kept apart from everything else."""

    def settle(self) -> None:
        """Make ready, in the fork server; raise `OSError` or `NotToBeHad` where that cannot be."""

    def fork(self) -> int:
        """Fork a session's process: return its number, in itself 0."""

    def shut_in(self) -> str:
        """Shut this process in, while it is still ours; return its own, empty folder."""

    def paths(self) -> tuple[list[str], list[str]]:
        """Return what a session may read and what it may write, for Landlock; empty is no rule."""

    def end(self, session: int, gone: bool) -> None:
        """Kill a session and all that it started, and remove its files.

        Args:
            session: its process.
            gone: whether that has ended and been waited for.
        """


def walls_of(settings: Settings) -> Walls:
    """Return the walls of the isolation level that a fork server's settings name."""
    limits, gpu, user = settings.limits, settings.gpu, settings.user
    nodes = gpu_nodes(settings.card) if gpu else []
    assert user is not None
    match settings.isolation:
        case Isolation.NAMESPACES:
            return Namespaces(limits, user, readable_paths(settings.preload, gpu), nodes)
        case Isolation.BUBBLEWRAP:
            return InBubblewrap(tempfile.gettempdir(), nodes)
        case Isolation.OWN_USER:
            return OwnUser(settings.folder, user, readable_paths(settings.preload, gpu), nodes)
        case Isolation.UNWALLED:
            return Unwalled(settings.folder)


def user_of(process: int) -> int:
    """Return the number of a user that is nobody's, for the sessions of one fork server.

    Args:
        process: the number of a process of the fork server, which no other fork server has.
    """
    if os.geteuid() != 0:
        return os.getuid()
    top = max(sum(map(int, line.split()[::2])) for line in _user_map())
    low, count = (1 << 30, 1 << 30) if top > 1 << 31 else (top // 2, top // 2)
    return low + process % count if top > 1 else 0


def bubblewrap_command(settings: Settings) -> list[str]:
    """Return the start of a command that runs a program in bubblewrap's box.

    Raises:
        NotToBeHad: bubblewrap is not installed.
    """
    program = shutil.which("bwrap")
    if program is None:
        raise NotToBeHad("bubblewrap is not installed")
    gpu = settings.gpu
    command = [program, "--unshare-all", "--die-with-parent", "--as-pid-1", "--new-session"]
    command += ["--hostname", "session", "--proc", "/proc", "--dev", "/dev"]
    for path in readable_paths(settings.preload, gpu):
        if os.path.islink(path):
            command += ["--symlink", os.readlink(path), path]
        else:
            command += ["--ro-bind", path, path]
    for name in COUNTERS:
        if os.path.exists(f"/proc/{name}"):
            command += ["--ro-bind", "/dev/null", f"/proc/{name}"]
    for node in gpu_nodes(settings.card) if gpu else ():
        command += ["--dev-bind-try", node, node]
    size = str(settings.limits.disk_mb << 20)
    command += ["--size", size, "--tmpfs", FOLDER, "--chdir", FOLDER, "--setenv", "TMPDIR", FOLDER]
    below = any(path.startswith("/tmp/") for path in command)
    return command if below else [*command, "--symlink", FOLDER, "/tmp"]


class Namespaces:
    """Namespaces: every session has namespaces of its own in the fork server's private root."""

    def __init__(self, limits: Limits, user: int, readable: list[str], nodes: list[str]) -> None:
        self._limits, self._user, self._readable, self._nodes = limits, user, readable, nodes
        self._own = -1  # the fork server's own process namespace, to which it returns

    def settle(self) -> None:
        """Move into namespaces and a root of our own; those of users and processes are new."""
        own = kernel.Namespace
        kernel.unshare(own.MOUNT | own.NETWORK | own.IPC | own.HOST | own.CGROUP)
        enter_box(self._readable, {self._user}, self._nodes)
        os.environ["TMPDIR"] = FOLDER
        self._own = os.open("/proc/self/ns/pid", os.O_RDONLY)

    def fork(self) -> int:
        """Fork the first process of a new process namespace: all others end with it."""
        kernel.unshare(kernel.Namespace.PROCESS)
        child = kernel.fork()
        if child:
            kernel.setns(self._own, kernel.Namespace.PROCESS)
        return child

    def shut_in(self) -> str:
        """Give this process its own mounts, then the sessions' own user."""
        kernel.unshare(kernel.Namespace.MOUNT | kernel.Namespace.IPC)
        furnish_session(self._limits, self._user)
        _become(self._user)
        return FOLDER

    def paths(self) -> tuple[list[str], list[str]]:
        """Return everything that is there, and the session's own folders."""
        if landlock.abi() == 0:
            return [], []
        return ["/"], [FOLDER, "/dev/shm", *_DEVICES, *self._nodes]

    def end(self, session: int, gone: bool) -> None:
        """Kill the first process of the namespace; its files were in its own memory."""
        if not gone:
            os.kill(session, signal.SIGKILL)
            os.waitpid(session, 0)


class _InFolders:
    """Walls in which a session's files lie in a folder, which is removed behind it."""

    def __init__(self, parent: str) -> None:
        self._parent, self._folder = parent, ""

    def fork(self) -> int:
        self._folder = tempfile.mkdtemp(dir=self._parent)
        return kernel.fork()

    def shut_in(self) -> str:
        return self._folder

    def paths(self) -> tuple[list[str], list[str]]:
        return [], []

    def end(self, session: int, gone: bool) -> None:
        self._kill(session)
        kill_children()
        remove_tree(self._folder)

    def _kill(self, session: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(session, signal.SIGKILL)


class InBubblewrap(_InFolders):
    """Bubblewrap: the fork server is the first process of its box; Landlock keeps that safe."""

    def __init__(self, parent: str, nodes: list[str]) -> None:
        super().__init__(parent)
        self._nodes = nodes

    def settle(self) -> None:
        """Look for what keeps a session from its fork server, which is of the same user."""
        _need_landlock()

    def paths(self) -> tuple[list[str], list[str]]:
        """Return everything in the box, and the session's own folder."""
        return ["/"], [self._folder, *_DEVICES, *self._nodes]

    def _kill(self, session: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)  # all in this box but its first process


class OwnUser(_InFolders):
    """Own user: the sessions have a user of their own, and Landlock hides the file system."""

    def __init__(self, parent: str, user: int, readable: list[str], nodes: list[str]) -> None:
        super().__init__(parent)
        self._user, self._readable, self._nodes = user, readable, nodes

    def settle(self) -> None:
        """Look for what hides the grader's files."""
        _need_landlock()
        if os.geteuid() != 0 or self._user == 0:
            raise NotToBeHad("only root can give sessions a user of their own")
        if closed := [p for p in map(_closed_above, self._readable) if p]:
            raise NotToBeHad(f"only its owner may enter {closed[0]}, where the interpreter is")

    def fork(self) -> int:
        """Fork a process whose folder is the sessions' own user's."""
        self._folder = tempfile.mkdtemp(dir=self._parent)
        os.chown(self._folder, self._user, self._user)
        return kernel.fork()

    def shut_in(self) -> str:
        """Become the sessions' own user."""
        _become(self._user)
        return self._folder

    def paths(self) -> tuple[list[str], list[str]]:
        """Return what the box of namespaces would hold, and the session's own folder."""
        return [*self._readable, "/proc"], [self._folder, *_DEVICES, *self._nodes]

    def _kill(self, session: int) -> None:
        """Kill all processes of the user at once, by one of them."""
        child = os.fork()
        if child == 0:
            try:
                _become(self._user)
                os.kill(-1, signal.SIGKILL)
            finally:
                os._exit(0)
        os.waitpid(child, 0)


class Unwalled(_InFolders):
    """None: a session is a process like any other of this user."""

    def settle(self) -> None:
        """Nothing is to be made ready."""


def kill_children() -> None:
    """Kill all children until there are none: orphans arrive one generation at a time."""
    for _ in range(1000):
        children = kernel.children_of(os.getpid())
        if not children:
            return
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def remove_tree(folder: str) -> None:
    """Remove a folder, whatever a student's code has made in it, or a file.

    By `rm`, which a hundred thousand nested folders do not exhaust as they do a recursive function.
    A supervisor cannot start it any more when its fork server was the first process of a namespace
    and has ended; there no student's code writes into the folder, and a recursive function will do.
    """
    for remove in (os.rmdir, os.unlink):  # mostly nothing was written
        with contextlib.suppress(OSError):
            remove(folder)
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
    if os.path.lexists(folder):
        shutil.rmtree(folder, ignore_errors=True)


def _become(user: int) -> None:
    """Become another user, for good; nothing is to be done if we are it."""
    if os.getuid() != user:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)


def _closed_above(path: str) -> str | None:
    """Return a folder above a path that only its owner may enter."""
    for folder in map(str, Path(path).parents):
        if not os.stat(folder).st_mode & stat.S_IXOTH:
            return folder
    return None


def _need_landlock() -> None:
    if landlock.abi() < landlock.NEEDED_ABI:
        raise NotToBeHad(f"Landlock's version {landlock.NEEDED_ABI} is not in this kernel")


def _user_map() -> list[str]:
    try:
        return Path("/proc/self/uid_map").read_text(encoding="ascii").splitlines()
    except OSError:
        return ["0 0 1"] if sys.platform != "linux" else ["0 0 4294967295"]
