"""Warm fork servers, shared by the tests of one process."""

import time
from pathlib import Path

import pytest

from autograder.sandbox.client.fork_server import ForkServer
from autograder.sandbox.client.session import CodeCell, NotebookSession
from autograder.sandbox.kernel import children_of
from autograder.sandbox.limits import Limits

LIMITS = Limits(
    cell_seconds=2.0,
    call_seconds=2.0,
    memory_mb=1024,
    file_mb=8,
    disk_mb=32,
    message_mb=8,
    processes=32,
)


@pytest.fixture(scope="session")
def fork_server():
    """A fork server with numpy."""
    with ForkServer(LIMITS) as fork_server:
        yield fork_server


@pytest.fixture(scope="session")
def torch_fork_server():
    """A fork server with torch."""
    with ForkServer(Limits(call_seconds=5.0), ("numpy", "torch")) as fork_server:
        yield fork_server


@pytest.fixture
def run(fork_server):
    """Return a session that ran the given cells, numbered from 1; it is ended behind the test."""
    sessions = []

    def run(*cells, seconds=60.0, fork_server=fork_server):
        numbered = [CodeCell(*cell) for cell in enumerate(cells, 1)]
        sessions.append(NotebookSession(fork_server, numbered, time.monotonic() + seconds))
        return sessions[-1]

    yield run
    for session in sessions:
        session.close()


@pytest.fixture
def descendants():
    """Return all that a process has started and that still runs, as this process sees it."""

    def descendants(process):
        found, waiting = [], [process]
        while waiting:
            waiting += (children := children_of(waiting.pop()))
            found += children
        return [pid for pid in found if is_running(pid)]

    return descendants


@pytest.fixture
def gone():
    """Return whether a process is no more, within some seconds; a zombie is no more."""

    def gone(pid, seconds=5.0):
        until = time.monotonic() + seconds
        while is_running(pid):
            if time.monotonic() > until:
                return False
            time.sleep(0.01)
        return True

    return gone


def is_running(pid):
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
