"""The exam grades as it should: answers that are right pass, and known mistakes do not."""

import functools
import inspect
import re
from pathlib import Path

import jupytext
import numpy as np
import pytest

from autograder.authoring.checks import case_rng
from autograder.grading.bundle import Cell
from autograder.grading.cases import ReferenceSession, run_case
from autograder.grading.oracle import load_oracle
from autograder.grading.results import Verdict
from autograder.sandbox.messages import InProcessSession
from reference.answers import exam

NAME = "exam"
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

FUNCTIONS = [
    name
    for name, value in ORACLE.namespace.items()
    if callable(value) and getattr(value, "__module__", "").startswith("reference.")
]
VALUES = [
    name
    for name, value in vars(exam).items()
    if not (name.startswith("_") or callable(value) or inspect.ismodule(value))
]


def nested(change):
    """Return a change of an array that works on nests of arrays, and on texts too."""

    def changed(value):
        if isinstance(value, (tuple, list)) and not all(isinstance(v, int) for v in value):
            return type(value)(changed(v) for v in value)
        if isinstance(value, str):
            return change(np.array(0.0)).tolist()
        return change(np.asarray(value, float))

    return changed


NULLS = {
    "None": lambda value: None,
    "zeros": nested(np.zeros_like),
    "ones": nested(np.ones_like),
    "NaN": nested(lambda value: np.full_like(value, np.nan)),
    "a constant": nested(lambda value: np.full_like(value, 0.5)),
    "infinity": nested(lambda value: np.full_like(value, np.inf)),
    "empty": lambda value: np.array([]),
    "a wrong shape": nested(lambda value: np.stack([value, value])),
    "an empty text": lambda value: "",
    "a text": lambda value: "A",
    "an object": lambda value: object(),
}


def null_answers(change):
    def function(right):
        return lambda *args, **kwargs: change(right(*args, **kwargs))

    names = ORACLE.namespace
    answers = {name: function(names[name]) for name in FUNCTIONS}
    return answers | {name: change(names[name]) for name in VALUES}


@pytest.mark.parametrize("change", NULLS.values(), ids=NULLS)
@pytest.mark.parametrize("check", SCORED, ids=lambda check: check.name)
def test_a_null_answer_earns_nothing(check, change):
    results = run_all(check, null_answers(change))
    assert not [name for name, r in results if r.verdict in ("passed", "broken")]


@pytest.mark.parametrize("position", [0, 1, -1])
@pytest.mark.parametrize("check", SCORED, ids=lambda check: check.name)
def test_an_echoed_argument_earns_nothing(check, position):
    def echo(*args, **kwargs):
        return args[position]

    echoes = dict.fromkeys(FUNCTIONS, echo) | dict.fromkeys(VALUES)
    assert not [name for name, r in run_all(check, echoes) if r.verdict in ("passed", "broken")]


@pytest.mark.parametrize("check", SCORED, ids=lambda check: check.name)
def test_an_untouched_release_earns_nothing(check):
    def stub(*args, **kwargs):
        raise NotImplementedError

    untouched = dict.fromkeys(FUNCTIONS, stub) | dict.fromkeys(VALUES, ...)
    verdicts = {r.verdict for _, r in run_all(check, untouched)}
    assert verdicts <= {Verdict.ERRORED, Verdict.FAILED}


def test_every_answer_is_known_to_these_tests():
    assert len(FUNCTIONS) == 14
    assert len(VALUES) == 32


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


def test_the_exam_says_how_long_it_takes():
    text = "".join(cell.source for cell in NOTEBOOK.cells[:2])
    assert "**Time: 120 minutes. Points: 100.**" in text


# The mistake bank, and what the write-up got wrong


def mistakes_of(name):
    return {variant.title: variant for variant in ORACLE.checks[name].mistakes}


