"""Commands that start warm: a folder to put first in PATH, shared by the processes of a run.

Most of what a command costs here are its imports. A test whose subject is how a command starts, or
what it imports, starts a process of its own instead.
"""

import fcntl
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # others are not in a fork


@pytest.fixture(scope="session")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of commands, `python` among them; their starter ends with the run."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    folder /= "warm"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        started = None
        try:
            lifeline = _take(folder)
        except OSError:  # nobody has started it, or it is gone
            started = _start(folder)
            lifeline = _take(folder)
    yield folder
    os.close(lifeline)
    if started is not None:
        started.wait()


def _take(folder: Path) -> int:
    return os.open(folder / "lifeline", os.O_WRONLY | os.O_NONBLOCK)


def _start(folder: Path) -> subprocess.Popen[bytes]:
    for name in ("autograder", "nbgrader", "alembic", "python"):
        command = folder / name
        command.write_text(f"#!{sys.executable} -IS\n{(HERE / 'shim.py').read_text()}")
        command.chmod(0o755)
    (folder / "lifeline").unlink(missing_ok=True)
    os.mkfifo(folder / "lifeline")
    lifeline = os.open(folder / "lifeline", os.O_RDONLY | os.O_NONBLOCK)
    (folder / "socket").unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(folder / "socket"))
        listener.listen()
        numbers = [listener.fileno(), lifeline]
        started = subprocess.Popen(
            [sys.executable, HERE / "starter.py", *map(str, numbers), folder],
            pass_fds=numbers,
            env=os.environ | ONE_THREAD,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    os.close(lifeline)
    return started
