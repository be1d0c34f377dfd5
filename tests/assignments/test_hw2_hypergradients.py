"""Homework 2 grades as it should: answers that are right pass, and known mistakes do not."""

import functools
import math
import re
from pathlib import Path

import jupytext
import matplotlib as mpl
import numpy as np
import pytest
import torch

from autograder.authoring.budget import graded_budgets
from autograder.authoring.checks import case_rng
from autograder.grading.bundle import Cell
from autograder.grading.cases import ReferenceSession, run_case
from autograder.grading.oracle import load_oracle
from autograder.grading.results import Verdict
from autograder.sandbox.messages import InProcessSession

NAME = "hw2_hypergradients"
ROOT = Path(__file__).parents[2]
SECRETS = (b"one", b"two", b"three")
NOTEBOOK = jupytext.read(ROOT / "assignments" / NAME / f"{NAME}.py")
SELF_CHECK = re.compile(r"^self_check\(\w+\)$", re.MULTILINE)

# torch's own functions warn of themselves when an alternative calls torch.func.jvp.
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")


def load():
    mpl.use("Agg")
    cells = [
        Cell("given", number, SELF_CHECK.sub("", cell.source))
        for number, cell in enumerate(NOTEBOOK.cells, 1)
        if cell.cell_type == "code"
    ]
    texts = {str(p.relative_to(ROOT)): p.read_text() for p in ROOT.glob("reference/**/*.py")}
    with graded_budgets():
        return load_oracle(cells, texts, NAME, f"{NAME}.py")


ORACLE = load()
CHECKS = list(ORACLE.checks.values())
HERE = [check for check in CHECKS if check.device != "cuda" or torch.cuda.is_available()]
SCORED = [check for check in HERE if check.points]
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
        for check in HERE
        for variant in getattr(check, kind)
    ]


@pytest.mark.parametrize(
    ("check", "case"),
    [pytest.param(c, k, id=f"{c.name}-{k.name}") for c in HERE for k in c.cases],
)
def test_the_reference_passes_every_case(check, case):
    for secret in SECRETS:
        result = run(check, case, secret, {})
        assert result.verdict is Verdict.PASSED, result.message


class OnCpu(InProcessSession):
    """A session whose GPU is the CPU."""

    def apply(self, helper, args, kwargs):
        return super().apply(helper, args, {**kwargs, "device": "cpu"})


@pytest.mark.parametrize("secret", SECRETS)
def test_the_check_for_a_gpu_passes_with_a_cpu_in_its_place(secret):
    check = ORACLE.checks["hypergrad_unrolled_runs_on_a_gpu"]
    assert check.points <= 2
    for variant in ({}, *(alternative.values for alternative in check.alternatives)):
        for case in check.cases:
            result = run_case(
                check,
                case,
                OnCpu({**ORACLE.namespace, **variant}),
                ReferenceSession(ORACLE.namespace),
                lambda case=case: case_rng(secret, NAME, check.name, case.name),
            )
            assert result.verdict is Verdict.PASSED, result.message


@pytest.mark.parametrize(("check", "variant"), variants("mistakes"))
def test_a_mistake_fails_a_case_and_breaks_none(check, variant):
    first, *others = SECRETS
    with np.errstate(all="ignore"):
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


@pytest.mark.parametrize(
    "check", [check for check in CHECKS if check.points], ids=lambda check: check.name
)
def test_a_check_with_points_has_mistakes_and_alternatives(check):
    assert check.mistakes
    assert check.alternatives


# Null answers


def like(right, make):
    """Return a function that answers as the right one does, with every value replaced."""

    def replaced(value):
        if isinstance(value, (tuple, list)):
            return type(value)(replaced(v) for v in value)
        if isinstance(value, torch.Tensor):
            return torch.as_tensor(make(value.detach().numpy()))
        return make(np.asarray(value)) if isinstance(value, (float, np.ndarray)) else value

    return lambda *args, **kwargs: replaced(right(*args, **kwargs))


