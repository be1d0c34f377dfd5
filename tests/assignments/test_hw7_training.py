"""Homework 7 grades as it should: answers that are right pass, and known mistakes do not."""

import functools
import importlib.util
import re
from pathlib import Path

import jupytext
import matplotlib as mpl
import numpy as np
import pytest

from autograder.authoring.checks import case_rng
from autograder.grading.bundle import Cell
from autograder.grading.cases import ReferenceSession, run_case
from autograder.grading.oracle import load_oracle
from autograder.grading.results import Verdict
from autograder.sandbox.messages import InProcessSession

NAME = "hw7_training"
# torch says once in a process that a loss became a number, whichever variant did it first.
pytestmark = pytest.mark.filterwarnings("ignore:Converting a tensor with requires_grad")
ROOT = Path(__file__).parents[2]
SECRETS = (b"one", b"two", b"three")
NOTEBOOK = jupytext.read(ROOT / "assignments" / NAME / f"{NAME}.py")
SELF_CHECK = re.compile(r"^self_check\(\w+\)$", re.MULTILINE)


def load():
    mpl.use("Agg")
    cells = [
        Cell("given", number, SELF_CHECK.sub("", cell.source))
        for number, cell in enumerate(NOTEBOOK.cells, 1)
        if cell.cell_type == "code"
    ]
    texts = {str(p.relative_to(ROOT)): p.read_text() for p in ROOT.glob("reference/**/*.py")}
    oracle = load_oracle(cells, texts, NAME, f"{NAME}.py")
    oracle.namespace["plt"].close("all")
    return oracle


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


@pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")
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


# The broken loops

BROKEN = [name for name in ORACLE.namespace if name.startswith("broken_")]


def test_there_are_four_broken_loops():
    assert BROKEN == [
        "broken_train_epoch",
        "broken_fit",
        "broken_fine_tune",
        "broken_train_keeping_best",
    ]


@pytest.mark.parametrize("broken", BROKEN)
def test_a_loop_that_is_copied_unrepaired_earns_nothing(broken):
    """No case of no check passes: so no single repair is worth all points, and none is free."""
    question = broken.removeprefix("broken_")
    checks = [check for check in SCORED if check.question == question]
    assert sum(check.points for check in checks) == 10
    for check in checks:
        values = {question: ORACLE.namespace[broken]}
        passed = [name for name, r in run_all(check, values) if r.verdict == "passed"]
        assert not passed


# The mistake bank: words of the titles of its mistakes.
BANK = [
    "shape (1, H)",
    "no shift: large scores overflow",
    "a sum over the examples in place of the mean",
    "factor 1/2",
    "one-hot labels of whole numbers",
    "the logarithm of a probability that has become zero",
    "a softmax before the cross-entropy, which takes one itself",
    "reshaped without moving the label axis",
    "evaluation mode is never set: validation data",
    "gradients add up: those of the batch before",
    "cleared between backward and step",
    "the arguments of the loss are swapped",
    "the list holds losses as tensors",
    "training mode is never set again",
    "the optimizer is built before the copy",
    "the optimizer is built before the head",
    "validation examples take part in the training",
    "a slip of a name: the model sees the first batch",
    "a slip of a name: the features are shuffled",
]


@pytest.mark.parametrize("words", BANK)
def test_an_entry_of_the_mistake_bank_is_rejected(words):
    found = [(c, m) for c in CHECKS for m in c.mistakes if words in m.title]
    assert found
    for check, mistake in found:
        for secret in SECRETS:
            results = [run(check, case, secret, mistake.values) for case in check.cases]
            assert any(r.verdict != "passed" for r in results)


# Numbers and curves


def test_a_classifier_of_ten_classes_starts_at_2_302():
    rng = np.random.default_rng(0)
    X, y = ORACLE.namespace["draw_digits"](rng, 300)
    W = 1e-4 * rng.normal(size=(64, 10))
    assert ORACLE.namespace["softmax_loss"](W, X, y, 0.0)[0] == pytest.approx(2.302, abs=2e-3)


