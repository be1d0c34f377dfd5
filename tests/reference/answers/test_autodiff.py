"""The statements of homework 3 hold, or do not hold."""

import numpy as np
import pytest
import torch

from reference.answers.autodiff import descent_statements, difference_statements, mode_statements
from reference.autodiff import (
    Var,
    f,
    jacobian_reverse,
    jvp,
    numeric_jacobian,
    vjp,
)
from reference.convex import (
    prox_step,
    rate_bound,
    regret_terms,
)


def torch_f(w):
    s = torch.exp(w[0]) + torch.exp(2 * w[1])
    return torch.stack([torch.exp(s) + torch.sin(s), w[0] * w[1] + torch.sigmoid(w[0])])


def torch_jacobian(w):
    w = torch.tensor(w, dtype=torch.float64)
    return torch.autograd.functional.jacobian(torch_f, w).numpy()


def test_the_statements_on_differences_hold_or_do_not_hold():
    w = np.array([0.1, -0.3])
    exact = torch_jacobian(w)

    def error(h, scheme):
        return np.abs(numeric_jacobian(f, w, h, scheme) - exact).max()

    steps = np.logspace(-14, -1, 80)
    best = {s: steps[np.argmin([error(h, s) for h in steps])] for s in ("forward", "central")}
    quadratic = numeric_jacobian(lambda x: x**2 + 3 * x, np.array([0.75]), 0.5, "central")
    calls = []
    numeric_jacobian(lambda x: calls.append(1) or np.ones(7), w, 0.1, "central")
    slopes = [
        numeric_jacobian(np.cosh, np.array([x]), h, "forward").item() - np.sinh(x)
        for x in np.linspace(-2, 2, 21)
        for h in (1.0, 0.1, 0.01)
    ]
    truth = {
        "A": error(1e-14, "forward") < error(1e-8, "forward"),
        "B": abs(error(2e-3, "forward") / error(1e-3, "forward") - 2) < 0.1,
        "C": abs(error(2e-3, "central") / error(1e-3, "central") - 2) < 0.1,
        "D": quadratic.item() == 4.5,
        "E": numeric_jacobian(np.abs, np.zeros(1), 0.1, "forward").item()
        == numeric_jacobian(np.abs, np.zeros(1), 0.1, "central").item(),
        "F": len(calls) == 4,
        "G": min(slopes) > 0,
        "H": best["central"] < best["forward"],
    }
    assert "".join(letter for letter, holds in truth.items() if holds) == difference_statements


def test_the_statements_on_the_modes_hold_or_do_not_hold():
    rng = np.random.default_rng(5)
    calls = []

    def sweep(matrix):
        return lambda u: calls.append(1) or u @ matrix

    jacobian_reverse(sweep(rng.normal(size=(3, 1000))), 3)
    x = Var(2.0)
    y = (x * x) * x
    contributions = [p for node in (y, y.parents[0][0]) for p, _ in node.parents].count(x)
    w, u, v = np.array([0.3, -0.2]), *rng.normal(size=(2, 2))
    point = torch.tensor(w, requires_grad=True)
    (gradient,) = torch.autograd.grad(torch_f(point)[0], point, create_graph=True)
    (product,) = torch.autograd.grad(gradient @ torch.tensor(v), point)  # one more sweep
    hessian = torch.autograd.functional.hessian(lambda z: torch_f(z)[0], torch.tensor(w)).numpy()
    np.testing.assert_allclose(product.numpy(), hessian @ v, rtol=1e-12)
    truth = {
        "A": len(calls) >= 1000,
        "B": contributions == 3,
        "C": False,  # a value and its tangent may be dropped after their last use
        "D": 1000 < 1,  # m sweeps of reverse mode, n of forward mode
        "E": True,  # the gradient at each of them is differentiated at that point
        "F": True,  # parents are made before their children
        "G": False,  # the product above
        "H": u @ jvp(w, v) == pytest.approx(vjp(w, u) @ v, rel=1e-12),
    }
    assert "".join(letter for letter, holds in truth.items() if holds) == mode_statements


def test_the_statements_are_sorted_letters():
    for answer in (difference_statements, mode_statements):
        assert "".join(sorted(set(answer))) == answer
        assert set(answer) < set("ABCDEFGH")


def total(w, a, b):
    return (w - a) ** 2 / 2 + (w - b) ** 2 / 2


def test_the_statements_on_descent_hold_or_do_not_hold():
    rng = np.random.default_rng(4)
    points = rng.normal(size=(200, 2))
    f, slope = (lambda w: np.sum(np.cosh(w), axis=-1)), np.sinh
    v, w_star = rng.normal(size=(6, 2)), rng.normal(size=2)
    idle_left, idle_right = regret_terms(0 * v, w_star, 0.2)
    # Not convex; the second derivative, 1 + 2 cos(w), lies between -1 and 3.
    rough, rough_slope = (lambda w: w**2 / 2 - 2 * np.cos(w)), (lambda w: w + 2 * np.sin(w))
    line = np.linspace(-9, 9, 400)
    after = prox_step(line, rough_slope(line), 3.0)
    gaps = [f(u) - f(w) - (u - w) @ slope(w) for u in points[:40] for w in points[:40]]

    def fixed(T):
        return (1 / (2 * 0.1) + 0.1 / 2 * T) / T

    middle = (2.0 - 1.0) / 2
    mean_after = np.mean([total(middle - 0.1 * (middle - c), 2.0, -1.0) for c in (2.0, -1.0)])
    truth = {
        "A": idle_left < idle_right and regret_terms(0 * v, 0 * w_star, 0.2) == (0, 0),
        "B": f(points.mean(axis=0)) == pytest.approx(f(points).mean()),
        "C": abs(prox_step(0.0, 1.0, 4.0)) > abs(prox_step(0.0, 1.0, 2.0)),
        "D": min(gaps) >= -1e-12,
        "E": fixed(10**12) < 1e-3,
        "F": mean_after < total(middle, 2.0, -1.0),
        "G": bool((rough(after) <= rough(line) + 1e-12).all()),
        "H": rate_bound(1, 1, 400)[1] == pytest.approx(rate_bound(1, 1, 100)[1] / 2),
    }
    assert "".join(letter for letter, holds in truth.items() if holds) == descent_statements
