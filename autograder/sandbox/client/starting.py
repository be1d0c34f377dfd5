"""The starter's own process: it has imported what all fork servers need, and forks supervisors.

It is the program that a grader starts, with a clean environment and outside of all walls; each fork
is the supervisor of one fork server. It runs no student's code, and holds nothing of the grader's.
"""

import gc
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress

from autograder.sandbox import kernel
from autograder.sandbox.client import supervisor
from autograder.sandbox.inside.preload import import_all, without_home
from autograder.sandbox.isolation.cgroup import PREFIX
from autograder.sandbox.protocol.settings import Settings

__all__ = ["MAX_REQUEST", "main"]

MAX_REQUEST = 1 << 17  # bytes of a request, which are the settings of a fork server
THREAD_SECONDS = 1.0  # for a thread that has been told to end, such as the timer over the fonts
# Of which every fork server makes one, with what it imports only then.
SHELL = (
    *("IPython.core.interactiveshell", "IPython.core.application", "IPython.core.completerlib"),
    *("IPython.core.magics", "IPython.core.oinspect"),
)


def main(descriptor: int, modules: Sequence[str]) -> None:
    """Fork a supervisor for each request, until nobody can ask any more.

    A request is the settings of a fork server, with two sockets: the fork server's, and one for the
    reply, which is the supervisor's number with a descriptor that stands for it.

    Args:
        descriptor: a socket that keeps requests apart, inherited from the grader.
        modules: to import before the first request.
    """
    with suppress(ImportError):  # of what is not there the fork server tells
        import_all([*SHELL, *(name for name in modules if not _asks_for_folders(name))])
        with without_home(f"{PREFIX}{os.getpid()}-"):
            import_all([name for name in modules if _asks_for_folders(name)])
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the grader waits for them, by the descriptor
    if (threads := _threads()) != 1:
        raise RuntimeError(f"what starts fork servers has {threads} threads; it may not fork")
    gc.collect()
    gc.freeze()
    kernel.use_large_pages()
    asked = socket.socket(fileno=descriptor)
    while True:
        text, passed, _, _ = socket.recv_fds(asked, MAX_REQUEST, 2)
        if not text:
            return
        stream, reply = passed
        child = os.fork()
        if child == 0:
            _become_supervisor(stream, Settings.of(text.decode()))
        _tell(socket.socket(fileno=reply), child)
        os.close(stream)


def _asks_for_folders(module: str) -> bool:
    """Return whether a module asks, when it is imported, for folders: those of the walls, later."""
    return module.partition(".")[0] == "matplotlib"


def _threads() -> int:
    """Return how many threads there are, once those that an import has ended are gone."""
    until = time.monotonic() + THREAD_SECONDS
    while (found := len(os.listdir("/proc/self/task"))) != 1 and time.monotonic() < until:
        time.sleep(0.001)
    return found


def _tell(reply: socket.socket, child: int) -> None:
    """Tell who asked of a child, who may be gone by now, as may the child."""
    with reply, suppress(OSError):
        process = os.pidfd_open(child)
        socket.send_fds(reply, [str(child).encode()], [process])
        os.close(process)


def _become_supervisor(stream: int, settings: Settings) -> None:
    """Be the supervisor of a fork server in this fork, and end."""
    code = 1
    try:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.closerange(3, stream)
        os.closerange(stream + 1, os.sysconf("SC_OPEN_MAX"))
        tempfile.tempdir = None  # the walls say where temporary files are
        supervisor.main(stream, settings)
        code = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
    os._exit(0)  # without a look through all of torch
