"""Homework 5 grades as it should: answers that are right pass, and known mistakes do not."""

import functools
import re
from pathlib import Path

import jupytext
import numpy as np
import pytest

from autograder.authoring.budget import graded_budgets
from autograder.authoring.checks import case_rng
from autograder.grading.bundle import Cell
from autograder.grading.cases import ReferenceSession, run_case
from autograder.grading.oracle import load_oracle
from autograder.grading.results import Verdict
from autograder.sandbox.messages import InProcessSession

NAME = "hw5_conv_arithmetic"
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
    with graded_budgets():
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

ANSWERS = {
    name: value
    for cell in NOTEBOOK.cells
    if cell.cell_type == "code" and "hidden" not in cell.metadata
    for imported in re.findall(
        r"^from reference\.\w+ import (?:\(([^)]*)\)|(.*))$", cell.source, re.MULTILINE
    )
    for name in re.findall(r"\w+", "".join(imported))
    for value in [ORACLE.namespace[name]]
}
FUNCTIONS = {name: value for name, value in ANSWERS.items() if callable(value)}
VALUES = {name: value for name, value in ANSWERS.items() if not callable(value)}


def mapped(change, value):
    """Change each number or array of a nest."""
    if isinstance(value, (tuple, list)):
        return type(value)(mapped(change, v) for v in value)
    return change(value)


def nothing(value):
    return None


def zeros(value):
    return mapped(lambda v: np.zeros_like(v) if isinstance(v, np.ndarray) else 0, value)


def ones(value):
    return mapped(lambda v: np.ones_like(v) if isinstance(v, np.ndarray) else 1, value)


def not_a_number(value):
    def nan(v):
        return np.full_like(v, np.nan, dtype=float) if isinstance(v, np.ndarray) else float("nan")

    return mapped(nan, value)


def one_more(value):
    return mapped(lambda v: "A" if isinstance(v, str) else np.asarray(v).astype(float) + 1, value)


def empty(value):
    return "" if isinstance(value, str) else []


def another_shape(value):
    if isinstance(value, str):
        return value[:-1]
    return value * 2 if isinstance(value, (tuple, list)) else np.array([[value]])


NULL = [nothing, zeros, ones, not_a_number, one_more, empty, another_shape]


def answering(make):
    """All answers replaced by what a null model makes of the right ones."""

    def function(right):
        return lambda *args, **kwargs: make(right(*args, **kwargs))

    functions = {name: function(value) for name, value in FUNCTIONS.items()}
    return functions | {name: make(value) for name, value in VALUES.items()}


def earning(check, values):
    """The cases that earn something: of a check that is all or nothing, those of a full pass."""
    earned = []
    for secret in SECRETS:
        results = {case.name: run(check, case, secret, values) for case in check.cases}
        passed = [name for name, result in results.items() if result.verdict == "passed"]
        earned += passed if len(passed) == len(results) or not check.all_or_nothing else []
    return earned


@pytest.mark.parametrize("make", NULL, ids=lambda make: make.__name__)
@pytest.mark.parametrize("check", SCORED, ids=lambda check: check.name)
def test_a_null_answer_earns_nothing(check, make):
    assert not earning(check, answering(make))


@pytest.mark.parametrize("check", SCORED, ids=lambda check: check.name)
def test_the_input_echoed_earns_nothing(check):
    def echo(*args, **kwargs):
        return args[0] if args else None

    assert not earning(check, dict.fromkeys(FUNCTIONS, echo) | dict.fromkeys(VALUES, 1))


@pytest.mark.parametrize("constant", [0, 1, 3, 32, True, "A", [[0, 1], [1, 0]], np.eye(3)], ids=str)
@pytest.mark.parametrize("check", SCORED, ids=lambda check: check.name)
def test_a_constant_earns_nothing(check, constant):
    functions = dict.fromkeys(FUNCTIONS, lambda *args, **kwargs: constant)
    assert not earning(check, functions | dict.fromkeys(VALUES, constant))


@pytest.mark.parametrize("check", SCORED, ids=lambda check: check.name)
def test_an_untouched_release_earns_nothing(check):
    def stub(*args, **kwargs):
        raise NotImplementedError

    untouched = dict.fromkeys(FUNCTIONS, stub) | dict.fromkeys(VALUES, ...)
    verdicts = {r.verdict for _, r in run_all(check, untouched)}
    assert verdicts <= {Verdict.ERRORED, Verdict.FAILED}


