"""Homework 3 grades as it should: answers that are right pass, and known mistakes do not."""

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

NAME = "hw3_autodiff"
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


class NullVar:
    """A Var whose every result is one and the same thing."""

    made = 0.0

    def __init__(self, value):
        self.value, self.grad = self.made, self.made

    def same(self, *others):
        return type(self)(0.0)

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = same
    __truediv__ = __rtruediv__ = __pow__ = __neg__ = same
    exp = log = sin = sigmoid = same

    def backward(self):
        pass


class NaNVar(NullVar):
    made = float("nan")


class OneVar(NullVar):
    made = 1.0


class EchoVar(NullVar):
    """A Var that computes nothing: each result is the node that stands first."""

    def __init__(self, value):
        self.value, self.grad = value, 1.0

    def same(self, *others):
        return self

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = same
    __truediv__ = __rtruediv__ = __pow__ = __neg__ = same
    exp = log = sin = sigmoid = same


def constant(number):
    def make(right):
        def filled(value):
            if isinstance(value, tuple):
                return tuple(filled(v) for v in value)
            return np.full(np.shape(value), number)

        return lambda *args, **kwargs: filled(right(*args, **kwargs))

    return make


def nothing(right):
    return lambda *args, **kwargs: None


def empty(right):
    return lambda *args, **kwargs: np.array([])


def another_shape(right):
    return lambda *args, **kwargs: np.asarray(right(*args, **kwargs), dtype=float)[None, None]


def text(right):
    return lambda *args, **kwargs: "0"


def first_argument(right):
    def echo(*args, **kwargs):
        value = right(*args, **kwargs)
        return tuple(args[: len(value)]) if isinstance(value, tuple) else args[0]

    return echo


def last_argument(right):
    def echo(*args, **kwargs):
        value = right(*args, **kwargs)
        return tuple(args[-len(value) :]) if isinstance(value, tuple) else args[-1]

    return echo


NULL_ANSWERS = {
    "nothing": (nothing, None, None),
    "zeros": (constant(0.0), NullVar, ""),
    "ones": (constant(1.0), OneVar, "A"),
    "NaN": (constant(np.nan), NaNVar, "ABCDEFGH"),
    "another shape": (another_shape, NullVar, ["A"]),
    "empty": (empty, NullVar, np.array([])),
    "text": (text, NullVar, "yes"),
    "the first argument": (first_argument, EchoVar, "H"),
    "the last argument": (last_argument, EchoVar, "ACEG"),
}
VALUES = ["difference_statements", "mode_statements", "descent_statements"]
FUNCTIONS = [
    name
    for name, value in ORACLE.namespace.items()
    if callable(value) and getattr(value, "__module__", "").startswith("reference.")
]


@pytest.mark.parametrize("kind", NULL_ANSWERS)
@pytest.mark.parametrize("check", SCORED, ids=lambda check: check.name)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_null_answer_earns_nothing(check, kind):
    make, var, choice = NULL_ANSWERS[kind]
    functions = {name: make(ORACLE.namespace[name]) for name in FUNCTIONS}
    answers = {**functions, "Var": var, **dict.fromkeys(VALUES, choice)}
    passed = [name for name, r in run_all(check, answers) if r.verdict == "passed"]
    if check.all_or_nothing:  # three ones are a right step of SGD for some minimisers, not for all
        for secret in SECRETS:
            assert sum(n.endswith(secret.decode()) for n in passed) < len(check.cases)
    else:
        assert not passed


@pytest.mark.parametrize("check", SCORED, ids=lambda check: check.name)
def test_an_untouched_release_earns_nothing(check):
    def stub(*args, **kwargs):
        raise NotImplementedError

    untouched = dict.fromkeys(FUNCTIONS, stub) | dict.fromkeys(VALUES, ...)
    verdicts = {r.verdict for _, r in run_all(check, untouched)}
    assert verdicts <= {Verdict.ERRORED, Verdict.FAILED}


def test_the_functions_are_all_there():
    assert len(FUNCTIONS) == 14


def test_guessing_the_statements_does_not_pay():
    for name in VALUES:
        (check,) = (c for c in SCORED if c.question == name)
        (case,) = check.cases
        letters = "ABCDEFGH"
        guesses = [
            "".join(c for c, bit in zip(letters, f"{number:08b}", strict=True) if bit == "1")
            for number in range(256)
        ]
        right = [
            guess
            for guess in guesses
            if run(check, case, b"one", {name: guess}).verdict is Verdict.PASSED
        ]
        assert right == [ORACLE.namespace[name]]


