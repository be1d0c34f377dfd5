"""A student's notebook, checked from the command line: ``autograder check``."""

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from autograder.artefacts.recording import FILE
from autograder.artefacts.results import CaseResult, Verdict
from autograder.authoring.budget import GRADING
from autograder.errors import HarnessError, StudentError, UsageError
from autograder.student.checking import SelfCheck, in_points
from autograder.student.rehearsal import Event, Job

__all__ = ["Rehearsal", "only_notebook"]

CELL_SECONDS = 120.0  # generous: a first import of PyTorch takes long on a slow disk
OWN_SECONDS = 60.0  # for what our own code does between two calls of the student's
_PROGRAM = [sys.executable, "-m", "autograder.student.rehearsal"]


def only_notebook(folder: Path) -> Path:
    """Return the one notebook of a folder.

    Raises:
        UsageError: there is none, or more than one.
    """
    found = sorted(folder.glob("*.ipynb"))
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise UsageError(f"name the notebook to check; here there are: {names}")
    return found[0]


@dataclass
class Rehearsal:
    """A notebook run in a process of its own: its cells, then its visible checks one by one.

    What does not end is stopped, and what ends the process is left out: the process is then
    started again without it, as grading does.

    Attributes:
        path: the notebook.
        cell_seconds: the limit on one cell.
        checks: the outcome of each check so far, and its points.
    """

    path: Path
    cell_seconds: float = CELL_SECONDS
    checks: dict[str, tuple[SelfCheck, float]] = field(default_factory=dict)
    _left_out: set[int] = field(default_factory=set)
    _told: set[str] = field(default_factory=set)
    _known: dict[tuple[str, str], CaseResult] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._cells = _cells(self.path)
        if not (self.path.resolve().parent / FILE).is_file():
            raise UsageError(
                f"there is no {FILE} beside {self.path.name}, so nothing can be checked; put the "
                "one that came with the notebook there"
            )

    def run(self) -> Iterator[str | SelfCheck]:
        """Give what there is to say of cells, and the outcome of each check, when it is there.

        Raises:
            StudentError: no cell defines a check, so that the notebook is none of a release.
        """
        goes_on = True
        while goes_on:
            goes_on = yield from self._run_once()
        if not self.checks:
            raise StudentError(f"{self.path.name} has no check that can be run: is it a release's?")

    def passed(self) -> bool:
        """Return whether every visible case of every check passed."""
        return all(outcome.passed for outcome, _ in self.checks.values())

    def summary(self) -> str:
        """Say what the checks that pass here are worth, and what grading adds."""
        right = [points for outcome, points in self.checks.values() if outcome.passed]
        total = sum(points for _, points in self.checks.values())
        lines = [
            f"{len(right)} of {len(self.checks)} checks pass here, worth {sum(right):g} of "
            f"{in_points(total)}; grading runs hidden cases too"
        ]
        if elsewhere := self._points_elsewhere():
            lines.append(
                f"{in_points(elsewhere)} more: by hidden cases alone, or graded by a person"
            )
        return "\n".join(lines)

    def _points_elsewhere(self) -> float:
        """Return the points of graded cells that have no check here, as the notebook says them."""
        found = 0.0
        for cell in self._cells:
            match cell["metadata"]:
                case {"nbgrader": {"grade": True, "grade_id": str(name), "points": points}}:
                    known = name in self.checks or not isinstance(points, (int, float))
                    found += 0.0 if known else points
        return found

    def _run_once(self) -> Generator[str | SelfCheck, None, bool]:
        """Run what is not known yet; return whether something was stopped, and there is more."""
        code = [(n, c["source"]) for n, c in enumerate(self._cells, 1) if c["cell_type"] == "code"]
        cells = tuple((number, text) for number, text in code if number not in self._left_out)
        job = Job(str(self.path.resolve().parent), cells, tuple(self._known))
        doing = Event("start")
        with _Process(job) as process:
            while doing.kind != "done":
                limit = self._limit(doing)
                event = process.next(limit)
                if isinstance(event, _Stopped):
                    yield from self._stop(doing, event)
                    return True
                yield from self._take(event)
                doing = event
        return False

    def _limit(self, doing: Event) -> float:
        return self.cell_seconds if doing.kind == "cell" else doing.seconds or OWN_SECONDS

    def _take(self, event: Event) -> Iterator[str | SelfCheck]:
        if event.kind == "broken":
            raise HarnessError(event.text)
        if event.kind == "raised":
            yield from self._say_once(f"cell {event.number} raised {event.text}")
        elif event.kind == "result" and event.result is not None:
            self._known[event.check, event.case] = event.result
        elif event.kind == "checked" and event.check not in self.checks:
            results = [r for (check, _), r in self._known.items() if check == event.check]
            outcome = SelfCheck(event.check, results, points=event.points)
            self.checks[event.check] = outcome, event.points
            yield outcome

    def _stop(self, doing: Event, how: "_Stopped") -> Iterator[str]:
        """Note what was stopped, so that it is not run again."""
        if doing.kind in ("cell", "raised"):
            self._left_out.add(doing.number)
            yield f"cell {doing.number} {how.words}; it is left out"
        elif doing.case:
            message = f"your code {how.words}"
            result = CaseResult(doing.case, False, how.verdict, 0.0, message=message)
            self._known[doing.check, doing.case] = result
        else:
            raise HarnessError(f"the notebook cannot be run: its process {how.words}")

    def _say_once(self, text: str) -> Iterator[str]:
        if text not in self._told:
            self._told.add(text)
            yield text


@dataclass(frozen=True)
class _Stopped:
    """Why no event came: it took too long, or the process has ended."""

    verdict: Verdict
    words: str


class _Process:
    """The process that runs a job, and ends with the block."""

    def __init__(self, job: Job) -> None:
        self._events: queue.Queue[Event | None] = queue.Queue()
        environment = {**os.environ, GRADING: "1", "MPLBACKEND": "Agg"}
        self._process = subprocess.Popen(
            _PROGRAM,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        threading.Thread(target=self._feed, args=[msgspec.json.encode(job)], daemon=True).start()
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self) -> "_Process":
        return self

    def __exit__(self, *_: object) -> None:
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)  # its own children too
        self._process.kill()
        self._process.wait()

    def next(self, seconds: float) -> Event | _Stopped:
        """Return the next event, or why there is none."""
        try:
            event = self._events.get(timeout=seconds)
        except queue.Empty:
            words = f"took longer than {seconds:g} s and was stopped"
            return _Stopped(Verdict.TIMED_OUT, words)
        if event is not None:
            return event
        return _Stopped(Verdict.KILLED, f"ended the process (exit code {self._process.wait()})")

    def _feed(self, job: bytes) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError), self._process.stdin as stdin:
            stdin.write(job)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with contextlib.suppress(ValueError), self._process.stdout as stdout:
            for line in stdout:
                self._events.put(msgspec.json.decode(line, type=Event))
        self._events.put(None)


def _cells(path: Path) -> list[dict[str, Any]]:
    """Return the cells of a notebook file, each with its type, its text and its metadata."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return [
            {
                "cell_type": cell["cell_type"],
                "source": "".join(cell["source"]),
                "metadata": dict(cell.get("metadata", {})),
            }
            for cell in cells
        ]
    except FileNotFoundError:
        raise UsageError(f"there is no file {path}") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} is no Jupyter notebook ({error})") from None
