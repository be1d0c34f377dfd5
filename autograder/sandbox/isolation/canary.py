"""The canary: escapes that we try ourselves, in a real session, before a student's code may run.

A lock that was set up and does not hold is worse than none, so every run tries them by doing:
what `autograder.sandbox.isolation.escapes` lists must all be held.
"""

import os
import secrets
import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from autograder.authoring.subject import Subject
from autograder.errors import HarnessError, StudentError, UnsafeHere
from autograder.sandbox.client.fork_server import ForkServer, environment_of
from autograder.sandbox.client.session import CodeCell, NotebookSession
from autograder.sandbox.isolation.box import COUNTERS, gpu_nodes
from autograder.sandbox.isolation.walls import SHARED_MEMORY
from autograder.sandbox.protocol.settings import Isolation

__all__ = ["MIN_ESCAPES", "attempt", "send_canary"]

MIN_ESCAPES = 100  # that must have been tried
SECONDS = 30.0
CELL = "from autograder.sandbox.isolation.escapes import attempt_all"


def send_canary(fork_server: ForkServer, private: Sequence[Path] = ()) -> int:
    """Try every escape in a session of a fork server; return how many there were.

    Args:
        fork server: whose sessions are to be trusted with students' code.
        private: files and folders that no session may find.

    Raises:
        UnsafeHere: at least one got out.
    """
    tried, got_out = attempt(fork_server, private)
    if got_out:
        found = "\n  ".join(f"{name}: {what}" for name, what in sorted(got_out.items()))
        raise UnsafeHere(
            f"isolation level {fork_server.isolation} does not hold here; of {tried} escapes, "
            f"{len(got_out)} got out:\n  {found}"
        )
    return tried


def attempt(fork_server: ForkServer, private: Sequence[Path] = ()) -> tuple[int, dict[str, str]]:
    """Try every escape; return how many were tried, and what got out of those that did.

    Raises:
        HarnessError: they could not be tried.
    """
    with _witness(fork_server, private) as witness:
        try:
            notebook = NotebookSession(fork_server, [CodeCell(1, CELL)], time.monotonic() + SECONDS)
            with notebook, notebook.check(SECONDS) as session:
                tried, got_out = Subject(session).attempt_all(witness)
        except StudentError as error:
            raise HarnessError(f"the canary did not come back: {error}") from None
    if tried < MIN_ESCAPES:
        raise HarnessError(f"the canary tried {tried} escapes, not {MIN_ESCAPES}")
    return tried, got_out


@contextmanager
def _witness(fork_server: ForkServer, private: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """Put things outside of the sessions that an escape would find, and say where they are."""
    marker = secrets.token_hex(16)
    with ExitStack() as stack:
        # In folders that the supervisor removes, should we be killed meanwhile.
        folder = stack.enter_context(tempfile.TemporaryDirectory(dir=fork_server.folder))
        os.chmod(folder, 0o777)  # so that only the walls are in the way
        paths = [Path(folder, "for-all"), Path(folder, "for-us")]
        shared = Path(SHARED_MEMORY, os.path.basename(fork_server.folder))
        with suppress(OSError):
            shared.write_text(marker)
            stack.callback(shared.unlink)
        for path, mode in zip(paths, (0o666, 0o600), strict=True):
            path.write_text(marker)
            path.chmod(mode)
        tcp, udp, abstract, named = (stack.enter_context(s) for s in _sockets(folder, marker))
        os.chmod(named.getsockname(), 0o777)
        processes = {os.getpid(), os.getppid(), *fork_server.processes()}
        boxed, gpu = fork_server.isolation is Isolation.BUBBLEWRAP, fork_server.gpu
        files_shared = fork_server.isolation is Isolation.OWN_USER  # they are the container's own
        yield {
            "marker": marker,
            "files": [str(path) for path in paths],
            "folders": [folder, os.getcwd(), str(Path.home())],
            "shared": str(shared),
            "private": [str(path) for path in private if path.exists()],
            "processes": [(p, began) for p in sorted(processes) if (began := _start_of(p))],
            "keeper": [1] if boxed else [],  # the fork server, where sessions see it
            # Bubblewrap adds two.
            "environment": [*environment_of(fork_server.device, gpu), "PWD", "TMPDIR"],
            "user": os.getuid(),
            "own_mounts": not files_shared,
            "counters": () if files_shared else COUNTERS,
            "root": boxed and os.getuid() == 0,  # bubblewrap's root is nobody's
            "gpus": list(gpu_nodes(gpu)) if fork_server.device == "cuda" else [],
            "tcp": tcp.getsockname()[1],
            "udp": udp.getsockname()[1],
            "abstract": marker,
            "socket": named.getsockname(),
        }
        assert abstract.fileno() >= 0


def _sockets(folder: str, name: str) -> Iterator[socket.socket]:
    """Give sockets that listen: TCP, UDP, an abstract one of Unix and one in the file system."""
    kinds: list[tuple[int, int, Any]] = [
        (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
        (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
        (socket.AF_UNIX, socket.SOCK_STREAM, f"\0{name}"),
        (socket.AF_UNIX, socket.SOCK_STREAM, os.path.join(folder, "socket")),
    ]
    for family, kind, address in kinds:
        listener = socket.socket(family, kind)
        listener.bind(address)
        if kind == socket.SOCK_STREAM:
            listener.listen()
        yield listener


def _start_of(process: int) -> str:
    """Return when a process was started, in the kernel's ticks; "" if it is no more."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""
