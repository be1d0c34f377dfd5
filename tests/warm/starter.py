"""The starter: it has imported what our commands and nbgrader's import, and forks them.

A fork has the arguments, the environment, the folder, the mount namespace and the open streams of
whoever asked, and runs the console script or the module as Python does. It differs from a process
of its own in what is imported when it begins, and nothing reads ``PYTHON*`` of its environment.

    python starter.py LISTENER LIFELINE FOLDER
"""

import atexit
import ctypes
import fcntl
import gc
import importlib
import marshal
import multiprocessing.util
import os
import runpy
import select
import signal
import socket
import struct
import sys
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

from autograder.sandbox.client.fork_server import environment_of
from autograder.sandbox.client.starter import Starter, starter_for, use

# Without torch: it starts threads, and most commands promise to do without.
MODULES = (
    *("autograder.cli", "autograder.display", "autograder.student.notebook"),
    *("autograder.compiler.build", "autograder.audit.prove", "autograder.audit.acceptance"),
    *("autograder.engines.local", "autograder.engines.record", "autograder.records.audit_page"),
    *("autograder.nbgrader_hooks.converters", "autograder.nbgrader_hooks.exchange"),
    *("autograder.nbgrader_hooks.exporters", "autograder.nbgrader_hooks.rubrics"),
    *("nbgrader.apps.nbgraderapp", "nbgrader.plugins", "ipykernel.connect"),
    *("alembic.script", "sqlalchemy.dialects.sqlite", "matplotlib.backends.backend_svg"),
    *("jupytext", "autograder.audit.publish", "autograder.audit.pool", "autograder.engines.run"),
    *("IPython.core.interactiveshell", "rich.progress", "multiprocessing.forkserver"),
)
STREAMS: dict[str, dict[str, Any]] = {  # as Python opens them
    "stdin": {},
    "stdout": {"mode": "w"},
    "stderr": {"mode": "w", "buffering": 1, "errors": "backslashreplace"},
}
MAX_BYTES = 1 << 20


def main(listener: int, lifeline: int, folder: str) -> None:
    """Fork commands until no process of the tests holds the lifeline any more."""
    for name in MODULES:
        importlib.import_module(name)
    use_once()
    os.fsync = lambda _: None  # as in the tests' own processes: nobody loses power
    of_fork_servers = share_starter()
    gc.collect()
    gc.freeze()
    assert len(os.listdir("/proc/self/task")) == 1, "a fork has one thread only"
    asked = socket.socket(fileno=listener)
    poll = select.poll()
    poll.register(asked, select.POLLIN)
    poll.register(lifeline, 0)  # tells of its end only
    while True:
        found = dict(poll.poll())
        _reap(os.WNOHANG)
        if listener in found:
            connection, _ = asked.accept()
            if os.fork() == 0:
                asked.close()
                os.close(lifeline)
                keep(connection, folder)
            connection.close()
        elif _is_over(lifeline, folder):
            of_fork_servers.close()
            _reap(0)
            return


def use_once() -> None:
    """Do what a process does when it first uses a thing: tables, templates, fonts, our own code."""
    from sqlalchemy.orm import configure_mappers

    from autograder.audit import keys
    from autograder.records import pages, plots

    configure_mappers()
    for template in pages.TEMPLATES.glob("*.html"):
        pages._environment().get_template(template.name)
    plots.histogram([0.0], 1.0)
    keys._own_code()


def share_starter() -> Starter:
    """Begin the process that starts fork servers, once for all commands."""
    begun = starter_for(environment_of("cpu"), ("numpy",))
    use(Starter(begun.key, begun.stream))  # as in a process that has not begun it
    return begun


def _reap(options: int) -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, options)[0]:
            pass


def _is_over(lifeline: int, folder: str) -> bool:
    """Return whether nobody holds the lifeline; then nobody can ask any more, either."""
    with Path(folder, "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        poll = select.poll()
        poll.register(lifeline, 0)
        if over := bool(poll.poll(0)):
            os.unlink(f"{folder}/lifeline")
    return over


def keep(connection: socket.socket, folder: str) -> NoReturn:
    """Fork a command and tell how it ended; it ends, too, when whoever asked is gone."""
    message, descriptors, _, _ = socket.recv_fds(connection, MAX_BYTES, 4)
    if not message:
        os._exit(0)
    os.setsid()
    child = os.fork()
    if child == 0:
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        _enter_mounts_of(struct.unpack("3i", credentials)[0])
        connection.close()
        _become(folder, descriptors, *marshal.loads(message))
    for descriptor in descriptors:
        os.close(descriptor)
    ended = os.pidfd_open(child)
    poll = select.poll()
    poll.register(ended, select.POLLIN)
    poll.register(connection, 0)
    if ended not in dict(poll.poll()):
        os.killpg(0, signal.SIGKILL)
    with suppress(OSError):
        connection.send(marshal.dumps(os.waitpid(child, 0)[1]))
    os._exit(0)


def _enter_mounts_of(process: int) -> None:
    theirs = f"/proc/{process}/ns/mnt"
    if os.readlink(theirs) == os.readlink("/proc/self/ns/mnt"):
        return
    with open(theirs) as file:
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), 0) != 0:
            raise OSError(ctypes.get_errno(), "setns")


def _become(
    folder: str,
    descriptors: Sequence[int],
    module: str,
    script: str,
    arguments: list[str],
    environment: dict[str, str],
    mask: int,
    streams: Sequence[int],
) -> NoReturn:
    """Become the command, run it and end."""
    os.fchdir(descriptors[0])
    os.umask(mask)
    os.environ.clear()
    os.environ.update(environment)
    for number, (name, how) in enumerate(STREAMS.items()):
        stream = None
        os.close(number)
        if number in streams:
            os.dup2(descriptors[1 + streams.index(number)], number)
            stream = open(number, closefd=False, **how)  # noqa: SIM115 - it stays open
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    for descriptor in descriptors:
        os.close(descriptor)
    multiprocessing.util.spawnv_passfds = _fork_instead
    converters: Any = sys.modules["autograder.nbgrader_hooks.converters"]
    converters.sys = SimpleNamespace(executable=f"{folder}/python")  # they call our commands
    sys.argv = [script, *arguments]
    code: object = 0
    try:
        if module:
            sys.path[0] = os.getcwd()
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        else:
            sys.path[0] = os.path.dirname(script)
            runpy.run_path(script, run_name="__main__")
    except SystemExit as left:
        code = left.code or 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    _end(code)


def _end(code: object) -> NoReturn:
    """End as an interpreter does, but for its tidying up: all the modules would be copied."""
    if not isinstance(code, int):
        sys.stderr.write(f"{code}\n")
        code = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    try:
        for stream in filter(None, (sys.stdout, sys.stderr)):
            stream.flush()
    except OSError:
        code = 120
    os._exit(code & 0xFF)


def _fork_instead(_: bytes, command: Sequence[str], descriptors: Iterable[int]) -> int:
    """Fork what multiprocessing would start as ``python -c``: it has imported the same."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        first = 3
        for descriptor in sorted(map(int, descriptors)):
            os.closerange(first, descriptor)
            first = descriptor + 1
        os.closerange(first, os.sysconf("SC_OPEN_MAX"))
        exec(command[-1], {})
        code = 0
    except SystemExit:
        code = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