def nothing(right):
    return lambda *args, **kwargs: None


def empty(right):
    return lambda *args, **kwargs: ()


def zeros(right):
    return like(right, np.zeros_like)


def ones(right):
    return like(right, np.ones_like)


def a_constant(right):
    return like(right, lambda value: np.full_like(value, 0.37))


def not_numbers(right):
    return like(right, lambda value: np.full_like(value, np.nan))


def wrong_shape(right):
    return like(right, lambda value: np.stack([value, value]))


def first_arguments(right):
    def echo(*args, **kwargs):
        value = right(*args, **kwargs)
        return tuple(args[: len(value)]) if isinstance(value, tuple) else args[0]

    return echo


FUNCTIONS = [
    name
    for name, value in ORACLE.namespace.items()
    if callable(value) and getattr(value, "__module__", "").startswith("reference.")
]
LETTERS = [
    "first_curve",
    "second_curve",
    "third_curve",
    "reverse_memory",
    "training_memory",
    "what_reverse_keeps",
    "checkpointed_memory",
    "many_hyperparameters",
]
NUMBERS = ["toy_lr", "toy_lr_of_ten_steps", "toy_weights"]


def answers(make):
    functions = {name: make(ORACLE.namespace[name]) for name in FUNCTIONS}
    numbers = {name: make(lambda n=name: ORACLE.namespace[n])() for name in NUMBERS}
    return {**functions, **numbers}


def null_answers(make):
    if make is first_arguments:
        values = dict.fromkeys(NUMBERS, 1.0) | {n: make(ORACLE.namespace[n]) for n in FUNCTIONS}
    else:
        values = answers(make)
    # The edges of a graph hold no numbers that could be replaced.
    return values | dict.fromkeys(LETTERS) | {"graph_edges": lambda steps: []}


MAKERS = [nothing, empty, zeros, ones, a_constant, not_numbers, wrong_shape, first_arguments]
FLAT = {  # a right answer here is 0.0: half of a check of three points, for all who return zero
    ("optimal_lr_knows_when_nothing_depends_on_it", zeros)
}


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
@pytest.mark.parametrize("check", SCORED, ids=lambda check: check.name)
def test_a_null_answer_earns_nothing(check, make):
    passed = [name for name, r in run_all(check, null_answers(make)) if r.verdict == "passed"]
    if (check.name, make) in FLAT:
        assert check.all_or_nothing
        assert len(passed) < len(check.cases) * len(SECRETS)
    else:
        assert not passed


@pytest.mark.parametrize("letter", "ABCD")
@pytest.mark.parametrize("check", SCORED, ids=lambda check: check.name)
def test_one_letter_for_all_questions_earns_nothing(check, letter):
    if "letter" in check.cases[0].name:
        values = dict.fromkeys(LETTERS, letter)
        passed = [name for name, r in run_all(check, values) if r.verdict == "passed"]
        assert not passed


@pytest.mark.parametrize("check", SCORED, ids=lambda check: check.name)
def test_an_untouched_release_earns_nothing(check):
    def stub(*args, **kwargs):
        raise NotImplementedError

    untouched = dict.fromkeys(FUNCTIONS, stub) | dict.fromkeys(LETTERS + NUMBERS, ...)
    verdicts = {r.verdict for _, r in run_all(check, untouched)}
    assert verdicts <= {Verdict.ERRORED, Verdict.FAILED}


# The mistake bank


