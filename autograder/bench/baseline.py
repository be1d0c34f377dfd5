"""The least that grading can cost: the students' cells and the checks in one warm process.

No sandbox, no forks, no wire, no copies, no notebook files and no records. For each submission the
code cells of its notebook are executed in a fresh namespace; then every case of every check runs,
with the reference, on the functions in that namespace. What another way of grading costs beyond
this is its overhead.

``python -m autograder.bench.baseline BUNDLE SUBMISSION…`` prints JSON.
"""

import contextlib
import json
import logging
import sys
import time
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from autograder.artefacts.bundle import read_bundle
from autograder.artefacts.compiled import Oracle
from autograder.authoring.budget import graded_budgets
from autograder.authoring.checks import case_rng
from autograder.grading.oracle import load_bundle_oracle
from autograder.grading.submission import parse_submission

__all__ = ["main"]

ROUNDS = 5
SECRET = b"the secret of the bench"


class Direct:
    """What a check calls, without anything between it and the functions."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self._names = SimpleNamespace(**{k: v for k, v in namespace.items() if k.isidentifier()})

    def __getattr__(self, name: str) -> Any:
        return getattr(self._names, name)

    def apply(self, helper: Any, *args: Any, **kwargs: Any) -> Any:
        """Run a helper beside the functions."""
        return helper(self._names, *args, **kwargs)


def grade(cells: list[str], oracle: Oracle) -> int:
    """Run a notebook and its checks; return how many cases passed."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for cell in cells:
        with contextlib.suppress(Exception):
            exec(compile(cell, "<cell>", "exec"), namespace)
    student, reference, passed = Direct(namespace), Direct(oracle.namespace), 0
    for check in oracle.checks.values():
        for case in check.cases:
            rng = case_rng(SECRET, oracle.assignment, check.name, case.name)
            with contextlib.suppress(Exception):
                check.function(student, reference, rng, **case.parameters)
                passed += 1
    return passed


def main(bundle_path: str, *paths: str) -> None:
    """Grade all submissions several times and print the seconds of CPU of each."""
    import torch

    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    logging.disable()
    bundle = read_bundle(Path(bundle_path))
    oracle = load_bundle_oracle(bundle)
    submissions = [parse_submission(Path(path).read_bytes(), bundle.release) for path in paths]
    cells = [[cell.source for cell in submission.cells] for submission in submissions]
    with graded_budgets(), contextlib.redirect_stdout(None):  # as in a session
        for one in cells:  # warm: what is imported late is imported
            grade(one, oracle)
        began = time.process_time()
        passed = [grade(one, oracle) for _ in range(ROUNDS) for one in cells]
        seconds = (time.process_time() - began) / len(passed)
    json.dump({"cpu": seconds, "passed": sum(passed) / ROUNDS}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
