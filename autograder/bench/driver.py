"""A run of the bench: the same class graded with nbgrader, Otter and `autograder`, part by part.

Figures go to `build/bench.json` as each part ends. A part that fails is noted and loses nothing of
the others.
"""

import contextlib
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from autograder.bench.answers import NAME, Submission, fill, make_class
from autograder.bench.machine import describe
from autograder.bench.measure import Failed, Usage, measure
from autograder.bench.ours import Ours
from autograder.bench.page import figures
from autograder.bench.peers import (
    NBGRADER,
    OTTER,
    PEERS,
    Graded,
    Nbgrader,
    Otter,
    install,
    is_installed,
)
from autograder.errors import HarnessError

__all__ = ["PARTS", "Bench"]

PARTS = ("compile", "ours", "nbgrader", "otter", "overhead", "sessions", "scale")
SESSIONS = 200
CONSTRAINTS = Path("constraints.txt")  # of a clone of the repository, for pip
SECONDS_BETWEEN_WORDS = 15.0


class Bench:
    """One run: the parts, and what they have found so far.

    Args:
        build: the folder of ``bench.json``, and of ``bench/``, where everything else goes.
        jobs: submissions at a time, in the systems that can.
        sizes: of the classes that `autograder` grades alone.
        count: submissions that every system grades.
    """

    def __init__(self, build: Path, jobs: int, sizes: Sequence[int], count: int) -> None:
        self._out, self._folder = build / "bench.json", build / "bench"
        self._jobs, self._sizes, self._class = jobs, sizes, make_class(count)
        self._said = 0.0
        self.raw: dict[str, Any] = {}
        self.findings: list[str] = []
        if self._out.is_file():  # figures of parts that are not run now stay
            with contextlib.suppress(ValueError):
                self.raw = json.loads(self._out.read_bytes()).get("raw", {})

    def run(self, parts: Sequence[str]) -> bool:
        """Run parts one after another, and write what there is after each.

        Returns:
            Whether every part did its work, and every score is what the answer deserves.

        Raises:
            HarnessError: the seven questions cannot be compiled here.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        self.raw["machine"] = describe()
        self._ours = Ours(self._folder, self.say)
        self._need_bundle()
        for part in parts:
            _say(f"== {part}")
            began = time.monotonic()
            try:
                self.raw[part] = getattr(self, part)()
            except Exception as error:  # the other parts count none the less
                self.raw[part] = {"failed": f"{type(error).__name__}: {error}"[:500]}
                _say(f"{part} failed: {error}")
            self.raw[part]["took"] = round(time.monotonic() - began, 1)
            self._write()
        return not self.findings and not any("failed" in self.raw[part] for part in parts)

    def ours(self) -> dict[str, Any]:
        """Grade the class with `autograder`."""
        graded = self._ours.grade(self._class, self._jobs)
        self._compare("autograder", graded)
        return self._class_figures(graded)

    def nbgrader(self) -> dict[str, Any]:
        """Grade the class with nbgrader, and one submission alone."""
        self._need(NBGRADER)
        peer = Nbgrader(self._folder, self.say)
        compiled = peer.compile()
        alone = peer.grade(self._class[:1])
        graded = peer.grade(self._class)
        self._compare("nbgrader", graded)
        return self._class_figures(graded, (alone.usage, 1)) | {"compile": _plain(compiled)}

    def otter(self) -> dict[str, Any]:
        """Grade the class with Otter, one submission for each process, and one with `otter run`."""
        self._need(OTTER)
        peer = Otter(self._folder, self.say)
        compiled = peer.compile()
        alone = peer.grade(self._class[: self._jobs], self._jobs)
        command = peer.run_one(self._class[0])
        graded = peer.grade(self._class, self._jobs)
        self._compare("Otter", graded)
        found = self._class_figures(graded, (alone.usage, self._jobs))
        return found | {"compile": _plain(compiled), "otter_run": _plain(command)}

    def scale(self) -> dict[str, Any]:
        """Grade larger and larger classes with `autograder`."""
        found: dict[str, Any] = {}
        for size in self._sizes:
            self.say(f"autograder: a class of {size}", always=True)
            graded = self._ours.grade(self._ours.many(size, len(self._class)), self._jobs)
            found[str(size)] = self._class_figures(graded) | {"memory": _over_time(graded.usage)}
            self.raw["scale"] = found
            self._write()
        return found

    def overhead(self) -> dict[str, Any]:
        """Run the same cells and checks in one warm process."""
        release = self._ours.course / "release" / NAME / f"{NAME}.ipynb"
        paths = self._submissions(release.read_bytes(), self._class)
        usage = self._module("autograder.bench.baseline", self._ours.bundle, *paths)
        found: dict[str, Any] = json.loads(usage.output)
        return found

    def sessions(self) -> dict[str, Any]:
        """Start sessions and look at them."""
        usage = self._module("autograder.bench.sessions", self._ours.bundle, str(SESSIONS))
        found: dict[str, Any] = json.loads(usage.output)
        return found

    def compile(self) -> dict[str, Any]:
        """Compile with the audit, without it, and with nothing to do."""
        return {
            "audit": _plain(self._ours.compile()),
            "build": _plain(self._ours.build()),
            "nothing": _plain(self._ours.compile_again()),
        }

    def say(self, text: str, always: bool = False) -> None:
        """Say how it goes on: at most every few seconds."""
        now = time.monotonic()
        if always or now - self._said > SECONDS_BETWEEN_WORDS:
            self._said = now
            _say(text)

    def _need_bundle(self) -> None:
        self.say("compiling the seven questions", always=True)
        try:
            self._ours.compile()
        except Failed:
            log = self._ours.log
            raise HarnessError(f"the seven questions cannot be compiled; {log} says why") from None

    def _need(self, peer: str) -> None:
        if not is_installed(peer, self._folder):
            self.say(f"installing {PEERS[peer]} (once; some minutes) ...", always=True)
            install(peer, self._folder, CONSTRAINTS)

    def _class_figures(
        self, graded: Graded, fewer: tuple[Usage, int] | None = None
    ) -> dict[str, Any]:
        """Return a class's cost for each submission: all of it, and beyond that of fewer."""
        count, usage = len(graded.scores), graded.usage
        found: dict[str, Any] = {
            "submissions": count,
            "cpu": usage.cpu / count,
            "wall": usage.wall / count,
            "a_minute": 60.0 * count / usage.wall,
            "peak_mb": usage.peak_mb,
            "source": usage.source,
        }
        if fewer is not None:
            former, less = fewer
            found["first"] = {"submissions": less} | _plain(former)
            found["marginal_cpu"] = (usage.cpu - former.cpu) / (count - less)
            found["marginal_wall"] = (usage.wall - former.wall) / (count - less)
        return found

    def _compare(self, system: str, graded: Graded) -> None:
        """Note where a system's scores are not what the answers deserve."""
        self.findings = [f for f in self.findings if not f.startswith(system)]
        for one in self._class:
            got, want = graded.scores.get(one.student, {}), one.points()
            for question, points in want.items():
                if got.get(question) != points:
                    text = f"{system}: {one.student} gets {got.get(question)} for {question}"
                    self.findings.append(f"{text}, deserves {points:g}")
        for finding in self.findings:
            _say(finding)

    def _submissions(self, release: bytes, submissions: Sequence[Submission]) -> list[Path]:
        folder = self._folder / "baseline"
        folder.mkdir(exist_ok=True)
        paths = []
        for one in submissions:
            paths.append(folder / f"{one.student}.ipynb")
            paths[-1].write_bytes(fill(release, one.answers))
        return paths

    def _module(self, name: str, *words: str | Path) -> Usage:
        command = [sys.executable, "-m", name, *words]
        log = self._folder / f"{name.rpartition('.')[2]}.txt"
        return measure(command, self._folder, timeout=600, log=log)

    def _write(self) -> None:
        everything = figures(self.raw) | {"findings": self.findings, "raw": self.raw}
        self._out.write_text(json.dumps(everything, indent=1) + "\n", encoding="utf-8")


def _say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _plain(usage: Usage) -> dict[str, Any]:
    kept = ("cpu", "wall", "peak_mb", "source")
    return {key: value for key, value in asdict(usage).items() if key in kept}


def _over_time(usage: Usage) -> list[dict[str, float]]:
    """Return the memory at a few times of a run, by kind of process."""
    samples = usage.samples
    if not samples:
        return []
    places = [int(share * (len(samples) - 1)) for share in (0.1, 0.3, 0.5, 0.7, 0.9, 1.0)]
    chosen = [samples[place] for place in sorted(set(places))]
    return [{"seconds": s.seconds, "driver_cpu": s.driver_cpu} | dict(s.mb) for s in chosen]
