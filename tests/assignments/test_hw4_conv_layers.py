"""Homework 4 grades as it should: answers that are right pass, and known mistakes do not."""

import functools
import re
from pathlib import Path

import jupytext
import numpy as np
import pytest

from autograder.authoring.checks import case_rng
from autograder.compiler.reference import Reference
from autograder.grading.bundle import Cell
from autograder.grading.cases import ReferenceSession, run_case
from autograder.grading.oracle import load_oracle
from autograder.grading.results import Verdict
from autograder.sandbox.messages import InProcessSession

NAME = "hw4_conv_layers"
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
    folder = ROOT / "assignments" / NAME
    data = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.glob("data/*")}
    return load_oracle(cells, texts, NAME, f"{NAME}.py", data, Reference(ROOT).resources(texts))


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
    with np.errstate(all="ignore"):
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


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # a mistake may divide by zero
@pytest.mark.parametrize(("check", "variant"), variants("mistakes"))
def test_a_mistake_fails_a_case_and_breaks_none(check, variant):
    for secret in SECRETS:
        verdicts = {run(check, case, secret, variant.values).verdict for case in check.cases}
        assert Verdict.BROKEN not in verdicts
        assert verdicts != {Verdict.PASSED}


@pytest.mark.parametrize(("check", "variant"), variants("alternatives"))
def test_an_alternative_passes_every_case(check, variant):
    failed = {n: r.message for n, r in run_all(check, variant.values) if r.verdict != "passed"}
    assert not failed


@pytest.mark.parametrize("check", SCORED, ids=lambda check: check.name)
def test_a_check_with_points_has_mistakes_and_alternatives(check):
    assert check.mistakes
    assert len(check.alternatives) >= 2


# Null answers

MODULES = [f"reference.{name}" for name in ("layers", "training_layers", "convnet")]
FUNCTIONS = [
    name for name, value in ORACLE.namespace.items() if getattr(value, "__module__", "") in MODULES
]


def filled(value, make):
    """Return a value with every array and number in it replaced."""
    if isinstance(value, (tuple, list)):
        return type(value)(filled(item, make) for item in value)
    if isinstance(value, dict):
        return {key: filled(item, make) for key, item in value.items()}
    return make(np.asarray(value, float))


def in_place_of(make):
    def answer(right):
        return lambda *args, **kwargs: filled(right(*args, **kwargs), make)

    return answer


def first_arguments(right):
    def echo(*args, **kwargs):
        value = right(*args, **kwargs)
        return tuple(args[: len(value)]) if isinstance(value, tuple) else args[0]

    return echo


NULL = {
    "nothing": lambda right: lambda *args, **kwargs: None,
    "a number": lambda right: lambda *args, **kwargs: 0.0,
    "an empty array": lambda right: lambda *args, **kwargs: np.empty(0),
    "an object": lambda right: lambda *args, **kwargs: object(),
    "zeros": in_place_of(np.zeros_like),
    "ones": in_place_of(np.ones_like),
    "a constant": in_place_of(lambda a: np.full_like(a, 0.3)),
    "nan": in_place_of(lambda a: np.full_like(a, np.nan)),
    "wrong shape": in_place_of(lambda a: a[None]),
    "an axis less": in_place_of(lambda a: a.ravel()[:-1]),
    "noise": in_place_of(lambda a: np.random.default_rng(0).normal(size=a.shape)),
    "the arguments": first_arguments,
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("kind", NULL)
@pytest.mark.parametrize("check", SCORED, ids=lambda check: check.name)
def test_a_null_answer_earns_nothing(check, kind):
    answers = {name: NULL[kind](ORACLE.namespace[name]) for name in FUNCTIONS}
    results = dict(run_all(check, answers))
    assert not [name for name, r in results.items() if r.verdict is Verdict.PASSED]
    assert not [name for name, r in results.items() if r.verdict is Verdict.BROKEN]


@pytest.mark.parametrize("check", SCORED, ids=lambda check: check.name)
def test_an_untouched_release_earns_nothing(check):
    def stub(*args, **kwargs):
        raise NotImplementedError

    verdicts = {r.verdict for _, r in run_all(check, dict.fromkeys(FUNCTIONS, stub))}
    assert verdicts <= {Verdict.ERRORED, Verdict.FAILED}


@pytest.mark.parametrize(
    "params",
    [
        {"w1": 1, "b1": 2, "w2": 3, "b2": 4},
        {"w1": np.zeros((65, 1, 3, 3)), "b1": 0, "w2": 0, "b2": 0},
        {"w1": np.zeros((0, 1, 3, 3)), "b1": np.zeros(0), "w2": np.zeros((0, 10)), "b2": 0},
        {"w1": np.zeros((2, 1, 4, 3)), "b1": np.zeros(2), "w2": np.zeros((32, 10)), "b2": 0},
        {"w1": np.zeros((2, 3, 3, 3)), "b1": np.zeros(2), "w2": np.zeros((32, 10)), "b2": 0},
        {"w1": np.zeros((2, 1, 3, 3)), "b1": None, "w2": "w2", "b2": ()},
        {"w1": np.zeros((2, 1, 3, 3)), "b1": np.zeros(2), "w2": object(), "b2": np.zeros(10)},
        {"w1": np.zeros((2, 1, 3, 3), complex)},
    ],
    ids=range(8),
)
def test_parameters_that_are_no_network_fail_and_break_nothing(params):
    check = ORACLE.checks["fit_digits_learns_to_read"]
    for _, result in run_all(check, {"fit_digits": lambda x, labels: params}):
        assert result.verdict is Verdict.FAILED


# What the homework is about: the mistakes of the field

BANK = [
    ("conv_forward_matches_reference", "kernel is flipped"),
    ("conv_forward_matches_reference", "rounded up in place of down"),
    ("conv_backward_gives_dx", "empty for a pad of zero"),
    ("conv_backward_gives_dx", "stride is ignored on the way back"),
    ("conv_forward_matches_reference", "only square kernels"),
    ("conv_forward_matches_reference", "the bias once for each weight"),
    ("conv_backward_gives_dw_and_db", "db summed over the wrong axes"),
    ("max_pool_backward_matches_reference", "overwrite each other"),
    ("max_pool_backward_settles_ties", "every one of several largest"),
    ("relu_forward_matches_reference", "works in place"),
    ("batchnorm_forward_matches_in_training", "divides by m - 1: here it is m"),
    ("batchnorm_forward_matches_in_training", "running averages are reversed"),
    ("dropout_forward_matches_reference", "scaled by p"),
    ("batchnorm_forward_matches_in_training", "reshape without moving the channels"),
    ("batchnorm_forward_matches_in_training", "layer normalisation"),
    ("softmax_loss_stands_large_scores", "overflows"),
    ("softmax_loss_matches_reference", "not divided by N"),
]


@pytest.mark.parametrize(("name", "words"), BANK)
def test_a_mistake_of_the_bank_is_named(name, words):
    assert any(words in mistake.title for mistake in ORACLE.checks[name].mistakes)


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
