"""The classifiers agree with torch's autograd and with finite differences."""

import numpy as np
import pytest
import torch

from reference.classifiers import (
    fit_two_layer,
    predict,
    softmax_loss,
    train_two_layer,
    two_layer_loss,
)

F = torch.nn.functional


def softmax_case(scale=1.0, n=7, d=4, c=3):
    rng = np.random.default_rng(0)
    W, X = scale * rng.normal(size=(d, c)), rng.normal(size=(n, d))
    return W, X, rng.integers(c, size=n)


def network(scale=1.0, n=9, d=4, h=6, c=3):
    rng = np.random.default_rng(1)
    shapes = {"W1": (d, h), "b1": (h,), "W2": (h, c), "b2": (c,)}
    params = {name: scale * rng.normal(size=shape) for name, shape in shapes.items()}
    return params, rng.normal(size=(n, d)), rng.integers(c, size=n)


def torchs_two_layer(params, X, y, reg):
    p = {name: torch.tensor(value, requires_grad=True) for name, value in params.items()}
    scores = torch.relu(torch.tensor(X) @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]
    loss = F.cross_entropy(scores, torch.tensor(y))
    loss = loss + reg * (p["W1"] ** 2).sum() + reg * (p["W2"] ** 2).sum()
    loss.backward()
    return loss.item(), {name: value.grad.numpy() for name, value in p.items()}


@pytest.mark.parametrize("scale", [0.0, 1.0, 1000.0])
@pytest.mark.parametrize("reg", [0.0, 0.3])
def test_the_softmax_loss_is_torchs(scale, reg):
    W, X, y = softmax_case(scale)
    weights = torch.tensor(W, requires_grad=True)
    loss = F.cross_entropy(torch.tensor(X) @ weights, torch.tensor(y))
    (loss + reg * (weights**2).sum()).backward()
    got, grad = softmax_loss(W, X, y, reg)
    assert got == pytest.approx((loss + reg * (weights**2).sum()).item(), rel=1e-12)
    np.testing.assert_allclose(grad, weights.grad.numpy(), rtol=1e-10, atol=1e-14)


def test_the_softmax_gradient_is_that_of_finite_differences():
    W, X, y = softmax_case()
    numeric = np.zeros_like(W)
    for i in np.ndindex(W.shape):
        step = np.zeros_like(W)
        step[i] = 1e-6
        up, down = softmax_loss(W + step, X, y, 0.1)[0], softmax_loss(W - step, X, y, 0.1)[0]
        numeric[i] = (up - down) / 2e-6
    np.testing.assert_allclose(softmax_loss(W, X, y, 0.1)[1], numeric, rtol=1e-6, atol=1e-8)


def test_small_weights_start_at_the_loss_of_chance():
    W, X, y = softmax_case(1e-4, n=500, d=20, c=10)
    assert softmax_loss(W, X, y, 0.0)[0] == pytest.approx(-np.log(0.1), abs=1e-3)


@pytest.mark.parametrize("scale", [0.0, 1.0, 50.0])
@pytest.mark.parametrize("reg", [0.0, 0.2])
def test_the_two_layer_loss_is_torchs(scale, reg):
    case = network(scale)
    got, want = two_layer_loss(*case, reg), torchs_two_layer(*case, reg)
    assert got[0] == pytest.approx(want[0], rel=1e-12)
    for name, grad in want[1].items():
        np.testing.assert_allclose(got[1][name], grad, rtol=1e-10, atol=1e-13)


def test_the_kink_of_the_relu_passes_no_gradient_as_in_torch():
    params, X, y = network()
    params["b1"][:] = 0.0
    X[:5] = 0.0
    got, want = two_layer_loss(params, X, y, 0.0)[1], torchs_two_layer(params, X, y, 0.0)[1]
    np.testing.assert_allclose(got["b1"], want["b1"], rtol=1e-10, atol=1e-14)


def test_predictions_are_torchs():
    params, X, _ = network(n=200)
    p = {name: torch.tensor(value) for name, value in params.items()}
    scores = torch.relu(torch.tensor(X) @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]
    np.testing.assert_array_equal(predict(params, X), scores.argmax(dim=1).numpy())


def test_a_tie_goes_to_the_lowest_class():
    params = {"W1": np.ones((1, 2)), "b1": np.zeros(2), "W2": np.ones((2, 3)), "b2": np.zeros(3)}
    assert predict(params, np.array([[1.0], [-1.0]])).tolist() == [0, 0]


def test_training_is_torchs_sgd_with_weight_decay_on_the_matrices():
    params, X, y = network()
    kept = {name: value.copy() for name, value in params.items()}
    rng = np.random.default_rng(2)
    batches = [rng.integers(9, size=n) for n in (4, 1, 6, 5)]
    got, losses = train_two_layer(params, X, y, batches, lr=0.1, reg=0.05)
    assert all((params[name] == kept[name]).all() for name in kept)
    p = {name: torch.nn.Parameter(torch.tensor(value)) for name, value in kept.items()}
    groups = [
        {"params": [p["W1"], p["W2"]], "weight_decay": 0.1},
        {"params": [p["b1"], p["b2"]]},
    ]
    optimizer = torch.optim.SGD(groups, lr=0.1)
    for batch, loss in zip(batches, losses, strict=True):
        x, labels = torch.tensor(X[batch]), torch.tensor(y[batch])
        data = F.cross_entropy(torch.relu(x @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"], labels)
        squares = (p["W1"] ** 2).sum() + (p["W2"] ** 2).sum()
        assert loss == pytest.approx((data + 0.05 * squares).item(), rel=1e-12)
        optimizer.zero_grad()
        data.backward()
        optimizer.step()
    for name in p:
        np.testing.assert_allclose(got[name], p[name].detach().numpy(), rtol=1e-10, atol=1e-13)


def test_a_network_learns_what_no_line_can_tell_apart():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, size=(500, 2))
    y = (X[:, 0] * X[:, 1] > 0).astype(int)
    params = fit_two_layer(X[:400], y[:400], 2, 0)
    assert (predict(params, X[400:]) == y[400:]).mean() > 0.9
    again, other = fit_two_layer(X[:400], y[:400], 2, 0), fit_two_layer(X[:400], y[:400], 2, 1)
    np.testing.assert_array_equal(params["W1"], again["W1"])
    assert (params["W1"] != other["W1"]).any()