@pytest.mark.parametrize(
    ("check", "title"),
    [
        # 26 to 31
        ("preconditioned_limit_matches_reference", "a start at ones"),
        ("sampled_limit_matches_reference", "a random start"),
        ("limit_plain_is_right", "a start at ones"),
        ("preconditioned_limit_matches_reference", "the normal equations"),
        ("rescaled_minimum_norm_matches_reference", "the normal equations"),
        ("sampled_limit_matches_reference", "weighted normal equations"),
        ("preconditioned_limit_matches_reference", "a ridge term"),
        ("rescaled_minimum_norm_matches_reference", "a ridge term"),
        ("sampled_limit_matches_reference", "weighted ridge"),
        ("rescaled_minimum_norm_matches_reference", "the wrong matrix is inverted"),
        ("sampled_limit_matches_reference", "the inverse of a singular matrix"),
        ("preconditioned_limit_matches_reference", "too few steps"),
        ("sampled_limit_matches_reference", "a run that is too short"),
        ("sampled_limit_matches_reference", "the targets are weighted"),
        ("all_that_apply_are_right", "frequent examples pull the limit"),
        # 103 to 105, 109, 110
        ("limit_rescaled_is_right", "one more factor than the feature was divided by"),
        ("receptive_field_matches_reference", "strides are multiplied, not added up"),
        ("horizontal_kernel_is_right", "transposed: it finds vertical edges"),
        ("contraction_constants_match_reference", "the factor 4 is lost in both bounds"),
        ("contraction_constants_match_reference", "the smallest eigenvalue is zero"),
        ("learning_rates_match_reference", "the eigenvalue zero"),
        # further slips of the write-up
        ("limit_rms_is_right", "the root of the size in place of the size"),
        ("contraction_constants_match_reference", "the square of the learning rate comes twice"),
        ("fields_are_right", "seen from layer a, or with a stride of 2 in layer d"),
        ("pass_through_weights_make_the_identity", "layer f is all ones"),
        # 63, and 78, 95 to 97, 102 of the training loop
        ("shifts_are_right", "flipped"),
        ("attention_grid_matches_reference", "the exponential overflows"),
        ("attention_grid_matches_reference", "a word that comes back is taken for another"),
        ("train_epoch_matches_reference", "old gradients are added"),
        ("train_epoch_matches_reference", "the gradients are set to zero right before"),
        ("train_epoch_matches_reference", "labels and predictions are swapped"),
        ("train_epoch_matches_reference", "image for images"),
    ],
)
def test_the_mistake_bank_is_rejected(check, title):
    (variant,) = (v for t, v in mistakes_of(check).items() if t.startswith(title))
    failed = [r for _, r in run_all(ORACLE.checks[check], variant.values) if r.verdict != "passed"]
    assert failed
    assert all(r.verdict != "broken" for r in failed)


def test_the_wrong_answer_of_the_write_up_is_named():
    variant = mistakes_of("limit_rescaled_is_right")[
        "one more factor than the feature was divided by"
    ]
    np.testing.assert_allclose(variant.values["limit_rescaled"], np.array([1, 100, 1000]) / 3)
    np.testing.assert_allclose(np.array([1, 0.1, 0.01]) @ variant.values["limit_rescaled"], 7)


# The numbers of the published solutions


def test_the_published_answers_are_the_references():
    assert exam.shape_i == (32, 128, 26, 26)
    assert exam.shape_ii == (32, 128, 14, 14)
    network = [(16, 32, 32), (32, 16, 16), (128, 8, 8), (16, 8, 8), (8, 16, 16), (1, 32, 32)]
    got = [getattr(exam, f"shape_{name}") for name in "abcdef"]
    assert got == [(10, *shape) for shape in network]
    assert exam.shape_joined == (10, 24, 32, 32)
    np.testing.assert_array_equal(exam.horizontal_kernel, [[1, 1, 1], [0, 0, 0], [-1, -1, -1]])
    np.testing.assert_array_equal(exam.diagonal_kernel, [[0, 1], [-1, 0]])
    np.testing.assert_array_equal(exam.shift_correlation, [[0, 0, 0], [0, 0, 1], [0, 0, 0]])


# The curves


@functools.cache
def simulated_curves():
    """Return (panel, training or fresh, epoch) losses of the six runs that the panels show."""
    rng = np.random.default_rng(0)
    truth = np.random.default_rng(0).normal(size=20) / 2

    def sample(n, noise=0.3):
        X = rng.normal(size=(n, 20))
        return X, X @ truth + noise * rng.normal(size=n)

    def run(training, fresh, rate, kept=0.0):
        (X, y), (V, t) = training, fresh
        w, move = np.zeros(20), np.zeros(20)
        losses = [(np.mean(y**2), np.mean(t**2))]
        for epoch in range(30):
            order = rng.permutation(len(y))
            for start in range(0, len(y), 10):
                batch = order[start : start + 10]
                residuals = X[batch] @ w - y[batch]
                move = kept * move + 2 / len(batch) * X[batch].T @ residuals
                w = w - rate(epoch) * move
            losses.append((np.mean((X @ w - y) ** 2), np.mean((V @ w - t) ** 2)))
        return np.array(losses).T

    few, fresh_few = sample(24, 1.0), sample(600, 1.0)
    data = sample(600), sample(600)
    return np.array(
        [
            run(few, fresh_few, lambda epoch: 0.05),
            run(*data, lambda epoch: 0.24 if epoch < 18 else 0.024),
            run(*data, lambda epoch: 0.0001),
            run(*data, lambda epoch: 0.002),
            run(*data, lambda epoch: 0.00001, kept=1.0),
            run(*data, lambda epoch: 0.24),
        ]
    )


def test_the_curves_are_those_of_the_causes():
    shown = np.array(ORACLE.namespace["CURVES"].split(), float).reshape(6, 2, 31)
    np.testing.assert_allclose(shown, simulated_curves(), rtol=0.006)
    letters = "".join(getattr(exam, f"panel_{panel}") for panel in range(1, 7))
    assert letters == "FDAHEC"
