"""The answers of homework 2 agree with simulation and with what runs need."""

import inspect
import math
import weakref

import numpy as np
import pytest
import scipy
import torch

from reference.answers import hypergradients
from reference.answers.hypergradients import (
    checkpointed_memory,
    first_curve,
    many_hyperparameters,
    reverse_memory,
    second_curve,
    third_curve,
    toy_lr,
    toy_lr_of_ten_steps,
    toy_weights,
    training_memory,
    what_reverse_keeps,
)
from reference.hypergradients import (
    d2loss_deta2,
    hypergrad_forward,
    hypergrad_unrolled,
    loss_after_steps,
    optimal_lr,
)

SIZES = [(6, 3), (3, 8), (1, 4), (5, 1), (4, 4)]


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


# The toy: X = [1 1], t = 3


def test_the_toy_is_solved_in_one_step():
    X, w0, t = np.array([[1.0, 1.0]]), np.zeros(2), np.array([3.0])
    assert optimal_lr(X, w0, t) == toy_lr == 0.25
    gradient = 2 * X.T @ (X @ w0 - t)
    np.testing.assert_array_equal(w0 - toy_lr * gradient, toy_weights)
    np.testing.assert_array_equal(toy_weights, [1.5, 1.5])
    np.testing.assert_allclose(np.linalg.pinv(X) @ t, toy_weights)
    found = scipy.optimize.minimize_scalar(
        lambda lr: loss_by_loop(X, w0, t, abs(lr), 10), bounds=(0, 0.5), method="bounded"
    )
    assert found.x == pytest.approx(toy_lr_of_ten_steps, abs=0.05)  # a flat minimum
    assert loss_after_steps(X, w0, t, toy_lr_of_ten_steps, 10) == 0.0
    assert loss_after_steps(X, w0, t, 0.025, 10) > 1


# Three curves


def test_the_first_curve_is_convex_but_not_always_strictly():
    assert first_curve == "B"
    for n, d in SIZES:
        assert d2loss_deta2(*problem(n, d)) > 0
    assert d2loss_deta2(np.eye(2), np.ones(2), np.ones(2)) == 0


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 9])
def test_the_second_curve_is_convex_for_every_number_of_steps_and_every_rate(steps):
    assert second_curve == "D"
    for n, d in SIZES:
        data = problem(n, d)
        grid = np.linspace(-1, 3, 81) * optimal_lr(*data)
        heights = np.array([loss_after_steps(*data, lr, steps) for lr in grid])
        bends = np.diff(heights, 2)
        assert (bends > -1e-9 * heights[1:-1]).all()
        assert heights[-1] > heights[grid.searchsorted(0)]  # up to where the loss grows


def test_the_third_curve_bends_both_ways_near_a_minimum_and_far_out():
    assert third_curve == "C"

    def loss(w):
        return (np.tanh(w) - 0.5) ** 2

    minimum = np.arctanh(0.5)
    w0 = minimum + 0.01
    slope = 2 * (np.tanh(w0) - 0.5) * (1 - np.tanh(w0) ** 2)
    for grid in (np.linspace(0, 400, 401), np.linspace(1000, 2000, 401)):
        bends = np.diff(loss(w0 - grid * slope), 2)
        assert bends.min() < 0
    assert np.diff(loss(w0 - np.linspace(0, 10, 11) * slope), 2).min() > 0


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


# What both cost


def peak_bytes(run):
    """Return the most bytes that are kept for backward passes at any one time, each tensor once."""
    sizes, holders, peak = {}, {}, [0]

    class Kept:
        def __init__(self, tensor):
            self.tensor = tensor

    def keep(tensor):
        storage = tensor.untyped_storage()
        place = storage.data_ptr()
        sizes[place], kept = storage.nbytes(), Kept(tensor)
        holders[place] = holders.get(place, 0) + 1
        peak[0] = max(peak[0], sum(sizes[p] for p, number in holders.items() if number))
        weakref.finalize(kept, let_go, place)
        return kept

    def let_go(place):
        holders[place] -= 1

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda kept: kept.tensor):
        run()
    return peak[0]


