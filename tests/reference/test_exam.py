"""The exam's answers agree with torch, scipy, simulation and brute force."""

import inspect
from fractions import Fraction

import numpy as np
import pytest
import scipy.linalg
import scipy.optimize
import scipy.signal
import torch

from reference import exam, exam_convergence
from reference.exam import attention_grid, pass_through_weights, receptive_field, train_epoch
from reference.exam_convergence import (
    contraction_constants,
    expected_change,
    learning_rates,
    limit_plain,
    limit_rescaled,
    limit_rms,
    lyapunov,
    lyapunov_rows,
    preconditioned_limit,
    rescaled_minimum_norm,
    rms_preconditioner,
    sampled_limit,
    stationary_point,
)

X_OF_THE_EXAM = np.array([[1, 0.1, 0.01]])


def problem(n=3, d=7, seed=0):
    """Return X, y, and probabilities."""
    rng = np.random.default_rng(seed)
    p = rng.uniform(0.2, 2.0, size=n)
    return rng.normal(size=(n, d)), rng.normal(size=n), p / p.sum()


# Shapes


def test_the_shapes_of_single_layers_are_torchs():
    conv, transposed = torch.nn.Conv2d, torch.nn.ConvTranspose2d
    layers = {
        "shape_i": (conv(3, 128, 3), (32, 3, 28, 28)),
        "shape_ii": (conv(3, 128, 4, 2, 1), (32, 3, 28, 28)),
        "shape_iii": (conv(3, 64, (5, 3), 3, (0, 1)), (8, 3, 31, 40)),
        "shape_iv": (transposed(64, 32, 4, 2, 1), (16, 64, 7, 9)),
    }
    for name, (layer, shape) in layers.items():
        assert tuple(layer(torch.zeros(shape)).shape) == getattr(exam, name)


def test_the_shapes_of_the_network_are_torchs():
    conv = torch.nn.Conv2d
    got = {"a": conv(1, 16, 3, 1, 1)(torch.zeros(10, 1, 32, 32))}
    got["b"] = conv(16, 32, 3, 2, 1)(got["a"])
    got["c"] = conv(32, 128, 3, 2, 1)(got["b"])
    got["d"] = conv(128, 16, 3, 1, 1)(got["c"])
    got["e"] = torch.nn.ConvTranspose2d(16, 8, 2, 2)(got["d"])
    got["joined"] = torch.cat([got["a"], torch.nn.functional.interpolate(got["e"], None, 2)], 1)
    got["f"] = conv(24, 1, 3, 1, 1)(got["joined"])
    for name, tensor in got.items():
        assert tuple(tensor.shape) == getattr(exam, f"shape_{name}")


# Kernels


def answers(image, kernel):
    return np.abs(scipy.signal.correlate2d(image, kernel, mode="valid")).max()


def test_the_edge_kernels_answer_to_their_own_edges_only():
    row, column = np.mgrid[:8, :9]
    horizontal, vertical = (row < 4) + 1.0, (column < 4) + 1.0
    falling, rising = (row - column < 1) + 1.0, (row + column < 7) + 1.0
    assert answers(horizontal, exam.horizontal_kernel) == 3
    assert answers(vertical, exam.horizontal_kernel) == 0
    assert answers(np.ones((5, 5)), exam.horizontal_kernel) == 0
    assert answers(falling, exam.diagonal_kernel) == 1
    assert answers(rising, exam.diagonal_kernel) == 0
    assert answers(np.ones((5, 5)), exam.diagonal_kernel) == 0


def test_the_shifts_move_an_image_to_the_left():
    image = np.random.default_rng(0).normal(size=(5, 7))
    want = np.concatenate([image[:, 1:], np.zeros((5, 1))], axis=1)
    correlated = scipy.signal.correlate2d(image, exam.shift_correlation, mode="same")
    convolved = scipy.signal.convolve2d(image, exam.shift_convolution, mode="same")
    np.testing.assert_array_equal(correlated, want)
    np.testing.assert_array_equal(convolved, want)
    kernel = torch.tensor(exam.shift_correlation)[None, None]
    layer = torch.nn.functional.conv2d(torch.tensor(image)[None, None], kernel, padding=1)
    np.testing.assert_array_equal(layer[0, 0].numpy(), want)


