"""Homework 1 grades as it should: answers that are right pass, and known mistakes do not."""

import functools
import re
from pathlib import Path

import jupytext
import numpy as np
import pytest
import torch

from autograder.authoring.checks import case_rng
from autograder.grading.bundle import Cell
from autograder.grading.cases import ReferenceSession, run_case
from autograder.grading.oracle import load_oracle
from autograder.grading.results import Verdict
from autograder.sandbox.messages import InProcessSession

NAME = "hw1_optimizers"
ROOT = Path(__file__).parents[2]
SECRETS = (b"one", b"two", b"three")
NOTEBOOK = jupytext.read(ROOT / "assignments" / NAME / f"{NAME}.py")
SELF_CHECK = re.compile(r"^self_check\(\w+\)$", re.MULTILINE)


def load():
    cells = [
        Cell("given", number, SELF_CHECK.sub("", cell.source))
        for number, cell in enumerate(NOTEBOOK.cells, 1)
        if cell.cell_type == "code"
    ]
    texts = {str(p.relative_to(ROOT)): p.read_text() for p in ROOT.glob("reference/**/*.py")}
    return load_oracle(cells, texts, NAME, f"{NAME}.py")


ORACLE = load()
CHECKS = list(ORACLE.checks.values())
SCORED = [check for check in CHECKS if check.points]
MANUAL = {
    cell.metadata["question"]: cell.metadata["points"]
    for cell in NOTEBOOK.cells
    if cell.metadata.get("manual")
}


def run(check, case, secret, values):
    """Run a case with some names of the notebook replaced."""
    return run_case(
        check,
        case,
        InProcessSession({**ORACLE.namespace, **values}),
        ReferenceSession(ORACLE.namespace),
        lambda: case_rng(secret, NAME, check.name, case.name),
    )


def run_all(check, values):
    """Run all cases with all secrets: (case, secret), result."""
    return [
        (f"{case.name}, secret {secret.decode()}", run(check, case, secret, values))
        for secret in SECRETS
        for case in check.cases
    ]


def variants(kind):
    return [
        pytest.param(check, variant, id=f"{check.name}-{variant.title}")
        for check in CHECKS
        for variant in getattr(check, kind)
    ]


@pytest.mark.parametrize(
    ("check", "case"),
    [pytest.param(c, k, id=f"{c.name}-{k.name}") for c in CHECKS for k in c.cases],
)
def test_the_reference_passes_every_case(check, case):
    for secret in SECRETS:
        result = run(check, case, secret, {})
        assert result.verdict is Verdict.PASSED, result.message


@pytest.mark.parametrize(("check", "variant"), variants("mistakes"))
def test_a_mistake_fails_a_case_and_breaks_none(check, variant):
    first, *others = SECRETS
    verdicts = {run(check, case, first, variant.values).verdict for case in check.cases}
    assert Verdict.BROKEN not in verdicts
    assert verdicts != {Verdict.PASSED}
    for secret in others:
        results = (run(check, case, secret, variant.values) for case in check.cases)
        assert any(r.verdict not in (Verdict.PASSED, Verdict.BROKEN) for r in results), secret


@pytest.mark.parametrize(("check", "variant"), variants("alternatives"))
def test_an_alternative_passes_every_case(check, variant):
    failed = {n: r.message for n, r in run_all(check, variant.values) if r.verdict != "passed"}
    assert not failed


@pytest.mark.parametrize("check", SCORED, ids=lambda check: check.name)
def test_a_check_with_points_has_mistakes_and_alternatives(check):
    assert check.mistakes
    assert check.alternatives


# Null answers


def nothing(right):
    return lambda *args, **kwargs: None


def zeros(right):
    def zeroed(value):
        if isinstance(value, tuple):
            return tuple(zeroed(v) for v in value)
        return np.zeros_like(value)

    return lambda *args, **kwargs: zeroed(right(*args, **kwargs))


