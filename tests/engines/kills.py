"""Kill processes of grading runs at random moments, and see that nothing is lost or left behind.

    python -m tests.engines.kills COURSE [--count 200] [--seed 0]

COURSE is a folder with a compiled course and a class in `submitted/`. In each round its results are
removed and it is graded; at a random moment one process is killed (-9): the run itself, the server
that forks its workers, a worker, the starter of fork servers, a fork server's supervisor or its
warm process, or a session. A run that was killed is started again. Then every result must be what
it was without a kill, stored exactly once; no process may be left, no mount, no control group, no
temporary file.

Runs, and the servers that fork their workers, are forked from a process that has imported what they
import, which is most of their time.
"""

import argparse
import json
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from autograder.sandbox.isolation.cgroup import PREFIX
from autograder.sandbox.kernel import children_of

PARENTS = {  # of each kind of process
    "server": "run",
    "worker": "server",
    "starter": "run",
    "supervisor": "starter",
    "warm process": "supervisor",
    "session": "warm process",
}
KINDS = ("run", *PARENTS)
ENDING_SECONDS = 10.0
LOOK_SECONDS = 0.03  # between two looks at a run
GROUPS = Path("/sys/fs/cgroup")
TEMPORARY = (Path(tempfile.gettempdir()), Path("/dev/shm"))


STARTER = """
import os, sys
from autograder import cli
import autograder.display, autograder.engines.local, autograder.engines.record
import alembic.script, matplotlib.backends.backend_svg, multiprocessing.forkserver
import nbgrader.api, sqlalchemy.dialects.sqlite
from multiprocessing import util
from tests.warm.starter import _fork_instead, use_once

def spawn(path, command, descriptors, spawn=util.spawnv_passfds):
    if "forkserver" in command[-1]:
        return _fork_instead(path, command, descriptors)
    return spawn(path, command, descriptors)

util.spawnv_passfds = spawn
use_once()
assert len(os.listdir("/proc/self/task")) == 1, "a fork has one thread only"
for line in sys.stdin:
    run = os.fork()
    if run == 0:
        os.chdir(line.rstrip("\\n"))
        null = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(null, stream)
        sys.exit(cli.main(["grade", "--jobs", "2"]))
    print(run, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(run, 0)[1]), flush=True)
"""


class Starter:
    """Starts grading runs, one at a time: forks of a process that has imported all they need."""

    def __init__(self):
        self._process = subprocess.Popen(
            [sys.executable, "-c", STARTER],
            bufsize=0,  # else a line might lie in a buffer, of which select knows nothing
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},  # the others would not be in a fork
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.communicate()

    def start(self, course):
        """Start a run of a course; return the number of its process."""
        self._process.stdin.write(os.fsencode(course) + b"\n")
        return int(self._process.stdout.readline())

    def ended(self, seconds):
        """Wait that long for the run to end; return its exit code, None if it goes on."""
        ready, _, _ = select.select([self._process.stdout], [], [], seconds)
        return int(self._process.stdout.readline()) if ready else None


class Run:
    """A grading run of a course, in a process of its own, with all that it starts."""

    def __init__(self, starter, course):
        self._starter = starter
        self.process = starter.start(course)
        self.returncode = None
        self.seen = {}  # when each process was started, by its number

    def goes_on(self, seconds=LOOK_SECONDS):
        """Wait that long for its end; return whether it goes on."""
        self.returncode = self._starter.ended(seconds)
        return self.returncode is None

    def look(self):
        """Return the processes that there are now, by kind."""
        found = {"run": [self.process]}
        for kind, parent in PARENTS.items():
            found[kind] = [c for p in found[parent] for c in children_of(p) if is_ours(c, kind)]
        for pids in found.values():
            self.seen.update({pid: start for pid in pids if (start := start_of(pid))})
        return found

    def left(self):
        """Return what still runs of all that we saw."""
        return [pid for pid, start in self.seen.items() if start_of(pid) == start]


def is_ours(process, kind):
    with suppress(OSError):
        command = Path(f"/proc/{process}/cmdline").read_bytes()
        if kind in ("server", "worker"):
            return b"forkserver" in command
        return b"autograder.sandbox.client.starting" in command  # or a fork of that
    return False


def start_of(process):
    """Return when a process was started; None if it is no more, or a zombie."""
    with suppress(OSError):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return fields[19] if fields[0] != "Z" else None
    return None