# The mistake bank: what each entry would answer, and the question that has to see it


def test_the_sine_is_invisible_at_1_2_but_not_to_the_checks():
    checks = {c.name: c for c in SCORED}
    wrong = {
        "f_matches_reference": "the sine is subtracted",
        "jvp_matches_reference": "the derivative of the sine is the cosine, with a plus",
        "vjp_matches_reference": "the derivative of the sine is the cosine, with a plus",
        "jacobian_by_engine_matches_reference": "the sine is subtracted",
    }
    for name, title in wrong.items():
        (mistake,) = (m for m in checks[name].mistakes if m.title == title)
        cases = {case.name: case for case in checks[name].cases}
        verdicts = {
            n: run(checks[name], k, b"one", mistake.values).verdict for n, k in cases.items()
        }
        assert verdicts["at (1, 2)"] is Verdict.PASSED
        assert verdicts["near (0.1, -0.3)"] is Verdict.FAILED
        assert [n for n in cases if n.startswith("where the sine")]
        assert all(v is Verdict.FAILED for n, v in verdicts.items() if "sine" in n)


BANK = {
    "h, not 2h": ("numeric_jacobian", "the central difference is divided by h"),
    "forward labelled central": ("numeric_jacobian", "the forward scheme whatever"),
    "float32 overflow in f": ("f", "single precision"),
    "float32 overflow in jvp": ("jvp", "single precision"),
    "float32 overflow in vjp": ("vjp", "single precision"),
    "overwritten at fan-out, by hand": ("vjp", "S is used twice"),
    "overwritten at fan-out, engine": ("var", "a contribution overwrites"),
    "no topological order, breadth first": ("var", "breadth first"),
    "no topological order, depth first": ("var", "depth first"),
    "J transposed, differences": ("numeric_jacobian", "the transpose"),
    "J transposed, forward": ("jacobian_modes", "the transpose: what comes out are columns"),
    "J transposed, reverse": ("jacobian_modes", "the transpose: what comes out are rows"),
    "J transposed, engine": ("jacobian_by_engine", "the transpose"),
    "sign of the sine's derivative, jvp": ("jvp", "the derivative of the sine"),
    "sign of the sine's derivative, vjp": ("vjp", "the derivative of the sine"),
    "sign of the sine's derivative, engine": ("var", "the sine: its slope is plus"),
    "sigma' = sigma, jvp": ("jvp", "the derivative of the logistic function is not the f"),
    "sigma' = sigma, vjp": ("vjp", "the derivative of the logistic function is not the f"),
    "sigma' = sigma, engine": ("var", "the logistic function: its slope is not the function"),
    "factor 2, f": ("f", "the factor 2 in the inner"),
    "factor 2, jvp": ("jvp", "the derivative of exp(2 w2) has a factor 2"),
    "factor 2, vjp": ("vjp", "the derivative of exp(2 w2) has a factor 2"),
    "integers truncate the step": ("numeric_jacobian", "a copy of whole numbers"),
    "integers truncate the iterates": ("regret_terms", "the points are kept in an array"),
    "the printed formula's other reading": ("f", "the exponent is read as"),
    "the norm differentiated, not its square": ("prox_step", "the norm was differentiated"),
    "sign slips in the inequality": ("regret_terms", "the sign of the second term"),
    "w(T) for w(T+1)": ("regret_terms", "each vector is weighed at the point after"),
    "f of the mean is the mean of f": ("descent_statements", "Jensen's inequality"),
    "no 1/sqrt(T)": ("rate_bound", "a rate of one over T"),
    "SGD believed to descend": ("sgd_counterexample", "no example"),
}


@pytest.mark.parametrize("entry", BANK)
def test_an_entry_of_the_mistake_bank_is_a_mistake_of_its_question(entry):
    question, title = BANK[entry]
    titles = [m.title for c in SCORED if c.question == question for m in c.mistakes]
    assert any(t.startswith(title) for t in titles)


# Published numbers, as the checks of this notebook compute them


def value(name, *args):
    return ORACLE.namespace[name](*args)


