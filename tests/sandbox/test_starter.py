import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.errors import HarnessError
from autograder.sandbox.client import starter, starting
from autograder.sandbox.client.fork_server import ForkServer, environment_of
from autograder.sandbox.client.starter import starter_for
from autograder.sandbox.kernel import children_of
from autograder.sandbox.limits import Limits

OWNER = """
import sys
from autograder.sandbox.client.fork_server import ForkServer
from autograder.sandbox.kernel import children_of
from autograder.sandbox.limits import Limits

fork_server = ForkServer(Limits())
print(*children_of({me}), fork_server._process.pid, flush=True)
sys.stdin.read()
"""


def parent_of(process):
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


@pytest.fixture
def alone(monkeypatch):
    """No starter of other tests; those that are begun end with the test."""
    monkeypatch.setattr(starter, "_starters", {})
    yield
    starter._end()


def unbegun(key, *_):
    """Return a starter without a process: one that imports torch takes seconds."""
    return starter.Starter(key, socket.socket())


def test_fork_servers_of_one_process_are_forks_of_one_starter():
    with ForkServer(Limits()) as one, ForkServer(Limits(memory_mb=512)) as another:
        assert one._process.pid != another._process.pid
        begun = parent_of(one._process.pid)
        assert begun == parent_of(another._process.pid)
        assert parent_of(begun) == os.getpid()


def test_who_wants_torch_or_another_environment_has_a_starter_of_its_own(alone, monkeypatch):
    begun = []
    monkeypatch.setattr(starter, "_begin", lambda *asked: begun.append(asked) or unbegun(*asked))
    environment = environment_of("cpu")
    one = starter_for(environment, ("numpy", "matplotlib"))
    assert starter_for(environment, ("numpy",)) is one
    assert starter_for(environment, ("numpy", "torch")) is not one
    assert starter_for(environment | {"LANG": "C"}, ("numpy",)) is not one
    assert [(asked, modules) for _, asked, modules in begun] == [
        (environment, ["numpy"]),
        (environment, ["numpy", "torch"]),
        (environment | {"LANG": "C"}, ["numpy"]),
    ]


def test_a_starter_that_was_killed_is_begun_again(alone):
    with ForkServer(Limits()) as fork_server:
        begun = parent_of(fork_server._process.pid)
        os.kill(begun, signal.SIGKILL)
        os.waitid(os.P_PID, begun, os.WEXITED | os.WNOWAIT)
        with ForkServer(Limits()) as another:
            assert parent_of(another._process.pid) != begun
        fork_server.start().channel.close()  # what it had started goes on


def test_a_starter_that_ends_under_a_request_is_the_harness_and_is_used_no_more(alone):
    begun = starter_for(environment_of("cpu"), ("numpy",))
    begun.process.send_signal(signal.SIGSTOP)  # so that it takes the request, and does nothing
    killer = subprocess.Popen(["sh", "-c", f"sleep 0.2; kill -9 {begun.process.pid}"])
    with pytest.raises(HarnessError, match="the process that starts fork servers has ended"):
        ForkServer(Limits())
    killer.wait()
    ForkServer(Limits()).close()


def test_a_starter_ends_with_who_began_it(gone):
    text = OWNER.format(me="__import__('os').getpid()")
    owner = subprocess.Popen(
        [sys.executable, "-c", text], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    processes = [int(word) for word in owner.stdout.readline().split()]
    owner.kill()
    owner.communicate()
    assert len(processes) == 2
    assert [pid for pid in processes if not gone(pid)] == []


SHELL = """
import sys
from autograder.sandbox.client.starting import SHELL
from autograder.sandbox.inside.cells import make_shell
from autograder.sandbox.inside.preload import import_all

import_all(SHELL)
before = set(sys.modules)
make_shell()
print(*sorted(name for name in set(sys.modules) - before if name.startswith("IPython")))
"""


def test_it_has_imported_what_the_shell_of_a_fork_server_needs(tmp_path):
    env = {"IPYTHONDIR": str(tmp_path)}
    command = [sys.executable, "-I", "-c", SHELL]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


def test_one_that_has_threads_forks_nothing(monkeypatch):
    monkeypatch.setattr(starting, "import_all", lambda _: None)
    monkeypatch.setattr(starting.signal, "signal", lambda *_: None)
    monkeypatch.setattr(starting.os, "listdir", lambda _: ["1", "2"])
    with pytest.raises(RuntimeError, match="has 2 threads; it may not fork"):
        starting.main(0, [])


def test_a_supervisor_is_ended_once():
    with ForkServer(Limits()) as fork_server:
        assert children_of(fork_server._process.pid)
    fork_server.close()
