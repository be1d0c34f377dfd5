"""The pool of an nbgrader course: what becomes of its workers."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time

from autograder.foreign.pool import Job, Pool, Work
from autograder.sandbox.kernel import family_of
from autograder.sandbox.limits import Limits
from tests.foreign.conftest import Grading
from tests.nbgrader_courses import answer, scored, write

CELLS = (
    answer("f", "import time\ndef f():\n    return 1"),
    scored("t", "assert f() == 1"),
)


def test_a_worker_that_is_killed_costs_nothing(servers, tmp_path):
    found = Grading(servers, *CELLS)
    write(tmp_path / "ada" / "nb.ipynb", *CELLS)
    killed = []

    def kill_first():
        while not (workers := multiprocessing.active_children()):
            time.sleep(0.01)
        for worker in workers:
            worker.kill()
            killed.append(worker.pid)

    thread = threading.Thread(target=kill_first)
    thread.start()
    work = Work(found.definition, Limits(), plan=found.plan)
    with Pool(1) as pool:
        graded = list(pool.grade(work, [Job("ada", tmp_path / "ada")]))
    thread.join()
    assert killed
    assert [(job.student, result.earned) for job, _, result in graded] == [("ada", 1.0)]


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


def test_a_run_that_is_killed_leaves_no_process(tmp_path):
    script = tmp_path / "killed.py"
    script.write_text(SCRIPT.format(root=os.getcwd()))
    run = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True)
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


def is_alive(pid):
    """Return whether a process runs: one that is dead and waits to be seen does not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False