# What the write-ups and the mistake bank have

WRITE_UPS = [
    ({"params_total": 52_494_644}, "the sum of all layers"),
    ({"params_fc1024": 51_380_224}, "FC-1024"),  # without its biases
    ({"params_fc1024": 256 * 256 * 1024}, "FC-1024"),  # as a slip of the pen has it
]


def failed_cases(check, values):
    return {
        name.partition(", secret")[0] for name, r in run_all(check, values) if r.verdict != "passed"
    }


@pytest.mark.parametrize(("values", "row"), WRITE_UPS)
def test_a_slip_costs_its_own_row_of_the_table(values, row):
    assert failed_cases(ORACLE.checks["parameter_table_is_right"], values) == {row}


def test_the_right_table_of_a_write_up_earns_all_of_it():
    layers = {"conv64": 1792, "conv128": 73856, "conv256_first": 295168, "conv256_second": 590080}
    layers |= {"fc1024": 51381248, "fc100": 102500, "total": 52444644}
    values = {f"params_{layer}": number for layer, number in layers.items()}
    assert not failed_cases(ORACLE.checks["parameter_table_is_right"], values)


def test_a_number_next_to_the_right_one_is_wrong():
    values = {"params_total": 52_444_645.0, "params_fc1024": np.float32(51_381_252)}
    failed = failed_cases(ORACLE.checks["parameter_table_is_right"], values)
    assert failed == {"the sum of all layers", "FC-1024"}


def test_a_cross_correlation_by_hand_fails_where_the_kernel_is_not_symmetric_only():
    turned = {"r_response": -ORACLE.namespace["r_response"]}  # as it is for R
    for name in ("laplacian_response_is_right", "q_response_is_right"):
        assert not failed_cases(ORACLE.checks[name], turned)
    check = ORACLE.checks["r_response_is_right"]
    assert len(failed_cases(check, turned)) == len(check.cases)


BANK = [
    ("convolve_same_matches_reference", "not flipped"),
    ("conv_out_shape_matches_reference", "rounded up"),
    ("correlate_same_matches_reference", "a margin of zero cuts everything off"),
    ("correlate_same_matches_reference", "one margin for both axes"),
    ("correlate_same_matches_reference", "writes the response into the image"),
    ("halve_and_double_is_right", "the padding of a kernel of three"),
    ("halve_and_double_is_right", "no output padding"),
    ("receptive_fields_match_reference", "strides are added"),
    ("horizontal_edge_kernel_works", "the kernel is transposed"),
    ("parameter_table_is_right", "a slip in the addition"),
    ("parameter_table_is_right", "FC-1024 without its 1024 biases"),
    ("parameter_table_is_right", "batch norms are counted"),
]


@pytest.mark.parametrize(("name", "beginning"), BANK)
def test_an_entry_of_the_mistake_bank_is_named(name, beginning):
    assert any(m.title.startswith(beginning) for m in ORACLE.checks[name].mistakes)


def parts_of_outputs(nic, nf, nc, height, width):
    parts = ORACLE.namespace["parts_of_outputs"](nic, nf, nc, height, width)
    return parts | {"input": nic * height * width}


CONVENTIONS = {
    "count_params": (ORACLE.namespace["parts_of_params"], 3),
    "count_outputs": (parts_of_outputs, 4),
    "count_connections": (ORACLE.namespace["parts_of_connections"], 4),
}


@pytest.mark.parametrize("function", CONVENTIONS)
def test_every_documented_convention_passes_and_no_other(function):
    parts_of, count = CONVENTIONS[function]
    check = ORACLE.checks[f"{function}_follows_a_convention"]
    for chosen in range(2**count):

        def answer(*args, chosen=chosen):
            parts = parts_of(*args).values()
            return sum(n for i, n in enumerate(parts) if chosen >> i & 1)

        failed = failed_cases(check, {function: answer})
        assert bool(failed) == (chosen % 2 == 0), chosen  # the first part must count


@pytest.mark.parametrize("function", CONVENTIONS)
def test_a_convention_may_not_change_from_network_to_network(function):
    parts_of, _ = CONVENTIONS[function]
    check = ORACLE.checks[f"{function}_follows_a_convention"]
    calls = []

    def answer(*args):
        calls.append(args)
        first, second, *_ = parts_of(*args).values()
        return first + second * (len(calls) % 2)

    assert all(r.verdict == "failed" for _, r in run_all(check, {function: answer}))


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
