"""A session's processes: its own is measured and held beside its fork, which it may work for."""

import os
import time

import pytest

from autograder.authoring.gpu import held
from autograder.authoring.memory import measured
from autograder.authoring.subject import Subject
from autograder.sandbox.client.families import Families
from autograder.sandbox.client.fork_server import ForkServer, NoWalls
from autograder.sandbox.client.session import CodeCell, NotebookSession
from autograder.sandbox.limits import MB, Limits
from autograder.sandbox.protocol.settings import WALLED

PAGE = """
import mmap, os, signal, struct, time
import numpy as np
page = mmap.mmap(-1, 4096)  # shared with every fork
session = os.getpid()
"""
COUNTS = f"""{PAGE}
def tick(*_):
    page[:8] = struct.pack('q', struct.unpack('q', page[:8])[0] + 1)
signal.signal(signal.SIGALRM, tick)
signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
def count():
    return struct.unpack('q', page[:8])[0]
"""
WORKS = f"""{PAGE}
def tick(*_):
    if os.getpid() == session and page[0] == 1:
        page[0] = 3
        big = np.ones(10_000_000)
        page[8:16] = struct.pack('d', big.sum())
        page[0] = 2
signal.signal(signal.SIGALRM, tick)
signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
def hidden(n):
    page[0] = 1
    while page[0] != 2:
        time.sleep(0.005)
    return struct.unpack('d', page[8:16])[0]
def honest(n):
    return float(np.ones(10_000_000).sum())
def nothing(n):
    return 0.0
"""
EARLIER = "import numpy as np\nbig = np.ones(30_000_000)\ndel big"  # what a notebook had before


def test_what_a_notebook_left_in_its_session_stands_still_while_the_session_is_held(run):
    with run(COUNTS).check() as check:
        count, before = Subject(check).count, Subject(check).count()
        until = time.monotonic() + 20
        while count() == before:
            assert time.monotonic() < until, "the notebook's timer does not run"
        with held(check.processes()):
            time.sleep(0.05)  # a signal takes a moment
            began = times_of(check)
            time.sleep(0.3)
            assert times_of(check) == began
        assert count() > before


def times_of(check):
    """Return how much of the processor a session's processes have had."""
    found = []
    for process in check.processes():
        with open(f"/proc/{process}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        assert fields[0] == "T", "it is stopped"
        found.append(fields[11:15])
    return found


@pytest.mark.parametrize("level", WALLED)
def test_memory_that_a_call_takes_in_its_session_s_own_process_counts(level, need_level):
    with need_level(level) as server:
        cells = [CodeCell(1, EARLIER), CodeCell(2, WORKS)]
        with NotebookSession(server, cells, time.monotonic() + 60) as notebook:
            for name, most, least in (("hidden", 120, 70), ("honest", 120, 70), ("nothing", 4, 0)):
                with notebook.check() as check:
                    _, spent = measured(getattr(Subject(check), name), 3)
                assert least * MB <= spent.peak < most * MB, (name, spent)


@pytest.fixture
def need_level():
    """Return what opens a fork server of an isolation level, or skips."""

    def opened(level):
        try:
            return ForkServer(Limits(), ("numpy",), levels=[level])
        except NoWalls as reason:
            pytest.skip(str(reason))

    return opened


def test_the_session_in_reserve_is_no_part_of_it(run, fork_server):
    with run("x = 1").check() as check:
        session, fork = check.processes()
        assert fork in fork_server.family(forks=True)
        assert session in fork_server.family(forks=False) - fork_server.family(forks=True)
        kept = fork_server.isolation.has_own_processes
        assert len(fork_server.family(forks=False)) == 2 + kept


def test_of_processes_that_are_gone_nothing_is_told():
    gone = 2**22 + 1
    assert Families.below(gone, True, "nvidia-smi") == Families(0, ())
    assert Families(gone, (gone,)).members(forks=True) == set()
    assert Families(gone, (os.getpid(),)).without(os.getpid()) == ()
