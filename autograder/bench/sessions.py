"""Sessions: how long until a student's first line runs, what memory is theirs, the canary's time.

``python -m autograder.bench.sessions BUNDLE COUNT`` prints JSON.
"""

import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from autograder.artefacts.bundle import read_bundle
from autograder.bench.measure import descendants, memory
from autograder.sandbox.client.fork_server import ForkServer, Waiting
from autograder.sandbox.client.session import CodeCell, NotebookSession
from autograder.sandbox.isolation.canary import send_canary
from autograder.sandbox.limits import Limits

__all__ = ["main"]

FIRST_LINE = (CodeCell(1, "import time; first = time.monotonic()"),)
PAUSE = 0.05  # in which a grader would be busy with the submission before


class WithoutReserve(ForkServer):
    """A fork server that forks a session when it is asked for one."""

    def start(self) -> Waiting:
        """Return a session that is forked now."""
        started = self._started()
        self._reserve = None
        return started


def first_lines(fork_server: ForkServer, count: int) -> list[float]:
    """Return the milliseconds from a request for a session to the first line of its notebook."""
    found = []
    for _ in range(count + 1):
        time.sleep(PAUSE)
        began = time.monotonic()
        with (
            NotebookSession(fork_server, FIRST_LINE, began + 60.0) as notebook,
            notebook.check() as session,
        ):
            found.append(1000.0 * (session.get("first") - began))
    return found[1:]  # the very first one may have waited in reserve


def private(fork_server: ForkServer) -> dict[str, float]:
    """Return what the process of a session has for itself, after a notebook of one line."""
    with NotebookSession(fork_server, FIRST_LINE, time.monotonic() + 60.0):
        time.sleep(1.0)  # the next one in reserve settles
        tree = descendants(os.getpid())
        leaves = set(tree) - set(tree.values())
        oldest = min(leaves, key=_started)
        kb, status = memory(oldest), Path(f"/proc/{oldest}/status").read_text()
    pages = next(line.split()[1] for line in status.splitlines() if line.startswith("VmPTE"))
    return {
        "private_mb": (kb["Private_Clean"] + kb["Private_Dirty"]) / 1024,
        "pss_mb": kb["Pss"] / 1024,
        "rss_mb": kb["Rss"] / 1024,
        "page_tables_mb": int(pages) / 1024,
    }


def main(bundle_path: str, count: str) -> None:
    """Print the figures."""
    preload = read_bundle(Path(bundle_path)).manifest.preload
    found: dict[str, Any] = {}
    with WithoutReserve(Limits(), preload) as fork_server:
        found["first_line"] = _spread(first_lines(fork_server, int(count)))
        found["isolation"] = fork_server.isolation
    with ForkServer(Limits(), preload) as fork_server:
        found["standby_first_line"] = _spread(first_lines(fork_server, int(count)))
        found["memory"] = private(fork_server)
        began = time.monotonic()
        escapes = send_canary(fork_server)
        found["canary"] = {"escapes": escapes, "ms": 1000.0 * (time.monotonic() - began)}
    json.dump(found, sys.stdout)


def _spread(values: list[float]) -> dict[str, float]:
    deciles = statistics.quantiles(values, n=10)
    return {"median": statistics.median(values), "p90": deciles[-1], "max": max(values)}


def _started(pid: int) -> int:
    """Return when a process started."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])


if __name__ == "__main__":
    main(*sys.argv[1:])