def results_of(course):
    """Return what matters of each result: student, points, verdicts."""
    found = {}
    for path in sorted(Path(course, "results").glob("*/*.json")):
        result = json.loads(path.read_text())
        cases = [c for q in result["questions"] for k in q["checks"] for c in k["cases"]]
        verdicts = [(case["name"], case["verdict"]) for case in cases]
        found[path.stem] = (result["earned"], result["status"], verdicts)
    return found


def traces(owners):
    """Return what there is of ours in the kernel and in folders for temporary files.

    Args:
        owners: the processes whose names they may bear; others grade on this machine too.
    """
    groups = [path for path in GROUPS.glob(f"**/{PREFIX}*") if path.is_dir()]
    files = [path for folder in TEMPORARY for path in folder.glob(f"{PREFIX}*")]
    mounts = Path("/proc/self/mounts").read_text().splitlines()
    named = [p for p in (*groups, *files) if p.name.removeprefix(PREFIX).split("-")[0] in owners]
    return sorted(map(str, named)), [line for line in mounts if PREFIX in line]


def kill_once(starter, course, kind, expected, moment=0.0, stored=0):
    """Grade a course and kill one process meanwhile; return whether, and what went wrong.

    Args:
        starter: of runs.
        course: its folder.
        kind: of the process.
        expected: the results without a kill.
        moment: the seconds after which it is killed.
        stored: how many results there must be before.
    """
    shutil.rmtree(Path(course, "results"), ignore_errors=True)
    runs = [Run(starter, course)]
    until = time.monotonic() + moment
    killed = False
    while runs[-1].goes_on():
        found = runs[-1].look()
        ready = time.monotonic() >= until and len(results_of(course)) >= stored
        if not killed and ready and found.get(kind):
            with suppress(ProcessLookupError):
                os.kill(random.choice(found[kind]), signal.SIGKILL)
                killed = True
    if runs[-1].returncode not in (0, 1):
        runs.append(Run(starter, course))
        while runs[-1].goes_on():
            runs[-1].look()
    wrong = []
    if runs[-1].returncode not in (0, 1):
        wrong.append(f"the run left with {runs[-1].returncode}")
    if (results := results_of(course)) != expected:
        differ = [s for s in expected if results.get(s) != expected[s]]
        wrong.append(f"other results: {', '.join(differ)}")
    stored = Counter(
        path.parent.name for path in Path(course, "results").glob("*/history/*/*.json")
    )
    wrong += [f"{student} was stored {n} times" for student, n in stored.items() if n != 1]
    deadline = time.monotonic() + ENDING_SECONDS
    while (left := [p for run in runs for p in run.left()]) and time.monotonic() < deadline:
        time.sleep(0.02)
    wrong += [f"process {process} is left" for process in left]
    owners = {str(process) for run in runs for process in run.seen}
    while any(found := traces(owners)) and time.monotonic() < deadline:
        time.sleep(0.02)
    wrong += [f"left behind: {trace}" for kind in found for trace in kind]
    return killed, wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("course", type=Path)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    random.seed(options.seed)
    with Starter() as starter:
        raise SystemExit(kill_often(starter, options.course, options.count))


def kill_often(starter, course, count):
    """Kill so many processes, and say what went wrong; return the exit code."""
    seconds, expected = rehearse(starter, course)
    print(f"{len(expected)} submissions in {seconds:.1f} s; {count} kills", flush=True)
    killed, failed = Counter(), 0
    while (done := killed.total()) < count:
        kind = KINDS[done % len(KINDS)]
        hit, wrong = kill_once(starter, course, kind, expected, random.uniform(0, seconds))
        killed[kind] += hit  # a run that was over before its time is no kill
        failed += bool(wrong)
        for line in wrong:
            print(f"kill {done + 1}, {kind}: {line}", flush=True)
        if hit and (sys.stdout.isatty() or killed.total() % 20 == 0):
            print(f"{killed.total()} of {count}, {failed} went wrong", flush=True)
    print(", ".join(f"{kind}: {killed[kind]}" for kind in KINDS))
    return 1 if failed else 0


def rehearse(starter, course):
    """Grade a course without a kill; return how long that took and its results."""
    shutil.rmtree(Path(course, "results"), ignore_errors=True)
    began = time.monotonic()
    run = Run(starter, course)
    while run.goes_on():
        pass
    return time.monotonic() - began, results_of(course)


if __name__ == "__main__":
    main()