def test_the_numbers_at_1_2():
    w = np.array([1.0, 2.0])
    f, numeric = ORACLE.namespace["f"], ORACLE.namespace["numeric_jacobian"]
    np.testing.assert_allclose(f(w), [7.8020742649522e24, 2.73105857863], rtol=1e-11)
    for scheme, want in {
        "forward": [[2.16084510e25, 1.57060347e27], [2.19615706, 1.0]],
        "central": [[2.12140853e25, 1.04307571e27], [2.19661134, 1.0]],
    }.items():
        np.testing.assert_allclose(numeric(f, w, 0.01, scheme), want, rtol=1e-8)
    exact = [[2.12082367e25, 8.51957643e26], [2.19661193, 1.0]]
    np.testing.assert_allclose(value("jacobian_by_engine", w), exact, rtol=1e-8)


def test_the_prose_has_the_right_numbers():
    prose = "\n".join(c.source for c in NOTEBOOK.cells if c.cell_type == "markdown")
    w = np.array([1.0, 2.0])
    f, exact = ORACLE.namespace["f"], value("jacobian_by_engine", w)[0, 1]
    off = [
        round(100 * (ORACLE.namespace["numeric_jacobian"](f, w, 0.01, s)[0, 1] / exact - 1))
        for s in ("forward", "central")
    ]
    assert f"by {off[0]} percent, and the central one by {off[1]} percent" in " ".join(
        prose.split()
    )
    assert np.log(np.finfo(np.float32).max) == pytest.approx(88.7, abs=0.05)
    assert "$S \\approx 88.7$" in prose
    assert np.e + np.exp(4) == pytest.approx(57.3, abs=0.05)
    assert np.e + np.exp(2 * 2.3) > 88.8
    assert np.e + np.exp(2 * 2.2) < 88.7


def test_the_example_of_both_modes_is_right():
    x, y = (torch.tensor(v, requires_grad=True) for v in (3.0, 2.0))
    q = (x + y) * (y + 1)
    q.backward()
    assert (q.item(), x.grad.item(), y.grad.item()) == (15, 3, 8)
    assert x.grad.item() * 1 + y.grad.item() * 4 == 35


def test_the_table_of_the_graph_has_the_right_numbers():
    (cell,) = (c for c in NOTEBOOK.cells if c.metadata.get("question") == "computation_graph")
    rows = re.findall(
        r"^\| \$(\w+)\$ \| .* \| (\S+) \| (\S+) \| (\S+) \|$", cell.source, re.MULTILINE
    )
    w1, w2 = (torch.tensor(z, dtype=torch.float64) for z in (0.1, -0.3))

    def nodes(w1, w2):
        a, c = w1.exp(), 2 * w2
        b = c.exp()
        s = a + b
        e, g, m, p = s.exp(), s.sin(), w1 * w2, w1.sigmoid()
        return {"w_1": w1, "w_2": w2, "a": a, "c": c, "b": b, "S": s, "E": e, "G": g,
                "f_1": e + g, "M": m, "P": p, "f_2": m + p}  # fmt: skip

    def by_first(name):
        x = w1.clone().requires_grad_()
        node = nodes(x, w2)[name]
        return torch.autograd.grad(node, x)[0].item() if node.requires_grad else 0.0

    graph = nodes(*(z.clone().requires_grad_() for z in (w1, w2)))
    adjoints = torch.autograd.grad(graph["f_1"], list(graph.values()), allow_unused=True)
    assert [name for name, *_ in rows] == list(graph)
    for (name, *numbers), adjoint in zip(rows, adjoints, strict=True):
        right = graph[name].item(), by_first(name), 0.0 if adjoint is None else adjoint.item()
        np.testing.assert_allclose([float(n) for n in numbers], right, atol=6e-5, err_msg=name)


def test_the_known_counterexample_passes_and_no_step_from_far_away_does():
    (check,) = (c for c in SCORED if c.question == "sgd_counterexample")
    (case,) = (c for c in check.cases if c.parameters.get("a") == 2.0)
    for answer, verdict in (
        ((0.5, 1, 0.1), Verdict.PASSED),
        ((-1.0, 1, 0.1), Verdict.FAILED),
        ((0.65, 1, 0.1), Verdict.PASSED),
    ):
        values = {"sgd_counterexample": lambda a, b, answer=answer: answer}
        assert run(check, case, b"one", values).verdict is verdict


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
