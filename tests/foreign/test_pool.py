"""The pool of an nbgrader course: what becomes of its workers."""

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from autograder.foreign import pool
from autograder.foreign.definition import Definition
from autograder.foreign.plan import Plan
from autograder.foreign.pool import Job, Pool, Work
from autograder.foreign.submissions import SubmittedFolder
from autograder.sandbox.isolation.cgroup import stale_folders
from autograder.sandbox.kernel import family_of
from autograder.sandbox.limits import Limits
from tests.foreign.conftest import Grading
from tests.nbgrader_courses import answer, scored, write

CELLS = (
    answer("f", "import time\ndef f():\n    return 1"),
    scored("t", "assert f() == 1"),
)


@contextmanager
def first_workers_killed():
    """Kill the first workers that are begun inside the block; give their numbers."""
    killed = []

    def kill_first():
        while not (workers := multiprocessing.active_children()):
            time.sleep(0.01)
        for worker in workers:
            worker.kill()
            killed.append(worker.pid)

    thread = threading.Thread(target=kill_first)
    thread.start()
    yield killed
    thread.join()


def test_a_worker_that_is_killed_costs_nothing(servers, tmp_path):
    found = Grading(servers, *CELLS)
    write(tmp_path / "ada" / "nb.ipynb", *CELLS)
    work = Work(found.definition, Limits(), plan=found.plan)
    with Pool(1) as workers, first_workers_killed() as killed:
        graded = list(workers.grade(work, [Job("ada", tmp_path / "ada")]))
    assert killed
    assert [(job.student, result.earned) for job, _, result in graded] == [("ada", 1.0)]
    with Pool(1) as workers, first_workers_killed() as killed:
        assert workers.try_out(Work(found.definition, Limits())) == found.plan
        again = list(workers.grade(work, [Job("ada", tmp_path / "ada")]))
    assert killed
    assert [result.earned for _, _, result in again] == [1.0]


@pytest.mark.parametrize(("worth", "most"), [(3600.0, 1), (0.0001, 4)])
def test_there_are_as_many_workers_as_are_worth_their_start(monkeypatch, worth, most):
    under_way, seen = [], []

    def grade(told, job):
        under_way.append(job)
        seen.append(len(under_way))
        time.sleep(0.01)
        under_way.remove(job)
        return SubmittedFolder(), None

    monkeypatch.setattr(pool, "WORTH", worth)
    monkeypatch.setattr(pool, "_grade", grade)
    work = Work(Definition("hw", (), {}), Limits(), plan=Plan("", {}))
    jobs = [Job(str(number), Path("nowhere")) for number in range(30)]
    with Pool(4) as workers, ThreadPoolExecutor(4) as threads:
        monkeypatch.setattr(workers, "_ready", lambda _: threads)
        graded = list(workers.grade(work, jobs))
        assert [workers._most(number) for number in (0, 1, 3, 4)] == [1, 1, 3, 8]
    assert sorted(job.student for job, _, _ in graded) == sorted(job.student for job in jobs)
    assert max(seen) == most


def test_who_stops_a_run_does_not_wait_for_what_it_was_about():
    work = Work(Definition("hw", (), {}), Limits(), plan=Plan("", {}))

    def stop():
        with Pool(1) as workers:
            workers._submitted(work, time.sleep, 3600)
            assert multiprocessing.active_children()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop()
    assert not multiprocessing.active_children()


def test_fork_servers_last_as_long_as_they_have_imported_what_is_needed(tmp_path, monkeypatch):
    monkeypatch.setattr(pool, "_expected", frozenset({"packaging", "packaging.version", "pytest"}))

    def opened(name, *preload, files=None):
        definition = Definition(name, (), files or {}, preload=preload)
        told = tmp_path / name
        told.write_bytes(pickle.dumps(Work(definition, Limits(), plan=Plan("", {}))))
        return pool._opened(told)

    try:
        first = opened("a", "numpy")
        assert first.servers.isolation.is_walled
        assert first.servers.imported >= {"numpy", "pytest"}
        assert "packaging" not in first.servers.imported  # another assignment's alone
        assert pool._opened(tmp_path / "a") is first
        second = opened("b", "numpy")
        assert second.work.definition.assignment == "b"
        assert second.servers is first.servers
        third = opened("c", "numpy", "packaging")
        assert third.servers.isolation.is_walled
        assert third.servers.imported >= {"numpy", "packaging", "pytest"}
        assert "packaging.version" not in third.servers.imported
        assert first.servers.imported == frozenset()  # they are closed
        assert opened("d", "numpy").servers is not third.servers
        fifth = opened("e", "numpy", files={"pytest.py": b"OURS = 1"})
        assert fifth.servers.isolation.is_walled
        assert "pytest" not in fifth.servers.imported
    finally:
        pool._close()
        pool._open = None


SCRIPT = """
import sys, time
sys.path.insert(0, {root!r})
from autograder.foreign import pool
from autograder.foreign.definition import Definition
from autograder.foreign.plan import Plan
from autograder.sandbox.limits import Limits
from pathlib import Path

if __name__ == "__main__":
    work = pool.Work(Definition("hw", (), {{}}), Limits(), plan=Plan("sha256:0", {{}}))
    jobs = [pool.Job(str(n), Path({root!r}) / "nowhere") for n in range(400)]
    for number, _ in enumerate(pool.Pool(1).grade(work, jobs)):
        if number == 0:
            print("begun", flush=True)
            time.sleep(60)
"""


def test_a_run_that_is_killed_leaves_no_process_and_no_file_for_long(tmp_path):
    script = tmp_path / "killed.py"
    script.write_text(SCRIPT.format(root=os.getcwd()))
    with tempfile.TemporaryDirectory() as folder:  # a short name, as a socket's must be
        own = os.environ | {"TMPDIR": folder}
        run = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True, env=own)
        assert run.stdout.readline() == "begun\n"
        family = set(family_of(run.pid)) - {run.pid}
        assert family
        run.send_signal(signal.SIGKILL)
        run.wait()
        run.stdout.close()
        until = time.monotonic() + 60
        while (left := {pid for pid in family if is_alive(pid)}) and time.monotonic() < until:
            time.sleep(0.1)
        assert left == set()
        stale = {path.name for path in stale_folders(Path(folder))}  # the next run removes them
        assert (
            {name for name in os.listdir(folder) if not name.startswith("pymp-")} == stale != set()
        )


def is_alive(pid):
    """Return whether a process runs: one that is dead and waits to be seen does not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False
