import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from autograder.errors import HarnessError
from autograder.sandbox.client import fork_server as fork_servers
from autograder.sandbox.client import starter, starting
from autograder.sandbox.client.fork_server import ForkServer, environment_of
from autograder.sandbox.client.session import CodeCell, NotebookSession
from autograder.sandbox.client.starter import starter_for
from autograder.sandbox.inside.preload import without_home
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


FIGURES = """
import os
import sys
import matplotlib
from matplotlib import font_manager, style

paths = getattr(style, "core", style).USER_LIBRARY_PATHS
folders = [matplotlib.get_configdir(), matplotlib.get_cachedir(), *paths]
width = matplotlib.rcParams["lines.linewidth"]
fonts = len(font_manager.fontManager.ttflist)
"""


def test_matplotlib_of_the_starter_has_nobodys_settings_and_folders_of_the_walls(
    alone, monkeypatch, tmp_path
):
    settings = tmp_path / ".config/matplotlib/matplotlibrc"
    settings.parent.mkdir(parents=True)
    settings.write_text("lines.linewidth: 7\n")
    environment = environment_of("cpu") | {"HOME": str(tmp_path)}
    monkeypatch.setattr(fork_servers, "environment_of", lambda *_: environment)
    begun = starter_for(environment, ("numpy",), ("matplotlib",))
    with ForkServer(Limits(), ("numpy", "matplotlib")) as fork_server:
        cells, until = [CodeCell(1, FIGURES)], time.monotonic() + 60
        with NotebookSession(fork_server, cells, until) as notebook, notebook.check(30) as session:
            folders, width, fonts = (session.get(n) for n in ("folders", "width", "fonts"))
    imported = Path(f"/proc/{begun.process.pid}/maps").read_text()
    assert "/_backend_agg." in imported  # and with it what matplotlib imports late
    assert len(folders) == 3
    assert not [one for one in folders if f"-{begun.process.pid}-" in one or str(tmp_path) in one]
    assert (width, fonts > 0) == (1.5, True)
    assert not list(Path("/tmp").glob(f"autograder-{begun.process.pid}-*"))


def test_a_home_that_is_empty_goes_with_its_block(monkeypatch, tmp_path):
    here = Path.cwd()
    for former in ({}, {"HOME": str(tmp_path)}):
        monkeypatch.delenv("HOME", raising=False)
        for name, value in former.items():
            monkeypatch.setenv(name, value)
        with without_home("autograder-0-"):
            home = Path(os.environ["HOME"])
            assert home != tmp_path
            assert list(home.iterdir()) == []
            assert Path.cwd() == home
        assert not home.exists()
        assert Path.cwd() == here
        assert {name: os.environ[name] for name in ("HOME",) if name in os.environ} == former


THREADS = """
import threading
from autograder.sandbox.client.starting import _threads

threading.Timer(0.2, lambda: None).start()
print(_threads())
"""


def test_a_thread_that_ends_is_waited_for():
    command, env = [sys.executable, "-I", "-c", THREADS], environment_of("cpu")
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"


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
