import os

import pytest

from autograder.errors import UnsafeHere
from autograder.sandbox.client.fork_server import ForkServer
from autograder.sandbox.client.session import CodeCell, NotebookSession
from autograder.sandbox.isolation import canary
from autograder.sandbox.isolation.canary import MIN_ESCAPES, attempt, send_canary
from autograder.sandbox.limits import Limits
from autograder.sandbox.protocol.settings import Isolation

# What must get out where nothing holds it, or the canary could not see that it got out here.
SEEN = {
    "an abstract socket",
    "find the course",
    "gain from a set uid program",
    "go without a filter",
    "find another's lease",
    "import the reference",
    "keep another from a lock",
    "leave a hint at a file",
    "listen",
    "lock a record",
    "put a file out of memory",
    "read only what is in memory",
    "read what all do",
    "open the files of others",
    "read above the root",
    "read memory by call",
    "read the environment of others",
    "read the graders files",
    "read the memory of others",
    "read through the roots of others",
    "signal others",
    "take new names",
    "tcp",
    "trace",
    "udp",
    "watch the processor",
    "write to the graders folders",
}


@pytest.fixture
def private(tmp_path):
    path = tmp_path / "gradebook.db"
    path.write_text("points")
    return [path]


def test_no_escape_gets_out_of_a_session(fork_server, private):
    tried, got_out = attempt(fork_server, private)
    assert got_out == {}
    assert tried >= MIN_ESCAPES
    assert send_canary(fork_server, private) == tried


def test_without_walls_the_canary_sees_what_gets_out(private, monkeypatch):
    monkeypatch.chdir(private[0].parent)
    with ForkServer(Limits(), levels=[Isolation.UNWALLED]) as unwalled:
        _, got_out = attempt(unwalled, private)
    assert set(got_out) >= SEEN
    assert str(os.getpid()) in got_out["signal others"]


def test_a_canary_that_gets_out_stops_the_run_and_says_how(fork_server, monkeypatch):
    monkeypatch.setattr(canary, "attempt", lambda *_: (74, {"tcp": "True", "listen": "True"}))
    with pytest.raises(UnsafeHere, match=r"of 74 escapes, 2 got out:\n  listen: True\n  tcp: True"):
        send_canary(fork_server)


def test_a_fork_server_without_an_isolation_level_that_will_do_says_what_each_lacks(monkeypatch):
    monkeypatch.setattr(ForkServer, "_open", lambda self, *_: f"reason {self.isolation}")
    message = (
        r"held safely on this machine\n  isolation level namespaces: reason namespaces\n"
        r"  isolation level bubblewrap: reason bubblewrap$"
    )
    with pytest.raises(UnsafeHere, match=message):
        ForkServer(Limits(), levels=[Isolation.NAMESPACES, Isolation.BUBBLEWRAP])


def test_the_canary_leaves_nothing_outside(fork_server):
    attempt(fork_server)
    assert os.listdir(fork_server.folder) == []
    assert os.path.basename(fork_server.folder) not in os.listdir("/dev/shm")


def test_only_the_strongest_walls_keep_a_session_in_reserve():
    assert [level.has_own_processes for level in Isolation] == [True, False, False, False]
    with ForkServer(Limits(), levels=[Isolation.UNWALLED]) as unwalled:
        assert unwalled._reserve is None
        with NotebookSession(unwalled, [CodeCell(1, "x = 1")], float("inf")):
            assert unwalled._reserve is None