def growth(run):
    """Return by how much the peak grows from 40 to 80 steps, over that from 20 to 40."""
    peaks = [peak_bytes(lambda s=steps: run(s)) for steps in (20, 40, 80)]
    return (peaks[2] - peaks[1]) / (peaks[1] - peaks[0]) if peaks[1] > peaks[0] else 0.0


def test_the_memory_of_reverse_mode_grows_in_proportion_and_that_of_training_does_not():
    run = losses((256,))
    assert growth(lambda steps: hypergrad_unrolled(*run, 0.01, steps)) == pytest.approx(2, rel=0.02)
    assert growth(lambda steps: hypergrad_forward(*run, 0.01, steps)) == 0
    assert growth(lambda steps: end_of(*run, 0.01, steps)) == 0
    assert reverse_memory == "D"
    assert training_memory == "A"


def test_what_reverse_mode_keeps_is_enough_for_the_hypergradient():
    """The weights of each step tell what was computed there; nothing else of the run is needed."""
    train_loss, valid_loss, w0 = losses()
    path = [w0]
    for _ in range(9):
        w = path[-1].clone().requires_grad_()
        path.append(path[-1] - 0.1 * torch.autograd.grad(train_loss(w), w)[0])
    end = path.pop().requires_grad_()
    (back,) = torch.autograd.grad(valid_loss(end), end)
    slope = 0.0
    for weights in reversed(path):
        w = weights.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(train_loss(w), w, create_graph=True)
        slope -= (gradient.detach() @ back).item()
        back = back - 0.1 * torch.autograd.grad(gradient, w, back)[0]
    assert slope == pytest.approx(hypergrad_unrolled(train_loss, valid_loss, w0, 0.1, 9)[1])
    assert what_reverse_keeps == "B"


def test_checkpoints_need_memory_like_the_square_root_of_the_steps():
    def alive_at_once(steps):
        stretch = math.isqrt(steps)
        checkpoints = len(range(0, steps, stretch))
        return checkpoints + stretch

    assert alive_at_once(10_000) == 2 * alive_at_once(2500) == 200
    assert checkpointed_memory == "C"


@pytest.mark.parametrize("groups", [1, 5, 30])
def test_many_hypergradients_cost_one_backward_pass_or_one_product_each_per_step(groups):
    """One learning rate for each group of weights; both modes agree on all hypergradients."""
    train_loss, valid_loss, w0 = losses((30,))
    share = torch.eye(groups, dtype=torch.float64).repeat_interleave(30 // groups, 0)
    etas = torch.full((groups,), 0.05, dtype=torch.float64, requires_grad=True)
    w = w0.clone().requires_grad_()
    for _ in range(4):
        (gradient,) = torch.autograd.grad(train_loss(w), w, create_graph=True)
        w = w - share @ etas * gradient
    (reverse,) = torch.autograd.grad(valid_loss(w), etas)  # one pass

    w, tangents, products = w0, torch.zeros(30, groups, dtype=torch.float64), 0
    for _ in range(4):
        w = w.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(train_loss(w), w, create_graph=True)
        turned = [
            torch.autograd.grad(gradient, w, column, retain_graph=True)[0] for column in tangents.T
        ]
        products += len(turned)
        gradient, turn = gradient.detach(), torch.stack(turned, 1)
        tangents = tangents - share * gradient[:, None] - 0.05 * turn
        w = w.detach() - 0.05 * gradient
    w.requires_grad_()
    forward = torch.autograd.grad(valid_loss(w), w)[0] @ tangents
    torch.testing.assert_close(forward, reverse)
    assert products == 4 * groups
    assert many_hyperparameters == "A"


# The answers of one letter


def test_each_letter_is_one_of_the_options_above_it():
    source = inspect.getsource(hypergradients)
    for name in (
        "first_curve",
        "second_curve",
        "third_curve",
        "training_memory",
        "reverse_memory",
        "what_reverse_keeps",
        "checkpointed_memory",
        "many_hyperparameters",
    ):
        options = source.partition(f"\n{name} = ")[0].rpartition("\n\n")[2]
        assert [line[4] for line in options.splitlines() if line.startswith("#   ")] == list("ABCD")
