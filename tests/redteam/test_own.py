"""Attacks on one assignment's own checks earn what its first line says, in this process."""

import ast
import contextlib
import functools
import re
from pathlib import Path

import jupytext
import matplotlib as mpl
import pytest

from autograder.artefacts.bundle import Cell
from autograder.artefacts.compiled import Oracle
from autograder.artefacts.results import Verdict
from autograder.authoring.checks import case_rng
from autograder.course import find_course
from autograder.grading.cases import ReferenceSession, run_case
from autograder.grading.oracle import load_oracle
from autograder.redteam.catalogue import read_own
from autograder.redteam.specimens import Earning, Specimen
from autograder.sandbox.protocol.messages import InProcessSession

ROOT = Path(__file__).parents[2]
SELF_CHECK = re.compile(r"^self_check\(\w+\)$", re.MULTILINE)
COURSE = find_course(ROOT)
ATTACKS = [specimen for name in COURSE.assignments() for specimen in read_own(COURSE, name)]


@functools.cache
def load(assignment: str) -> tuple[Oracle, frozenset[str]]:
    """Return an assignment's trusted cells after they ran, and the names that it asks for."""
    mpl.use("Agg")
    notebook = jupytext.read(ROOT / "assignments" / assignment / f"{assignment}.py")
    sources = [SELF_CHECK.sub("", c.source) for c in notebook.cells if c.cell_type == "code"]
    cells = [Cell("given", number, source) for number, source in enumerate(sources, 1)]
    texts = {str(p.relative_to(ROOT)): p.read_text() for p in ROOT.glob("reference/**/*.py")}
    imports = [n for s in sources for n in ast.parse(s).body if isinstance(n, ast.ImportFrom)]
    asked = [i for i in imports if (i.module or "").startswith("reference.")]
    names = frozenset(alias.name for one in asked for alias in one.names)
    return load_oracle(cells, texts, assignment, f"{assignment}.py"), names


def stub(*args: object, **kwargs: object) -> None:
    raise NotImplementedError


def passed(specimen: Specimen) -> dict[str, float]:
    """Return the checks of which a specimen passes a case, in the blank notebook: their points."""
    oracle, names = load(specimen.group)
    namespace = oracle.namespace | dict.fromkeys(names, stub)
    for cell in (cell for cells in specimen.cells() for cell in cells):
        exec(compile(cell, f"<{specimen.id}>", "exec"), namespace)
    found = {}
    for check in oracle.checks.values():
        # What no answer of the specimen's is asked for would only say that nothing is there.
        if not check.points or check.device == "cuda":
            continue
        for case in check.cases:
            made = functools.partial(case_rng, b"zoo", specimen.group, check.name, case.name)
            student = InProcessSession(namespace)
            result = run_case(check, case, student, ReferenceSession(oracle.namespace), made)
            assert result.verdict is not Verdict.BROKEN, result.message
            if result.verdict is Verdict.PASSED:
                found[f"{check.name}: {case.name}"] = check.points
    return found


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("specimen", ATTACKS, ids=lambda specimen: specimen.id)
def test_a_forged_answer_passes_no_case_that_scores(specimen: Specimen) -> None:
    assert specimen.expectation.earning is Earning.NOTHING
    with contextlib.redirect_stdout(None):
        assert passed(specimen) == {}
