"""`autograder` with the seven questions: a copy of the course below `build/bench/`, graded there.

Every command is the one that its users run, in a process of its own.
"""

import json
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from autograder.bench.answers import COURSE, NAME, Submission, fill, make_class
from autograder.bench.measure import Failed, Usage, measure
from autograder.bench.peers import Graded, Scores

__all__ = ["Ours"]

BUILD_ONLY = (
    "from autograder.compiler.build import build; from autograder.course import find_course;"
    f" build(find_course(), {NAME!r})"
)
DONE, ATTENTION = 0, 1  # exit codes of `autograder grade`


class Ours:
    """The course in a folder of its own.

    Args:
        folder: ``build/bench``.
        say: is told what is being done.
    """

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self.course, self._say = folder / "ours", say
        shutil.rmtree(self.course, ignore_errors=True)
        shutil.copytree(COURSE, self.course, ignore=shutil.ignore_patterns("__pycache__"))

    @property
    def log(self) -> Path:
        """What the last command printed."""
        return self.course / "log.txt"

    @property
    def bundle(self) -> Path:
        """The compiled bundle."""
        return self.course / "build" / NAME / f"{NAME}.bundle"

    def compile(self) -> Usage:
        """Compile the assignment with its audit."""
        return self._run("-m", "autograder", "compile", "--force", timeout=300)

    def compile_again(self) -> Usage:
        """Compile what is compiled already."""
        return self._run("-m", "autograder", "compile", timeout=60)

    def build(self) -> Usage:
        """Make the artefacts without the audit, and write none."""
        return self._run("-c", BUILD_ONLY, timeout=60)

    def grade(self, submissions: Sequence[Submission], jobs: int) -> Graded:
        """Grade a class from nothing, records included, with one command."""
        self._clear()
        release = (self.course / "release" / NAME / f"{NAME}.ipynb").read_bytes()
        for one in submissions:
            path = self.course / "submitted" / one.student / NAME / f"{NAME}.ipynb"
            path.parent.mkdir(parents=True)
            path.write_bytes(fill(release, one.answers))
        total, results = len(submissions), self.course / "results" / NAME

        def progress() -> None:
            if results.is_dir():
                self._say(f"autograder: {len(list(results.glob('*.json')))} of {total} graded")

        usage = self._run(
            *("-m", "autograder", "grade", NAME, "--device", "cpu", "--jobs", str(jobs)),
            timeout=120.0 + 2.0 * total,
            codes=(DONE, ATTENTION),
            progress=progress,
        )
        graded = Graded(usage, self._scores())
        if len(graded.scores) != total:
            raise Failed(f"{len(graded.scores)} of {total} submissions have a result")
        self._clear()
        return graded

    def many(self, count: int, distinct: int) -> list[Submission]:
        """Return so many submissions, of which only some differ in more than their names."""
        base = make_class(distinct)
        return [Submission(f"n{i:05d}", base[i % distinct].answers) for i in range(count)]

    def _clear(self) -> None:
        for name in ("submitted", "results", "feedback", "autograded", "report"):
            shutil.rmtree(self.course / name, ignore_errors=True)
        (self.course / "gradebook.db").unlink(missing_ok=True)

    def _scores(self) -> Scores:
        scores: Scores = {}
        for path in (self.course / "results" / NAME).glob("*.json"):
            result = json.loads(path.read_bytes())
            points = {entry["id"]: entry["earned"] for entry in result["questions"]}
            if result["status"] == "graded":
                scores[result["student"]] = points
            else:
                raise Failed(f"{result['student']} needs attention: {result['notes']}")
        return scores

    def _run(
        self,
        *words: str,
        timeout: float,
        codes: Sequence[int] = (DONE,),
        progress: Callable[[], None] = lambda: None,
    ) -> Usage:
        return measure(
            [sys.executable, *words],
            self.course,
            timeout=timeout,
            env={"AUTOGRADER_SECRET": "the secret of the bench"},
            log=self.log,
            codes=codes,
            progress=progress,
        )