BANK = [
    ("loss_after_one_step_matches_reference", "the factor 2 of the gradient"),
    ("loss_after_one_step_matches_reference", "1/n is missing"),
    ("dloss_deta_matches_reference", "the sign: the inner derivative"),
    ("dloss_deta_matches_reference", "4/n in place of 4/n²"),
    ("d2loss_deta2_matches_reference", "8/n² in place of 8/n³"),
    ("optimal_lr_matches_reference", "the factor n/2 is missing"),
    ("optimal_lr_matches_reference", "numerator and denominator swapped"),
    ("dloss_deta_matches_reference", "X X^T and X^T X confused"),
    ("optimal_lr_knows_when_nothing_depends_on_it", "divides zero by zero"),
    ("convexity_choices_are_right", "a square can be zero"),
    ("hypergrad_unrolled_matches_reference", "the weights are detached after each step"),
    ("hypergrad_unrolled_matches_reference", "steps by .data"),
    ("hypergrad_unrolled_matches_reference", "create_graph is missing"),
    ("hypergrad_unrolled_matches_reference", "the steps use the Python number"),
    ("train_learned_lr_forgets_its_graphs", "the weights are never detached"),
    ("hypergrad_unrolled_matches_reference", "the weights are detached before each step"),
    ("train_learned_lr_matches_reference", "the weights move with the old learning rate"),
    ("train_learned_lr_stays_non_negative", "a negative learning rate is not projected"),
    ("loss_after_one_step_matches_reference", "the loss is a sum throughout"),
    ("hypergrad_forward_matches_reference", "the term with the Hessian is missing"),
    ("dloss_deta_matches_reference", "the gradient at w1 in both places"),
    ("hypergrad_unrolled_leaves_nothing_behind", "the run ends in the caller's w0"),
    ("hypergrad_unrolled_leaves_nothing_behind", "backward() adds to .grad"),
    ("train_learned_lr_forgets_its_graphs", "the losses are kept with their graphs"),
]


@pytest.mark.parametrize(("check", "beginning"), BANK)
def test_a_mistake_of_the_bank_is_named(check, beginning):
    titles = [mistake.title for mistake in ORACLE.checks[check].mistakes]
    assert any(title.startswith(beginning) for title in titles)


def test_a_single_example_hides_what_the_other_cases_find():
    """With n = 1 a lost factor of n goes unnoticed, so no check has n = 1 only."""
    for name in ("loss_after_one_step", "dloss_deta", "d2loss_deta2", "optimal_lr"):
        check = ORACLE.checks[f"{name}_matches_reference"]
        sizes = [(case.parameters["n"], case.parameters["d"]) for case in check.cases]
        assert sum(n > 1 for n, _ in sizes) >= 3
        assert any(n > d for n, d in sizes)
        assert any(n < d for n, d in sizes)
        assert all(n != d for n, d in sizes)


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
    """The points of each question in the order of the notebook, without those that have none."""
    points = {}
    for cell in NOTEBOOK.cells:
        if cell.metadata.get("manual"):
            points[cell.metadata["question"]] = cell.metadata["points"]
        for check in CHECKS:
            if re.search(rf"^def {check.name}\(", cell.source, re.MULTILINE):
                points[check.question] = points.get(check.question, 0) + check.points
    return {question: number for question, number in points.items() if number}


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


# The picture of Part 6


def test_measured_memory_is_a_line_and_a_constant_as_the_example_answer_says():
    space = ORACLE.namespace
    problem = space["wave_losses"](examples=64, width=256)
    peaks = {}
    for mode in ("hypergrad_unrolled", "hypergrad_forward"):
        for steps in (5, 10, 20):
            with space["SavedBytes"]() as saved:
                space[mode](*problem, 0.01, steps)
            peaks[mode, steps] = saved.peak
            assert saved.now == 0
    lengths = [peaks["hypergrad_unrolled", steps] for steps in (5, 10, 20)]
    slope = (lengths[2] - lengths[1]) / 10
    assert math.isclose(lengths[1] - lengths[0], 5 * slope)
    assert peaks["hypergrad_forward", 5] == peaks["hypergrad_forward", 20]
    (cell,) = (c for c in NOTEBOOK.cells if c.metadata.get("question") == "memory_comment")
    assert f"{slope:,.0f} bytes a step" in " ".join(cell.source.split())