# Weights


@pytest.mark.parametrize(
    ("skip", "deep", "middle", "kernel"), [(1, 2, 3, 3), (3, 4, 2, 5), (2, 1, 4, 1)]
)
def test_the_network_starts_as_the_identity(skip, deep, middle, kernel):
    e = torch.nn.Conv2d(deep, middle, kernel, padding="same", bias=False).double()
    f = torch.nn.Conv2d(skip + middle, skip, kernel, padding="same", bias=False).double()
    weights = pass_through_weights(skip, deep, middle, kernel)
    for layer, value in zip((e, f), weights, strict=True):
        assert layer.weight.shape == value.shape
        layer.weight.data = torch.tensor(value)
    x, h = torch.randn(2, skip, 6, 5).double(), torch.randn(2, deep, 6, 5).double()
    torch.testing.assert_close(f(torch.cat([x, e(h).relu()], 1)), x)


# Receptive fields


def footprint(layers):
    """Return the side of the receptive field as the gradient of a unit shows it."""
    image = torch.ones(1, 1, 900, requires_grad=True)
    value = image
    for kernel, stride, dilation in layers:
        weight = torch.ones(1, 1, kernel)
        value = torch.nn.functional.conv1d(value, weight, stride=stride, dilation=dilation)
    (slope,) = torch.autograd.grad(value[0, 0, value.shape[-1] // 2], image)
    seen = slope[0, 0].nonzero()[:, 0]
    return int(seen[-1] - seen[0] + 1)


@pytest.mark.parametrize(
    "layers",
    [
        [],
        [(1, 1, 1)],
        [(3, 1, 1)],
        [(5, 3, 2)],
        [(3, 2, 1), (2, 2, 1), (5, 1, 2)],
        [(2, 3, 3), (4, 2, 2), (3, 3, 4)],
        [(5, 2, 1), (3, 3, 2), (1, 2, 1), (4, 1, 3)],
    ],
)
def test_a_receptive_field_is_the_footprint_of_a_gradient(layers):
    assert receptive_field(layers) == footprint(layers)


def test_the_published_receptive_fields():
    assert [receptive_field([(3, 2, 1)] * count) for count in (1, 2, 3)] == [3, 7, 15]
    assert receptive_field([(3, 1, 1), (2, 2, 1), (3, 1, 1)]) == 8
    assert receptive_field([(5, 1, 1), (2, 2, 1), (5, 1, 1)]) == 14


def test_the_fields_of_the_exam():
    a_to_c = [(3, 1, 1), (3, 2, 1), (3, 2, 1)]
    assert exam.field_three == footprint([(3, 2, 1)] * 3) == 15
    assert exam.field_d == footprint([*a_to_c, (3, 1, 1)]) == 17
    assert exam.field_d_pointwise == footprint([*a_to_c, (1, 1, 1)]) == 9


# Training


def model_and_batches():
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.BatchNorm1d(5), torch.nn.ReLU())
    model.append(torch.nn.Linear(5, 3)).double()
    images, labels = torch.randn(11, 4).double(), torch.randint(3, (11,))
    return model, list(zip(images.split(4), labels.split(4), strict=True))


def test_an_epoch_is_gradient_descent_on_each_batch():
    model, batches = model_and_batches()
    twin, _ = model_and_batches()
    for parameter in model.parameters():
        parameter.grad = torch.full_like(parameter, 7.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    losses = train_epoch(model.eval(), batches, optimizer, torch.nn.functional.cross_entropy)
    want = []
    for images, labels in batches:
        loss = torch.nn.functional.cross_entropy(twin(images), labels)
        slopes = torch.autograd.grad(loss, list(twin.parameters()))
        with torch.no_grad():
            for parameter, slope in zip(twin.parameters(), slopes, strict=True):
                parameter -= 0.1 * slope
        want.append(loss.item())
    assert [type(loss) for loss in losses] == [float] * 3
    np.testing.assert_allclose(losses, want, rtol=1e-12)
    torch.testing.assert_close(model.state_dict(), twin.state_dict())


def test_many_epochs_bring_the_loss_down():
    model, batches = model_and_batches()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    losses = [
        train_epoch(model, batches, optimizer, torch.nn.functional.cross_entropy) for _ in range(30)
    ]
    assert np.mean(losses[-1]) < 0.5 * np.mean(losses[0])


# All that apply


def run_of_sgd(start=0.0, diagonal=1.0, lr=0.02, momentum=0.0, often=None, unit=1.0):
    """Return where SGD ends on a small problem."""
    X, y, _ = problem(n=2, d=4)
    scale = np.array([1, unit, 1, 1])
    X = X * scale
    rng = np.random.default_rng(3)
    theta, velocity = start * rng.normal(size=4), np.zeros(4)
    for i in rng.choice(2, size=20_000, p=often):
        velocity = momentum * velocity + diagonal * 2 * (X[i] @ theta - y[i]) * X[i]
        theta = theta - lr * velocity
    np.testing.assert_allclose(X @ theta, y, atol=1e-9)
    return theta * scale


def test_the_changes_that_move_the_limit():
    plain = run_of_sgd()
    changed = {
        "A": run_of_sgd(momentum=0.8),
        "B": run_of_sgd(often=[10 / 11, 1 / 11]),
        "C": run_of_sgd(start=1.0),
        "D": run_of_sgd(diagonal=np.array([1.0, 2.0, 0.5, 1.5])),
        "E": run_of_sgd(lr=0.01),
        "F": run_of_sgd(unit=3.0),
    }
    moved = [letter for letter, end in changed.items() if np.abs(end - plain).max() > 1e-3]
    still = [letter for letter, end in changed.items() if np.abs(end - plain).max() < 1e-8]
    assert "".join(moved) == exam.changes_the_limit
    assert sorted(moved + still) == list("ABCDEF")


def test_the_changes_that_keep_the_outputs():
    torch.manual_seed(0)
    images = torch.randn(16, 2, 5, 5).double()
    conv = torch.nn.Conv2d(2, 3, 3).double()
    weight, bias = conv.weight.detach(), conv.bias.detach()
    gamma, beta = torch.rand(3).double() + 0.5, torch.randn(3).double()

    def outputs(x=images, w=weight, b=bias, g=gamma):
        h = torch.nn.functional.conv2d(x, w, b)
        return torch.nn.functional.batch_norm(h, None, None, g, beta, training=True, eps=1e-30)

    swapped = [1, 0, *range(2, 16)]
    changed = {
        "A": outputs(b=bias + torch.tensor([1.0, -2.0, 3.0])),
        "B": outputs(w=3 * weight, b=3 * bias),
        "C": outputs(w=-weight, b=-bias),
        "D": outputs(images[swapped])[swapped],
        "E": outputs(images[:-1]),
        "F": outputs(g=2 * gamma),
    }
    kept = [
        letter
        for letter, value in changed.items()
        if torch.allclose(value, outputs()[: len(value)], rtol=0, atol=1e-9)
    ]
    assert "".join(kept) == exam.keeps_the_outputs


# Attention


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("sharpness", [0.0, 1.7, -2.3, 2000.0, -2000.0])
def test_attention_is_torchs(sharpness, causal):
    words = ["this", "exam", "is", "a", "This", "exam", "a"]
    kinds = sorted(set(words))
    x = torch.eye(len(kinds)).double()[[kinds.index(word) for word in words]][None]
    values = torch.eye(len(words)).double()[None]
    want = torch.nn.functional.scaled_dot_product_attention(
        x, x, values, is_causal=causal, scale=sharpness
    )
    got = attention_grid(words, sharpness, causal)
    np.testing.assert_allclose(got, want[0].numpy(), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(got.sum(axis=1), 1)


def test_the_three_weights_are_counted():
    sentence = ["this", "exam", "is", "a", "midterm", "exam"]

    def weight(i, j, seen):
        shares = [3 if word == sentence[i] else 1 for word in sentence[:seen]]
        return Fraction(shares[j], sum(shares))

    assert exam.weight_exam == float(weight(5, 1, 6)) == 0.3
    assert exam.weight_midterm == float(weight(4, 4, 6)) == 0.375
    assert exam.weight_is == float(weight(2, 0, 3)) == 0.2


# Where SGD ends


def test_the_limits_of_one_example_are_the_published_ones():
    np.testing.assert_allclose(limit_plain, [0.990001, 0.0990001, 0.00990001], rtol=1e-6)
    np.testing.assert_allclose(limit_rms, [0.9009009] * 3, rtol=1e-7)
    np.testing.assert_allclose(limit_rescaled, np.array([1, 10, 100]) / 3, rtol=1e-15)
    for limit in (limit_plain, limit_rms, limit_rescaled):
        np.testing.assert_allclose(X_OF_THE_EXAM @ limit, 1, rtol=1e-12)
    wrong = np.array([1, 100, 1000]) / 3
    np.testing.assert_allclose(X_OF_THE_EXAM @ wrong, 7)


def test_the_limits_of_one_example_are_simulated():
    x, y = X_OF_THE_EXAM, np.array([1.0])
    plain, rms = np.zeros(3), np.zeros(3)
    for step in range(1, 20_001):
        plain = plain - 0.1 * 2 * (x[0] @ plain - 1) * x[0]
        if abs(x[0] @ rms - 1) < 1e-12:
            continue
        # The steps of this run have the length of the learning rate, so that must fall.
        rms = rms - 0.5 / step * rms_preconditioner(x, y, rms) * 2 * (x[0] @ rms - 1) * x[0]
    np.testing.assert_allclose(plain, limit_plain, rtol=1e-9)
    np.testing.assert_allclose(rms, limit_rms, rtol=2e-4)
    rescaled = rescaled_minimum_norm(x, y, x[0])
    np.testing.assert_allclose(rescaled, limit_rescaled, rtol=1e-12)
    np.testing.assert_allclose(preconditioned_limit(x, y, 1 / x[0] ** 2), rescaled, rtol=1e-12)


@pytest.mark.parametrize(("n", "d"), [(1, 3), (5, 2), (4, 7)])
def test_the_preconditioner_is_made_of_torchs_gradients(n, d):
    X, y, _ = problem(n, d)
    theta = np.random.default_rng(1).normal(size=d)
    squares = []
    for x, target in zip(X, y, strict=True):
        weights = torch.tensor(theta, requires_grad=True)
        ((target - torch.tensor(x) @ weights) ** 2).backward()
        squares.append(weights.grad.numpy() ** 2)
    want = 1 / np.sqrt(np.mean(squares, axis=0))
    np.testing.assert_allclose(rms_preconditioner(X, y, theta), want, rtol=1e-12)


@pytest.mark.parametrize(("n", "d"), [(1, 3), (2, 5), (3, 4)])
def test_preconditioned_sgd_is_simulated(n, d):
    X, y, p = problem(n, d)
    rng = np.random.default_rng(2)
    m = rng.uniform(0.3, 2.0, size=d)
    theta = np.zeros(d)
    for i in rng.choice(n, size=30_000, p=p):
        theta = theta - 0.03 * m * 2 * (X[i] @ theta - y[i]) * X[i]
    np.testing.assert_allclose(preconditioned_limit(X, y, m), theta, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(X @ preconditioned_limit(X, y, m), y, rtol=1e-10)


@pytest.mark.parametrize(("n", "d"), [(1, 3), (2, 5), (3, 8)])
def test_the_rescaled_solution_predicts_the_same_and_is_scipys(n, d):
    X, y, _ = problem(n, d)
    scale = np.random.default_rng(2).uniform(0.3, 3.0, size=d)
    shortest = scipy.linalg.lstsq(X / scale, y)[0]
    got = rescaled_minimum_norm(X, y, scale)
    inputs = np.random.default_rng(4).normal(size=(5, d))
    np.testing.assert_allclose(inputs @ got, (inputs / scale) @ shortest, rtol=1e-10)


@pytest.mark.parametrize("probabilities", [[0.5, 0.5], [0.9, 0.1], [0.02, 0.98]])
def test_sampled_sgd_ends_at_the_same_point_whatever_the_probabilities(probabilities):
    X, y, _ = problem(n=2, d=5)
    rng = np.random.default_rng(0)
    theta = np.zeros(5)
    for i in rng.choice(2, size=20_000, p=probabilities):
        theta = theta - 0.05 * 2 * (X[i] @ theta - y[i]) * X[i]
    got = sampled_limit(X, y, np.array(probabilities))
    np.testing.assert_allclose(got, theta, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(got, scipy.linalg.pinv(X) @ y, rtol=1e-10)


@pytest.mark.parametrize(("n", "d"), [(3, 2), (7, 4)])
def test_the_expected_step_is_zero_at_the_stationary_point(n, d):
    X, y, p = problem(n, d)
    theta = torch.tensor(stationary_point(X, y, p), requires_grad=True)
    loss = torch.tensor(p) @ (torch.tensor(y) - torch.tensor(X) @ theta) ** 2
    assert loss > 1e-3
    np.testing.assert_allclose(torch.autograd.grad(loss, theta)[0].numpy(), np.zeros(d), atol=1e-12)
    root = np.sqrt(p)
    want = scipy.linalg.lstsq(root[:, None] * X, root * y)[0]
    np.testing.assert_allclose(theta.detach().numpy(), want, rtol=1e-10)


# How fast


def draws(count=200, n=3, d=6):
    for seed in range(count):
        X, y, p = problem(n, d, seed)
        limit = scipy.linalg.pinv(X) @ y
        rng = np.random.default_rng(1000 + seed)
        yield X, y, p, limit, limit + X.T @ rng.normal(size=n), float(rng.uniform(0.01, 0.5))


def test_the_lyapunov_function_is_the_expected_loss():
    for X, y, p, limit, theta, _ in draws(20):
        want = sum(w * (t - x @ theta) ** 2 for w, x, t in zip(p, X, y, strict=True))
        np.testing.assert_allclose(lyapunov(theta, limit, X, p), want, rtol=1e-10)
        difference = lyapunov_rows(X, p) @ (theta - limit)
        np.testing.assert_allclose(difference @ difference, want, rtol=1e-10)
        np.testing.assert_allclose(lyapunov_rows(X, p)[1], p[1] ** 0.5 * X[1])


def test_the_expected_change_is_that_of_all_possible_steps():
    for X, _, p, limit, theta, lr in draws(50):

        def change(rate, X=X, p=p, limit=limit, theta=theta):
            steps = [theta - rate * 2 * (x @ theta - x @ limit) * x for x in X]
            after = [lyapunov(step, limit, X, p) for step in steps]
            return p @ np.array(after) - lyapunov(theta, limit, X, p)

        a, b = expected_change(theta, limit, X, p, lr)
        np.testing.assert_allclose(a + b, change(lr), rtol=1e-8, atol=1e-10)
        # A is odd in the learning rate, and B is even.
        np.testing.assert_allclose(a, (change(lr) - change(-lr)) / 2, rtol=1e-8, atol=1e-10)


def test_the_bounds_hold_in_two_hundred_draws():
    for X, _, p, limit, theta, lr in draws():
        value = lyapunov(theta, limit, X, p)
        a, b = expected_change(theta, limit, X, p, lr)
        lower, upper = contraction_constants(X, p, lr)
        assert a <= -lower * value * (1 - 1e-9)
        assert b <= upper * value * (1 + 1e-9)


def test_without_the_factor_four_the_bound_of_b_is_false():
    broken = 0
    for X, _, p, limit, theta, lr in draws():
        _, b = expected_change(theta, limit, X, p, lr)
        upper = contraction_constants(X, p, lr)[1] / 4
        broken += b > upper * lyapunov(theta, limit, X, p)
    assert broken > 100


def test_a_is_the_largest_constant_and_belongs_to_the_smallest_eigenvalue_above_zero():
    for X, _, p, limit, _, lr in draws(20):
        values, vectors = scipy.linalg.eigh((X.T * p) @ X)
        assert np.all(values[:3] < 1e-12)
        assert values[3] > 1e-6
        slowest = limit + vectors[:, 3]
        a, _ = expected_change(slowest, limit, X, p, lr)
        lower, upper = contraction_constants(X, p, lr)
        np.testing.assert_allclose(a, -lower * lyapunov(slowest, limit, X, p), rtol=1e-7)
        longest = max(x @ x for x in X)
        np.testing.assert_allclose(lower, 4 * lr * values[3], rtol=1e-7)
        np.testing.assert_allclose(upper, 4 * lr**2 * values[-1] * longest, rtol=1e-10)


def test_the_best_learning_rate_is_scipys():
    for X, _, p, *_ in draws(10):

        def rho(lr, X=X, p=p):
            a, b = contraction_constants(X, p, lr)
            return a - b

        largest, best, achieved = learning_rates(X, p)
        found = scipy.optimize.minimize_scalar(lambda lr: -rho(lr), bounds=(0, largest)).x
        np.testing.assert_allclose(best, found, rtol=1e-3)
        np.testing.assert_allclose(rho(best), achieved, rtol=1e-9)
        assert 0 < achieved <= 1
        np.testing.assert_allclose(
            scipy.optimize.brentq(rho, best, 3 * largest), largest, rtol=1e-9
        )


def test_the_function_decreases_geometrically_in_expectation():
    X, y, p = problem(n=2, d=5)
    _, lr, rho = learning_rates(X, p)
    limit = sampled_limit(X, y, p)
    rng = np.random.default_rng(0)
    values = np.zeros(41)
    for _ in range(300):
        theta = np.zeros(5)
        values[0] += lyapunov(theta, limit, X, p) / 300
        for step, i in enumerate(rng.choice(2, size=40, p=p), start=1):
            theta = theta - lr * 2 * (X[i] @ theta - y[i]) * X[i]
            values[step] += lyapunov(theta, limit, X, p) / 300
    assert np.all(values <= (1 - rho) ** np.arange(41) * values[0] * 1.0001)


def test_no_function_changes_an_argument():
    X, y, p = problem()
    theta, m = np.ones(7), np.full(7, 2.0)
    calls = {
        rms_preconditioner: (X, y, theta),
        preconditioned_limit: (X, y, m),
        rescaled_minimum_norm: (X, y, m),
        sampled_limit: (X, y, p),
        stationary_point: (X.T, theta, m / 14),
        lyapunov_rows: (X, p),
        lyapunov: (theta, m, X, p),
        expected_change: (theta, m, X, p, 0.1),
        contraction_constants: (X, p, 0.1),
        learning_rates: (X, p),
    }
    for function, arguments in calls.items():
        before = [np.copy(a) for a in arguments]
        function(*arguments)
        for a, b in zip(arguments, before, strict=True):
            np.testing.assert_array_equal(a, b)


def test_every_function_of_the_exam_is_documented():
    modules = exam, exam_convergence
    functions = [f for m in modules for _, f in inspect.getmembers(m, inspect.isfunction)]
    assert len(functions) == 14
    assert all("Args:" in f.__doc__ and "Returns:" in f.__doc__ for f in functions)