def curves_module():
    path = ROOT / "assignments" / NAME / "curves.py"
    spec = importlib.util.spec_from_file_location("hw7_curves", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_curves_are_those_of_real_runs():
    module, printed = curves_module(), ORACLE.namespace["CURVES"]
    assert list(printed) == list(module.RUNS)
    for panel in printed:
        if panel != "D":  # chaos: another order of a sum gives another run
            again = np.array(module.losses(**module.RUNS[panel])) / 100
            np.testing.assert_allclose(printed[panel], again, rtol=0.02, atol=0.05)


def test_the_runs_show_what_the_answer_says():
    module, answer = curves_module(), ORACLE.namespace["curve_causes"]
    runs = {answer[panel]: settings for panel, settings in module.RUNS.items()}
    assert runs[6].get("stale")
    assert runs[7].get("twice")
    assert runs[8].get("by_lot")
    assert runs[5].get("scale") == 5.0
    assert runs[3].get("flipped")
    assert runs[2]["lr"] < runs[4]["lr"] / 50 < runs[1]["lr"] / 50


def test_each_panel_can_be_told_from_the_others_by_its_curves():
    curves, answer = ORACLE.namespace["CURVES"], ORACLE.namespace["curve_causes"]
    train, valid = ({answer[p]: curves[p][i] for p in curves} for i in (0, 1))
    chance = ORACLE.namespace["chance_loss"](10)
    floor = ORACLE.namespace["double_softmax_floor"](10)
    rising = {n: (np.diff(train[n]) > 0.3).sum() for n in train}
    assert rising[1] > 3
    assert all(rising[n] == 0 for n in rising if n != 1)
    assert np.ptp(train[6]) == 0
    assert 0 < np.ptp(train[2]) < 0.7
    assert train[5][0] > 5 * chance
    assert valid[3][-1] > valid[3].min() + 0.15
    assert train[3][-1] < 0.15
    assert floor < train[7][-1] < floor + 0.1
    assert valid[8][-1] <= train[8][-1]
    assert valid[4][-1] == pytest.approx(valid[4].min(), abs=0.02)
    assert valid[4][-1] > train[4][-1]


@pytest.mark.parametrize("panels", ["AG", "BC", "DH", "EF"])
def test_a_pair_of_panels_needs_both(panels):
    (check,) = (c for c in CHECKS if c.name == "curve_causes_are_right")
    (case,) = (k for k in check.cases if k.parameters["panels"] == panels)
    right = ORACLE.namespace["curve_causes"]
    for panel in panels:
        for wrong in set(range(1, 9)) - {right[panel]}:
            values = {"curve_causes": {**right, panel: wrong}}
            assert run(check, case, b"", values).verdict == "failed"


# Null answers


def nothing(right):
    return lambda *args, **kwargs: None


def mapped(change):
    """A maker of answers: the right one with each of its numbers and arrays changed."""

    def of(value):
        if isinstance(value, dict):
            return {name: of(one) for name, one in value.items()}
        if isinstance(value, (tuple, list)):
            return type(value)(of(one) for one in value)
        if isinstance(value, (int, float, np.ndarray, np.generic)):
            return change(value)
        return value

    return lambda right: lambda *args, **kwargs: of(right(*args, **kwargs))


zeros = mapped(lambda value: np.zeros_like(value, dtype=float))
ones = mapped(lambda value: np.ones_like(value, dtype=float))
nans = mapped(lambda value: np.full_like(value, np.nan, dtype=float))
another_shape = mapped(lambda value: np.stack([value, value]))


def empty(right):
    return lambda *args, **kwargs: []


def first_argument(right):
    def echo(*args, **kwargs):
        value = right(*args, **kwargs)
        return tuple(args[: len(value)]) if isinstance(value, tuple) else args[0]

    return echo


def idle_loop(name, number):
    """A loop that trains nothing and says the same number for each batch or epoch."""

    def loop(*args):
        if name == "fit":
            return {curve: [number] * args[-1] for curve in ("train", "valid", "accuracy")}
        if name == "fine_tune":
            return args[0], [number] * args[-1] * len(args[2])
        if name == "train_keeping_best":
            return [number] * args[-1], 1
        return [number] * len(args[2])

    return loop


def same_model(*args):
    return args[0]


LOOPS = ("train_epoch", "fit", "fine_tune", "train_keeping_best")
MAKERS = {
    "nothing": nothing,
    "zeros": zeros,
    "ones": ones,
    "nans": nans,
    "another_shape": another_shape,
    "empty": empty,
    "first_argument": first_argument,
}
NUMBERS = {"zeros": 0.0, "ones": 1.0, "nans": float("nan"), "another_shape": [0.5, 0.5]}
FUNCTIONS = [
    name
    for name, value in ORACLE.namespace.items()
    if callable(value) and getattr(value, "__module__", "").startswith("reference.")
]


def null_answers(make):
    answers = {name: MAKERS[make](ORACLE.namespace[name]) for name in FUNCTIONS}
    if make in NUMBERS:
        answers |= {name: idle_loop(name, NUMBERS[make]) for name in LOOPS}
    elif make == "first_argument":
        answers |= dict.fromkeys(LOOPS, same_model)
    return answers | {"curve_causes": None}


@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::UserWarning")
@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("check", SCORED, ids=lambda check: check.name)
def test_a_null_answer_earns_nothing(check, make):
    passed = [name for name, r in run_all(check, null_answers(make)) if r.verdict == "passed"]
    assert not passed


@pytest.mark.parametrize("check", SCORED, ids=lambda check: check.name)
def test_an_untouched_release_earns_nothing(check):
    def stub(*args, **kwargs):
        raise NotImplementedError

    untouched = dict.fromkeys(FUNCTIONS, stub) | {"curve_causes": ...}
    verdicts = {r.verdict for _, r in run_all(check, untouched)}
    assert verdicts <= {Verdict.ERRORED, Verdict.FAILED}


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(("data", "least"), [("digits", 0.90), ("spirals", 0.90)])
def test_the_threshold_is_far_below_the_solution_and_far_above_a_line(data, least, seed):
    names, rng = ORACLE.namespace, np.random.default_rng([seed, 7])
    draw, count = names["turned"](rng, data), 600 if data == "digits" else 400
    classes = 10 if data == "digits" else 3
    (X, y), (fresh_X, fresh_y) = draw(count), draw(1000)
    params = names["fit_two_layer"](X, y, classes, seed)
    assert names["share_right"](params, fresh_X, fresh_y) > least + 0.01
    if data == "spirals":
        W, X1 = np.zeros((3, 3)), np.hstack([X, np.ones((len(X), 1))])
        for _ in range(300):
            W = W - names["softmax_loss"](W, X1, y, 0.0)[1]
        found = (np.hstack([fresh_X, np.ones((1000, 1))]) @ W).argmax(axis=1)
        assert (found == fresh_y).mean() < least - 0.2


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
