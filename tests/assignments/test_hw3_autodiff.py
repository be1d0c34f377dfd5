"""Homework 3: known mistakes, guesses, empty engines, and the numbers of its prose."""

import re
from typing import Any

import numpy as np
import pytest
import torch

from autograder.artefacts.results import Verdict
from tests.assignments.homework import Homework, homework


@pytest.fixture
def hw() -> Homework:
    return homework("hw3_autodiff")


def test_every_answer_is_asked_for(hw: Homework) -> None:
    assert sum(callable(hw.names[name]) for name in hw.asked) == 15


# Engines that compute nothing


class NullVar:
    """A Var whose every result is one and the same thing."""

    made: Any = 0.0

    def __init__(self, value: Any) -> None:
        self.value, self.grad = self.made, self.made

    def same(self, *others: Any) -> Any:
        return type(self)(0.0)

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = same
    __truediv__ = __rtruediv__ = __pow__ = __neg__ = same
    exp = log = sin = sigmoid = same

    def backward(self) -> None:
        pass


class NaNVar(NullVar):
    made = float("nan")


class OneVar(NullVar):
    made = 1.0


class EchoVar(NullVar):
    """A Var that computes nothing: each result is the node that stands first."""

    def __init__(self, value: Any) -> None:
        self.value, self.grad = value, 1.0

    def same(self, *others: Any) -> Any:
        return self

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = same
    __truediv__ = __rtruediv__ = __pow__ = __neg__ = same
    exp = log = sin = sigmoid = same


@pytest.mark.parametrize("var", [NullVar, NaNVar, OneVar, EchoVar])
def test_an_engine_that_computes_nothing_earns_nothing(hw: Homework, var: type) -> None:
    for check in hw.scored:
        if check.question == "var":
            assert hw.earning(check.name, {"Var": var}) == set(), check.name


# Guesses


def test_guessing_the_statements_does_not_pay(hw: Homework) -> None:
    letters = "ABCDEFGH"
    guesses = [
        "".join(c for c, bit in zip(letters, f"{number:08b}", strict=True) if bit == "1")
        for number in range(256)
    ]
    for name in ("difference_statements", "mode_statements", "descent_statements"):
        (check,) = (c.name for c in hw.scored if c.question == name)
        missed = {guess: hw.missed(check, {name: guess}, [b"one"]) for guess in guesses}
        assert [guess for guess in guesses if not missed[guess]] == [hw.names[name]]
        # Half of the points: one judgement of eight is wrong. An empty answer is none.
        half = {guess for guess in guesses if len(missed[guess]) == 1}
        assert half == {g for g in guesses if g and len({*g} ^ {*hw.names[name]}) == 1}


def test_the_known_counterexample_passes_and_no_step_from_far_away_does(hw: Homework) -> None:
    (check,) = (c for c in hw.scored if c.question == "sgd_counterexample")
    (case,) = (c.name for c in check.cases if c.parameters.get("a") == 2.0)
    for answer, verdict in (
        ((0.5, 1, 0.1), Verdict.PASSED),
        ((-1.0, 1, 0.1), Verdict.FAILED),
        ((0.65, 1, 0.1), Verdict.PASSED),
    ):
        values = {"sgd_counterexample": lambda a, b, answer=answer: answer}
        assert hw.results(check.name, values)[case].verdict is verdict


# Known mistakes


@pytest.mark.parametrize(
    ("check", "words"),
    [
        ("f_matches_reference", "the sine is subtracted"),
        ("jvp_matches_reference", "the derivative of the sine is the cosine, with a plus"),
        ("vjp_matches_reference", "the derivative of the sine is the cosine, with a plus"),
        ("jacobian_by_engine_matches_reference", "the sine is subtracted"),
    ],
)
def test_the_sine_is_invisible_at_1_2_but_not_to_the_checks(
    hw: Homework, check: str, words: str
) -> None:
    (mistake,) = hw.known_mistakes(check, words)
    results = hw.results(check, mistake.values)
    verdicts = {name: result.verdict for name, result in results.items()}
    (famous,) = (name for name in verdicts if name in ("at (1, 2)", "near (1, 2)"))
    assert verdicts[famous] is Verdict.PASSED
    assert verdicts["typical inputs"] is Verdict.FAILED


KNOWN = {
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


@pytest.mark.parametrize("mistake", KNOWN)
def test_a_known_mistake_is_one_of_its_question(hw: Homework, mistake: str) -> None:
    question, beginning = KNOWN[mistake]
    titles = [one.title for one in hw.compiled.oracle.banks[question].mistakes]
    assert any(title.startswith(beginning) for title in titles)


# Published numbers, as the checks of this notebook compute them


def test_the_numbers_at_1_2(hw: Homework) -> None:
    w = np.array([1.0, 2.0])
    f, numeric = hw.names["f"], hw.names["numeric_jacobian"]
    np.testing.assert_allclose(f(w), [7.8020742649522e24, 2.73105857863], rtol=1e-11)
    for scheme, want in {
        "forward": [[2.16084510e25, 1.57060347e27], [2.19615706, 1.0]],
        "central": [[2.12140853e25, 1.04307571e27], [2.19661134, 1.0]],
    }.items():
        np.testing.assert_allclose(numeric(f, w, 0.01, scheme), want, rtol=1e-8)
    exact = [[2.12082367e25, 8.51957643e26], [2.19661193, 1.0]]
    np.testing.assert_allclose(hw.names["jacobian_by_engine"](w), exact, rtol=1e-8)


def test_the_prose_has_the_right_numbers(hw: Homework) -> None:
    prose = "\n".join(cell.text for cell in hw.prose)
    w = np.array([1.0, 2.0])
    f, exact = hw.names["f"], hw.names["jacobian_by_engine"](w)[0, 1]
    off = [
        round(100 * (hw.names["numeric_jacobian"](f, w, 0.01, scheme)[0, 1] / exact - 1))
        for scheme in ("forward", "central")
    ]
    text = f"by {off[0]} percent, and the central one by {off[1]} percent"
    assert text in " ".join(prose.split())
    assert np.log(np.finfo(np.float32).max) == pytest.approx(88.7, abs=0.05)
    assert "$S \\approx 88.7$" in prose
    assert np.e + np.exp(4) == pytest.approx(57.3, abs=0.05)
    assert np.e + np.exp(2 * 2.3) > 88.8
    assert np.e + np.exp(2 * 2.2) < 88.7


def test_the_example_of_both_modes_is_right() -> None:
    x, y = (torch.tensor(v, requires_grad=True) for v in (3.0, 2.0))
    q = (x + y) * (y + 1)
    q.backward()
    assert (q.item(), x.grad.item(), y.grad.item()) == (15, 3, 8)
    assert x.grad.item() * 1 + y.grad.item() * 4 == 35


def test_the_table_of_the_graph_has_the_right_numbers(hw: Homework) -> None:
    rows = re.findall(
        r"^\| \$(\w+)\$ \| .* \| (\S+) \| (\S+) \| (\S+) \|$",
        hw.manual("computation_graph"),
        re.MULTILINE,
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
