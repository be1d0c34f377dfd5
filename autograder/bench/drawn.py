"""What drawn cases cost at grading: an assignment beside what it was before its domains.

Both are graded in turn in one process, so that other work on the machine slows both alike. Each is
graded with a solution, with answers that are all wrong, and with mistakes that have a price.

``python -m autograder.bench.drawn NAME BEFORE AFTER [ROUNDS]`` prints JSON; BEFORE and AFTER are
folders of courses in which NAME is compiled.
"""

import ast
import json
import os
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from autograder.artefacts.bundle import read_bundle
from autograder.artefacts.manifest import QuestionEntry
from autograder.authoring.bank import Variant
from autograder.bench.measure import Group
from autograder.grading.case_runs import CaseRuns
from autograder.grading.oracle import load_bundle_oracle
from autograder.grading.runner import Grader
from autograder.sandbox.limits import Limits

__all__ = ["all_wrong", "edited", "main", "priced_edit"]

SECRET = b"the secret of the bench"
WRONG = "def {name}(*args, **kwargs):\n    return 0.125\n"


class _Timed(Grader):
    """A grader that notes how long each part of a grading takes."""

    def begin(self) -> None:
        """Forget what was noted."""
        self.seconds = {"prices": 0.0, "smallest": 0.0, "diagnosis": 0.0}

    def _priced(self, runs: CaseRuns, entries: Sequence[QuestionEntry]) -> dict[str, Variant]:
        with self._noted("prices"):
            return super()._priced(runs, entries)

    def _find_smallest(self, *args: Any) -> None:
        with self._noted("smallest"):
            super()._find_smallest(*args)

    def _diagnose(self, runs: CaseRuns) -> None:
        with self._noted("diagnosis"):
            super()._diagnose(runs)

    @contextmanager
    def _noted(self, part: str) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            self.seconds[part] += time.monotonic() - began


class _Assignment:
    """A compiled assignment, and the notebooks that it is graded with.

    Args:
        course: the folder of its course.
        name: of the assignment.
        edits: of the solution, one of a priced mistake each.
        group: counts the processor time of this process and of all below it.
    """

    def __init__(
        self, course: Path, name: str, edits: Sequence[tuple[str, str]], group: Group
    ) -> None:
        build = course / "build" / name
        bundle = read_bundle(build / f"{name}.bundle")
        oracle = load_bundle_oracle(bundle)
        self.cases = sum(len(check.cases) for check in oracle.checks.values())
        self.drawn = sum(case.is_drawn for check in oracle.checks.values() for case in check.cases)
        self._group = group
        self._grader = _Timed(bundle, oracle, SECRET, Limits())
        solution = (build / f"{name}_solution.ipynb").read_bytes()
        self.notebooks = {
            "right": solution,
            "all wrong": all_wrong(solution),
            "at their prices": edited(solution, edits),
        }

    def grade(self, kind: str) -> dict[str, float]:
        """Return the seconds that a grading takes, all of it and in parts, and what is earned."""
        self._grader.begin()
        began, used = time.monotonic(), self._group.seconds()
        result = self._grader.grade("s1", self.notebooks[kind])
        found = {"wall": time.monotonic() - began, **self._grader.seconds, "earned": result.earned}
        after = self._group.seconds()
        return found if used is None or after is None else {"cpu": after - used, **found}

    def close(self) -> None:
        """End the fork server."""
        self._grader.close()


def main(name: str, before: str, after: str, rounds: str = "7") -> None:
    """Print the median seconds of each kind of submission, before and after, and their ratio."""
    banks = sorted((Path(after) / "assignments" / name / "bank").glob("*.py"))
    edits = [edit for bank in banks for edit in priced_edit(bank.read_text(encoding="utf-8"))]
    folders = {"before": Path(before), "after": Path(after)}
    group = Group()
    if group.folder is not None:
        group.procs.write_text(str(os.getpid()))
    both = {when: _Assignment(folder, name, edits, group) for when, folder in folders.items()}
    found: dict[str, Any] = {
        when: {"cases": one.cases, "drawn": one.drawn} for when, one in both.items()
    }
    try:
        for kind in both["after"].notebooks:
            times: dict[str, list[dict[str, float]]] = {"before": [], "after": []}
            for number in range(int(rounds) + 1):
                for when, one in both.items():
                    figures = one.grade(kind)
                    if number:  # what is imported late is imported in the first
                        times[when].append(figures)
            for when, each in times.items():
                found[when][kind] = _medians(each)
            before_after = [found[when][kind] for when in folders]
            found.setdefault("ratios", {})[kind] = _ratios(*before_after)
    finally:
        for one in both.values():
            one.close()
    json.dump(found, sys.stdout, indent=1)


def _medians(each: list[dict[str, float]]) -> dict[str, Any]:
    """Return the medians of what gradings took, and each sum that they earned."""
    found: dict[str, Any] = {key: statistics.median(one[key] for one in each) for key in each[0]}
    return {**found, "earned": sorted({one["earned"] for one in each})}


def _ratios(before: dict[str, Any], after: dict[str, Any]) -> dict[str, float]:
    return {key: after[key] / before[key] for key in ("cpu", "wall") if key in before}


def priced_edit(bank: str) -> Iterator[tuple[str, str]]:
    """Return the first edit of a bank's text that is a mistake with a price."""
    for node in ast.walk(ast.parse(bank)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            options = {word.arg: word.value for word in node.keywords}
            if node.func.id == "mistake" and {"edit", "costs"} <= set(options):
                yield ast.literal_eval(options["edit"])
                return


def edited(solution: bytes, edits: Sequence[tuple[str, str]]) -> bytes:
    """Return a notebook with pieces of its text replaced, those that it has exactly once."""
    notebook = json.loads(solution)
    for old, new in edits:
        cells = [cell for cell in notebook["cells"] if old in "".join(cell["source"])]
        if len(cells) == 1 and cells[0]["cell_type"] == "code":
            cells[0]["source"] = "".join(cells[0]["source"]).replace(old, new)
    return json.dumps(notebook).encode()


def all_wrong(solution: bytes) -> bytes:
    """Return a notebook whose functions answer one number, whatever they are given."""
    notebook = json.loads(solution)
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("solution") and cell["cell_type"] == "code":
            body = ast.parse("".join(cell["source"])).body
            names = [node.name for node in body if isinstance(node, ast.FunctionDef)]
            if names:
                cell["source"] = "\n\n".join(WRONG.format(name=name) for name in names)
    return json.dumps(notebook).encode()


if __name__ == "__main__":
    main(*sys.argv[1:])
