"""Hypergradients agree with autograd, loops, scipy and finite differences; the choices hold too."""

import weakref

import numpy as np
import pytest
import scipy
import torch
from torch.autograd import forward_ad

from reference.hypergradients import (
    d2loss_deta2,
    dloss_deta,
    graph_edges,
    hypergrad_forward,
    hypergrad_unrolled,
    loss_after_one_step,
    loss_after_steps,
    optimal_lr,
    train_learned_lr,
)

SIZES = [(6, 3), (3, 8), (1, 4), (5, 1), (4, 4)]


every_size = pytest.mark.parametrize(("n", "d"), SIZES)


every_mode = pytest.mark.parametrize("mode", [hypergrad_unrolled, hypergrad_forward])


def problem(n=5, d=3, seed=0):
    rng = np.random.default_rng(seed)
    return tuple(rng.normal(size=size) for size in [(n, d), (d,), (n,)])


def loss_by_loop(X, w0, t, lr, steps):
    """Run torch's SGD on torch's mean squared error."""
    X, t = torch.tensor(X), torch.tensor(t)
    w = torch.nn.Parameter(torch.tensor(w0))
    optimizer = torch.optim.SGD([w], lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(X @ w, t).backward()
        optimizer.step()
    return torch.nn.functional.mse_loss(X @ w, t).item()


# One step


@every_size
@pytest.mark.parametrize("lr", [0.0, 0.3, -0.2])
def test_the_loss_after_one_step_is_that_of_torchs_sgd(n, d, lr):
    data = problem(n, d)
    got = loss_after_one_step(*data, lr)
    assert got == pytest.approx(_end_of_one_step(*data, lr), rel=1e-12)
    if lr >= 0:
        assert got == pytest.approx(loss_by_loop(*data, lr, 1), rel=1e-12)


def _end_of_one_step(X, w0, t, lr):
    """Make the step with autograd's gradient: torch's SGD refuses negative rates."""
    X, w0, t = (torch.tensor(value) for value in (X, w0, t))
    w0.requires_grad_()
    (gradient,) = torch.autograd.grad(torch.nn.functional.mse_loss(X @ w0, t), w0)
    return torch.nn.functional.mse_loss(X @ (w0 - lr * gradient), t).item()


@every_size
@pytest.mark.parametrize("lr", [0.0, 0.3, 5.0, -0.2])
def test_both_derivatives_are_autograds_through_the_step(n, d, lr):
    X, w0, t = (torch.tensor(value) for value in problem(n, d))
    w0.requires_grad_()
    eta = torch.tensor(lr, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(torch.nn.functional.mse_loss(X @ w0, t), w0)
    loss = torch.nn.functional.mse_loss(X @ (w0 - eta * gradient), t)
    (slope,) = torch.autograd.grad(loss, eta, create_graph=True)
    (curvature,) = torch.autograd.grad(slope, eta)
    assert dloss_deta(*problem(n, d), lr) == pytest.approx(slope.item(), rel=1e-11)
    assert d2loss_deta2(*problem(n, d)) == pytest.approx(curvature.item(), rel=1e-11)


@every_size
def test_the_slope_agrees_with_central_differences(n, d):
    data, h = problem(n, d), 1e-5
    up, down = loss_by_loop(*data, 0.3 + h, 1), loss_by_loop(*data, 0.3 - h, 1)
    assert dloss_deta(*data, 0.3) == pytest.approx((up - down) / (2 * h), rel=1e-6, abs=1e-8)


@every_size
def test_at_zero_the_slope_is_minus_the_squared_gradient(n, d):
    X, w0, t = problem(n, d)
    gradient = 2 / n * X.T @ (X @ w0 - t)
    assert dloss_deta(X, w0, t, 0.0) == pytest.approx(-gradient @ gradient, rel=1e-12)


@every_size
def test_the_best_learning_rate_is_scipys_minimiser(n, d):
    data = problem(n, d)
    found = scipy.optimize.minimize_scalar(
        lambda lr: loss_by_loop(*data, abs(lr), 1), bounds=(0, 50), method="bounded"
    )
    best = optimal_lr(*data)
    assert best == pytest.approx(found.x, abs=1e-4)
    assert dloss_deta(*data, best) == pytest.approx(0, abs=1e-10)


@every_size
def test_the_formula_with_weights_and_targets_apart_gives_the_same_rate(n, d):
    X, w0, t = problem(n, d)
    K, a = X @ X.T, X @ w0 - t
    apart = n / 2 * (a @ K @ X @ w0 - a @ K @ t) / np.linalg.norm(K @ a) ** 2
    assert optimal_lr(X, w0, t) == pytest.approx(apart, rel=1e-10)


def test_the_classic_slips_are_off_by_n_and_by_the_sign():
    X, w0, t = problem(n=5, d=3)
    a = X @ w0 - t
    slope = dloss_deta(X, w0, t, 0.0)
    assert slope < 0
    assert -4 / 5 * np.linalg.norm(X.T @ a) ** 2 == pytest.approx(5 * slope)
    assert 4 / 5**2 * np.linalg.norm(X.T @ a) ** 2 == pytest.approx(-slope)
    assert 8 / 5**2 * np.linalg.norm(X @ X.T @ a) ** 2 == pytest.approx(5 * d2loss_deta2(X, w0, t))


def test_a_stationary_start_is_flat_and_its_best_rate_is_zero():
    X = np.array([[1.0, 2.0], [-1.0, -2.0], [3.0, -1.0], [-3.0, 1.0]])
    w0 = np.array([2.0, -1.0])
    for residuals in ([0, 0, 0, 0], [5, 5, -3, -3]):
        t = X @ w0 - np.array(residuals, float)
        assert optimal_lr(X, w0, t) == 0.0
        assert isinstance(optimal_lr(X, w0, t), float)
        assert d2loss_deta2(X, w0, t) == dloss_deta(X, w0, t, 0.7) == 0.0
        assert loss_after_one_step(X, w0, t, 0.7) == loss_after_one_step(X, w0, t, 0.0)


@pytest.mark.parametrize("unit", [1e-8, 1e-3, 1e4])
def test_the_best_rate_follows_the_units_of_the_data(unit):
    X, w0, t = problem()
    assert optimal_lr(unit * X, w0 / unit, t) == pytest.approx(optimal_lr(X, w0, t) / unit**2)


# Many steps


@every_size
@pytest.mark.parametrize("steps", [0, 1, 2, 7, 40])
def test_the_loss_after_many_steps_is_that_of_torchs_sgd(n, d, steps):
    data = problem(n, d)
    lr = 0.3 * n / np.linalg.norm(data[0], 2) ** 2
    got = loss_after_steps(*data, lr, steps)
    assert got == pytest.approx(loss_by_loop(*data, lr, steps), rel=1e-10)


@every_size
def test_one_step_is_one_step(n, d):
    data = problem(n, d)
    got = loss_after_steps(*data, 0.7, 1)
    assert got == pytest.approx(loss_after_one_step(*data, 0.7), rel=1e-11)


def test_ten_million_steps_agree_with_powers_of_the_matrix():
    X, w0, t = problem(n=6, d=3)
    lr = 2e-7
    step = np.eye(6) - 2 * lr / 6 * X @ X.T
    left = np.linalg.matrix_power(step, 10**7) @ (X @ w0 - t)
    got = loss_after_steps(X, w0, t, lr, 10**7)
    assert got == pytest.approx(left @ left / 6, rel=1e-8)
    assert got < 0.9 * loss_after_steps(X, w0, t, lr, 0)


# The graph


def test_two_steps_have_these_nine_edges():
    want = "w0-g0 eta-w1 w0-w1 g0-w1 w1-g1 eta-w2 w1-w2 g1-w2 w2-L2"
    assert sorted(graph_edges(2)) == sorted(tuple(edge.split("-")) for edge in want.split())


@pytest.mark.parametrize("steps", [1, 2, 3, 5])
def test_the_edges_are_what_autograd_finds_when_all_else_is_held(steps):
    """Compute each node from copies of all others, and see which of them it depends on."""
    X, start, t = (torch.tensor(value) for value in problem())
    values, found = {"eta": torch.tensor(0.1, dtype=torch.float64), "w0": start}, set()

    def node(name, compute):
        parents = {key: value.clone().requires_grad_() for key, value in values.items()}
        values[name] = compute(parents)
        slopes = torch.autograd.grad(values[name].sum(), parents.values(), allow_unused=True)
        found.update((key, name) for key, s in zip(parents, slopes, strict=True) if s is not None)
        values[name] = values[name].detach()

    for k in range(steps):
        node(f"g{k}", lambda p, k=k: 2 / 5 * X.T @ (X @ p[f"w{k}"] - t))
        node(f"w{k + 1}", lambda p, k=k: p[f"w{k}"] - p["eta"] * p[f"g{k}"])
    node(f"L{steps}", lambda p: ((X @ p[f"w{steps}"] - t) ** 2).mean())
    edges = graph_edges(steps)
    assert set(edges) == found
    assert len(edges) == len(found) == 4 * steps + 1


# Hypergradients


def losses(shape=(4,), seed=0, dtype=torch.float64, bend=torch.tanh):
    """Return a training and a validation loss, and weights."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*size):
        return torch.randn(size, generator=generator, dtype=torch.float64).to(dtype)

    def loss_on(n):
        X, t = draw(n, shape[0] if shape else 1), 0.5 * draw(n, *shape[1:])

        def loss(w):
            return (bend(X @ w if shape else X[:, 0] * w) - t).square().mean()

        return loss

    return loss_on(7), loss_on(5), draw(*shape)


def end_of(train_loss, valid_loss, w0, lr, steps):
    """Train with torch's SGD, without any hypergradient."""
    w = torch.nn.Parameter(w0.clone())
    optimizer = torch.optim.SGD([w], lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        train_loss(w).backward()
        optimizer.step()
    return valid_loss(w).item()


@every_mode
@pytest.mark.parametrize("shape", [(4,), (3, 2), ()])
@pytest.mark.parametrize("steps", [1, 2, 5, 30])
def test_both_modes_agree_with_central_differences_of_training_runs(mode, shape, steps):
    run, lr, h = losses(shape), 0.11, 1e-5
    loss, slope = mode(*run, lr, steps)
    assert loss == pytest.approx(end_of(*run, lr, steps), rel=1e-12)
    differences = (end_of(*run, lr + h, steps) - end_of(*run, lr - h, steps)) / (2 * h)
    assert slope == pytest.approx(differences, rel=1e-6, abs=1e-9)


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")  # torch's own, by jvp
@every_mode
@pytest.mark.parametrize("steps", [1, 3, 12])
def test_both_modes_agree_with_torchs_dual_numbers(mode, steps):
    train_loss, valid_loss, w0 = losses((3, 2), seed=1)

    with forward_ad.dual_level():
        eta = torch.tensor(0.2, dtype=torch.float64)
        eta, w = forward_ad.make_dual(eta, torch.ones_like(eta)), w0
        for _ in range(steps):
            w = w - eta * torch.func.grad(train_loss)(w)
        want = [value.item() for value in forward_ad.unpack_dual(valid_loss(w))]
    assert mode(train_loss, valid_loss, w0, 0.2, steps) == pytest.approx(want, rel=1e-11)


@every_mode
@every_size
def test_on_least_squares_both_modes_give_the_formulas_of_one_step_and_of_many(mode, n, d):
    X, w0, t = problem(n, d)
    tensors = torch.tensor(X), torch.tensor(t)

    def loss(w):
        return torch.nn.functional.mse_loss(tensors[0] @ w, tensors[1])

    got = mode(loss, loss, torch.tensor(w0), 0.05, 1)
    want = loss_after_one_step(X, w0, t, 0.05), dloss_deta(X, w0, t, 0.05)
    assert got == pytest.approx(want, rel=1e-11)
    h = 1e-6
    up, down = (loss_after_steps(X, w0, t, 0.05 + s, 6) for s in (h, -h))
    assert mode(loss, loss, torch.tensor(w0), 0.05, 6)[1] == pytest.approx(
        (up - down) / (2 * h), rel=1e-6, abs=1e-8
    )


@every_mode
def test_both_modes_follow_the_dtype_and_leave_the_weights_alone(mode):
    double, single = losses(), losses(dtype=torch.float32)
    before = single[2].clone()
    got = mode(*single, 0.1, 8)
    assert got == pytest.approx(mode(*double, 0.1, 8), rel=1e-4)
    assert [type(value) for value in got] == [float, float]
    assert torch.equal(single[2], before)
    assert not single[2].requires_grad
    seen = []

    def watching(w):
        seen.append(w.dtype)
        return single[0](w)

    mode(watching, single[1], single[2], 0.1, 3)
    assert seen == [torch.float32] * 3


class Sign:
    """Lives as long as the graph that it hangs on."""


def graphs_alive(run):
    """Return the most graphs of training losses that are alive during a run, and those after it."""
    alive, most = weakref.WeakSet(), [0]
    train_loss, valid_loss, w0 = losses()

    def marked(w):
        most.append(len(alive))
        loss = train_loss(w * 1.0)
        sign = Sign()
        alive.add(sign)
        node = loss.grad_fn
        while node.name() != "MulBackward0":
            node = next(parent for parent, _ in node.next_functions if parent is not None)
        node.metadata["sign"] = sign
        return loss

    result = run(marked, valid_loss, w0)
    assert result
    return max(most), len(alive)


@pytest.mark.parametrize("steps", [10, 20])
def test_reverse_mode_keeps_every_graph_and_forward_mode_one(steps):
    assert graphs_alive(lambda *run: hypergrad_unrolled(*run, 0.1, steps)) == (steps - 1, 0)
    assert max(graphs_alive(lambda *run: hypergrad_forward(*run, 0.1, steps))) <= 1
    assert max(graphs_alive(lambda f, _, w: train_learned_lr(f, w, 0.1, 0.01, steps))) <= 1


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@every_mode
def test_both_modes_run_on_a_gpu(mode):
    train_loss, valid_loss, w0 = losses()

    def there(loss):
        return lambda w: loss(w.cpu())

    got = mode(there(train_loss), there(valid_loss), w0.cuda(), 0.1, 6)
    assert got == pytest.approx(mode(train_loss, valid_loss, w0, 0.1, 6), rel=1e-9)


# A learned learning rate


def by_autograd(loss, w0, lr, hyper_lr, steps):
    """Hypergradient descent, with autograd through each step."""
    w, etas, values = w0.clone().requires_grad_(), [], []
    eta = torch.tensor(lr, dtype=w0.dtype, requires_grad=True)
    for step in range(steps):
        value = loss(w)
        if step:
            (slope,) = torch.autograd.grad(value, eta, retain_graph=True)
            eta = torch.relu(eta.detach() - hyper_lr * slope).requires_grad_()
        (gradient,) = torch.autograd.grad(value, w)
        etas.append(eta.item())
        values.append(value.item())
        w = w.detach() - eta * gradient
    return w.detach(), etas, values


@pytest.mark.parametrize("shape", [(4,), (3, 2), ()])
@pytest.mark.parametrize(("lr", "hyper_lr"), [(0.1, 0.01), (0.0, 0.05), (3.0, 8.0), (0.2, 0.0)])
@pytest.mark.parametrize("steps", [1, 2, 15])
def test_learning_the_rate_agrees_with_autograd_through_each_step(shape, lr, hyper_lr, steps):
    loss, _, w0 = losses(shape, bend=torch.nn.Identity())
    before = w0.clone()
    got = train_learned_lr(loss, w0, lr, hyper_lr, steps)
    want = by_autograd(loss, w0, lr, hyper_lr, steps)
    for value, other in zip(got, want, strict=True):
        np.testing.assert_allclose(value, other, rtol=1e-9, atol=1e-12)
    assert [value.dtype for value in got] == [torch.float64] * 3
    assert [tuple(value.shape) for value in got] == [shape, (steps,), (steps,)]
    assert not any(value.requires_grad for value in (*got, w0))
    assert torch.equal(w0, before)


def test_with_no_rate_for_the_rate_it_is_plain_gradient_descent():
    loss, _, w0 = losses()
    w, lrs, values = train_learned_lr(loss, w0, 0.1, 0.0, 12)
    assert loss(w).item() == pytest.approx(end_of(loss, loss, w0, 0.1, 12), rel=1e-12)
    assert lrs.tolist() == [0.1] * 12
    assert values[5].item() == pytest.approx(end_of(loss, loss, w0, 0.1, 5), rel=1e-12)


def test_a_rate_that_would_become_negative_is_zero_for_a_step_and_comes_back():
    def loss(w):
        return (w**2).sum()

    w0 = torch.tensor([2.0], dtype=torch.float64)  # gradient 4; then -2.4, so h is 9.6
    w, lrs, values = train_learned_lr(loss, w0, 0.8, 0.1, 4)
    assert lrs.tolist() == pytest.approx([0.8, 0.0, 0.576, 0.576 + 0.1 * 2.4**2 * (1 - 1.152)])
    assert values.tolist()[:3] == pytest.approx([4, 1.44, 1.44])
    assert w.item() == pytest.approx(-1.2 * (1 - 2 * lrs[2]) * (1 - 2 * lrs[3]))


def test_a_rate_that_starts_too_small_grows_and_trains_faster():
    loss, _, w0 = losses((6,))
    w, lrs, _ = train_learned_lr(loss, w0, 0.001, 0.2, 60)
    assert lrs[-1] > 10 * lrs[0]
    assert loss(w).item() < 0.9 * end_of(loss, loss, w0, 0.001, 60)


def test_learning_the_rate_follows_the_dtype():
    loss, _, w0 = losses(dtype=torch.float32)
    assert [value.dtype for value in train_learned_lr(loss, w0, 0.1, 0.01, 3)] == [
        torch.float32
    ] * 3