def first_argument(right):
    def echo(*args, **kwargs):
        value = right(*args, **kwargs)
        return tuple(args[: len(value)]) if isinstance(value, tuple) else args[0]

    return echo


class Motionless(torch.optim.Optimizer):
    """A MyAdam that does nothing but call the closure."""

    def __init__(self, params, **settings):
        super().__init__(params, settings)

    def step(self, closure=None):
        return closure() if closure else None


FUNCTIONS = [
    name
    for name, value in ORACLE.namespace.items()
    if callable(value) and getattr(value, "__module__", "").startswith("reference.")
]
VALUES = [
    "adaptive_limit",
    "adaptive_is_minimum_norm",
    "adam_l2_equals_adamw",
    "larger_batch_learning_rate",
    "noise_dominated_remedy",
    "curvature_dominated_remedy",
    "best_use_of_compute",
]


def null_answers(make):
    functions = {name: make(ORACLE.namespace[name]) for name in FUNCTIONS if name != "MyAdam"}
    return {**functions, "MyAdam": Motionless, **dict.fromkeys(VALUES)}


@pytest.mark.parametrize("make", [nothing, zeros, first_argument], ids=lambda make: make.__name__)
@pytest.mark.parametrize("check", SCORED, ids=lambda check: check.name)
def test_a_null_answer_earns_nothing(check, make):
    passed = [name for name, r in run_all(check, null_answers(make)) if r.verdict == "passed"]
    assert not passed


@pytest.mark.parametrize("check", SCORED, ids=lambda check: check.name)
def test_an_untouched_release_earns_nothing(check):
    def stub(*args, **kwargs):
        raise NotImplementedError

    class Stub(ORACLE.namespace["AdamFrame"]):
        def update(self, *args):
            raise NotImplementedError

    untouched = dict.fromkeys(FUNCTIONS, stub) | {"MyAdam": Stub} | dict.fromkeys(VALUES, ...)
    verdicts = {r.verdict for _, r in run_all(check, untouched)}
    assert verdicts <= {Verdict.ERRORED, Verdict.FAILED}


# Points


def test_the_points_sum_to_a_hundred():
    assert sum(check.points for check in CHECKS) + sum(MANUAL.values()) == 100


@functools.cache
def headings():
    """The points that the headings name, by title."""
    text = "\n".join(cell.source for cell in NOTEBOOK.cells if cell.cell_type == "markdown")
    found = re.findall(r"^## (\d\.\d .+) \((\d+) points?\)$", text, re.MULTILINE)
    return {title: int(points) for title, points in found}


def questions():
    """The points of each question in the order of the notebook."""
    points = {}
    for cell in NOTEBOOK.cells:
        if cell.metadata.get("manual"):
            points[cell.metadata["question"]] = cell.metadata["points"]
        for check in CHECKS:
            if re.search(rf"^def {check.name}\(", cell.source, re.MULTILINE):
                points[check.question] = points.get(check.question, 0) + check.points
    return points


def test_each_heading_names_the_points_of_its_question():
    assert list(headings().values()) == list(questions().values())


def test_the_table_of_parts_adds_up():
    table = re.findall(r"^\| (\d) \| .* \| (\d+) \|$", NOTEBOOK.cells[0].source, re.MULTILINE)
    sums = {part: 0 for part, _ in table}
    for title, points in headings().items():
        sums[title[0]] += points
    assert sums == {part: int(points) for part, points in table}


@pytest.mark.parametrize("question", MANUAL)
def test_a_rubric_adds_up_to_the_points_of_its_question(question):
    (cell,) = (c for c in NOTEBOOK.cells if c.metadata.get("question") == question)
    rubric = cell.source.partition("=== BEGIN MARK SCHEME ===")[2]
    points = re.findall(r"^- (\d+) points?:", rubric, re.MULTILINE)
    assert sum(map(int, points)) == MANUAL[question]
