"""The arena: one grading run in a process of its own, which tells on standard output how it goes.

``python -m autograder.redteam.arena COURSE ASSIGNMENT`` prints a line of JSON for each submission
that is graded. Whatever a submission does to the run, the zoo itself goes on. With
``ZOO_ISOLATION`` in the environment, sessions stand behind the walls of that isolation level,
though the machine may have stronger.
"""

import json
import os
import resource
import sys
import time
from contextlib import suppress
from pathlib import Path

from autograder.artefacts.results import Result
from autograder.course import find_course
from autograder.engines.run import grade_assignment
from autograder.grading import runner
from autograder.redteam.overhearing import CHANNEL, Overheard
from autograder.redteam.witnesses import marked_processes
from autograder.sandbox.kernel import die_with_parent
from autograder.sandbox.protocol.settings import Isolation

__all__ = ["ISOLATION", "main"]

ISOLATION = "ZOO_ISOLATION"
# Here, as the run's workers import this module too.
if ISOLATION in os.environ:
    vars(runner)["down_to"] = lambda weakest: (Isolation(os.environ[ISOLATION]),)
if CHANNEL in os.environ:
    vars(runner)["NotebookSession"] = Overheard
MAX_MEMORY = 8 << 30  # of the run's own processes: a bomb in the grader must not take the machine


class _Teller:
    def __init__(self) -> None:
        self._before = time.monotonic()

    def begin(self, total: int) -> None:
        self._before = time.monotonic()

    def advance(self, result: Result) -> None:
        seconds = time.monotonic() - self._before
        event = {
            "student": result.student,
            "seconds": round(seconds, 3),
            "processes": marked_processes(),
            "peak_mb": _peak_of_workers(),
        }
        sys.stdout.write(json.dumps(event) + "\n")
        sys.stdout.flush()
        self._before = time.monotonic()

    def say(self, text: str) -> None:
        pass


def _peak_of_workers() -> int:
    """Return the most memory in MB that a process of the run has used since the last question."""
    peak = 0
    children = Path(f"/proc/self/task/{_own_thread()}/children").read_text().split()
    for process in ("self", *children):
        with suppress(OSError, StopIteration):
            lines = Path(f"/proc/{process}/status").read_text().splitlines()
            line = next(line for line in lines if line.startswith("VmHWM"))
            peak = max(peak, int(line.split()[1]) >> 10)
            Path(f"/proc/{process}/clear_refs").write_text("5")
    return peak


def _own_thread() -> int:
    return int(Path("/proc/self").resolve().name)


def main(root: str, assignment: str) -> None:
    """Grade what is submitted in a course, one submission after another."""
    die_with_parent(os.getppid())  # a zoo that was killed leaves nothing running
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    grade_assignment(find_course(Path(root)), assignment, _Teller(), workers=1)


if __name__ == "__main__":
    main(*sys.argv[1:])
