"""The training module agrees with torch, with simulations and with closed forms."""

import copy
import math

import numpy as np
import pytest
import torch

from reference.scale import (
    backward_moments,
    chance_loss,
    critical_batch,
    curve_causes,
    dead_units,
    double_softmax_floor,
    draw_weights,
    early_stop,
    fans,
    forward_moments,
    init_std,
    noise_scale,
    scaled_lr,
    smooth,
)
from reference.training import (
    fine_tune,
    fit,
    train_epoch,
    train_keeping_best,
)

F = torch.nn.functional


def network(*widths, norm=False):
    torch.manual_seed(1)
    first, last = torch.nn.Linear(widths[0], widths[1]), torch.nn.Linear(widths[1], widths[2])
    middle = [torch.nn.BatchNorm1d(widths[1])] if norm else []
    return torch.nn.Sequential(first, *middle, torch.nn.ReLU(), last).double()


def labelled(*sizes, features=4, classes=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [
        (
            torch.randn(n, features, generator=generator, dtype=torch.float64),
            torch.randint(classes, (n,), generator=generator),
        )
        for n in sizes
    ]


def by_hand(net, loss, lr):
    """One step of gradient descent on a loss, by autograd alone."""
    parameters = list(net.parameters())
    with torch.no_grad():
        for p, g in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            p -= lr * g


def states_agree(one, other):
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.allclose(a, b, rtol=1e-12, atol=1e-12) for a, b in pairs)


# The loops


def test_an_epoch_is_one_clean_step_for_each_batch():
    net, twin = network(4, 5, 3), network(4, 5, 3)
    batches = labelled(6, 3, 1)
    for p in net.parameters():
        p.grad = torch.ones_like(p)
    losses = train_epoch(net, torch.optim.SGD(net.parameters(), lr=0.2), batches, F.cross_entropy)
    wanted = []
    for x, y in batches:
        loss = F.cross_entropy(twin(x), y)
        wanted.append(loss.item())
        by_hand(twin, loss, 0.2)
    assert losses == pytest.approx(wanted, rel=1e-12)
    assert all(type(one) is float for one in losses)
    assert states_agree(net, twin)


def test_an_epoch_hands_the_predictions_to_the_loss_first():
    seen = []

    def loss_fn(predictions, targets):
        seen.append((predictions.requires_grad, targets.requires_grad))
        return ((predictions - targets) ** 2).mean()

    net = torch.nn.Linear(4, 1).double()
    batches = [(x, y[:, None].double()) for x, y in labelled(3, 3)]
    train_epoch(net, torch.optim.SGD(net.parameters(), lr=0.1), batches, loss_fn)
    assert seen == [(True, False)] * 2


def test_fit_weighs_every_example_the_same_and_uses_both_modes():
    net, twin = network(4, 6, 3, norm=True), network(4, 6, 3, norm=True)
    train, valid = labelled(7, 4, 2), labelled(5, 3, seed=1)
    curves = fit(net, torch.optim.SGD(net.parameters(), lr=0.2), train, valid, 3)
    inputs, labels = torch.cat([x for x, _ in valid]), torch.cat([y for _, y in valid])
    for epoch in range(3):
        summed = 0.0
        for x, y in train:
            twin.train()
            each = F.cross_entropy(twin(x), y, reduction="none")
            summed += float(each.detach().sum())
            by_hand(twin, each.mean(), 0.2)
        out = twin.eval()(inputs).detach()
        assert curves["train"][epoch] == pytest.approx(summed / 13)
        assert curves["valid"][epoch] == pytest.approx(float(F.cross_entropy(out, labels)))
        assert curves["accuracy"][epoch] == float((out.argmax(1) == labels).double().mean())
    assert states_agree(net, twin)
    assert all(type(one) is float for name in curves for one in curves[name])


class Pixels(torch.nn.Module):
    """A body and a head, as `fine_tune` expects them."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(2)
        self.body = torch.nn.Conv2d(2, 5, 3, padding=1, dtype=torch.float64)
        self.head = torch.nn.Conv2d(5, 4, 1, dtype=torch.float64)

    def forward(self, x):
        return self.head(torch.tanh(self.body(x)))


def test_fine_tuning_trains_body_and_head_of_a_copy():
    net = Pixels()
    kept = copy.deepcopy(net.state_dict())
    generator = torch.Generator().manual_seed(0)
    batches = [
        (
            torch.randn(n, 2, 3, 4, generator=generator, dtype=torch.float64),
            torch.randint(3, (n, 3, 4), generator=generator),
        )
        for n in (2, 3)
    ]
    tuned, losses = fine_tune(net, 3, batches, 0.5, 2)
    assert all(torch.equal(kept[name], value) for name, value in net.state_dict().items())
    twin = copy.deepcopy(net)
    twin.head = torch.nn.Conv2d(5, 3, 1, dtype=torch.float64)
    for p in twin.head.parameters():
        torch.nn.init.constant_(p, 0.0)
    wanted = []
    for x, y in batches * 2:
        rows = twin(x).movedim(1, -1).reshape(-1, 3)
        loss = F.nll_loss(rows.log_softmax(1), y.reshape(-1))
        wanted.append(loss.item())
        by_hand(twin, loss, 0.5)
    assert losses == pytest.approx(wanted, rel=1e-12)
    assert losses[0] == pytest.approx(math.log(3))
    assert states_agree(tuned, twin)


@pytest.mark.parametrize("norm", [False, True])
def test_the_best_epoch_is_the_one_that_shorter_runs_end_with(norm):
    """A run of as many epochs as the best one ends with the same state."""
    (X, y), order = labelled(24)[0], torch.randperm(24, generator=torch.Generator().manual_seed(5))
    X[:, 1] = 0.0

    def run(epochs):
        net = network(4, 6, 3, norm=norm)
        optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
        return net, *train_keeping_best(net, optimizer, X, y, order, 10, epochs)

    net, losses, best = run(60)
    assert 1 < best < 60
    assert best == int(np.argmin(losses)) + 1
    shorter, fewer, last = run(best)
    assert (fewer, last) == (losses[:best], best)
    assert states_agree(net, shorter)


def test_held_out_examples_reach_nothing_but_the_validation_loss():
    (X, y), order = labelled(20)[0], torch.arange(20).flip(0)
    nets = [network(4, 6, 3) for _ in range(2)]
    for net, changed in zip(nets, (0.0, 100.0), strict=True):
        other, labels = X.clone(), y.clone()
        other[order[:5]] += changed
        labels[order[:5]] = (labels[order[:5]] + bool(changed)) % 3
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        train_keeping_best(net, optimizer, other, labels, order, 5, 1)
    assert states_agree(*nets)


def test_features_are_scaled_as_by_scipys_zscore_of_the_training_examples():
    stats = pytest.importorskip("scipy.stats")
    (X, y), order = labelled(15)[0], torch.arange(15)
    net, twin = network(4, 6, 3), network(4, 6, 3)
    train_keeping_best(net, torch.optim.SGD(net.parameters(), lr=0.3), X, y, order, 4, 1)
    by_hand(twin, F.cross_entropy(twin(torch.tensor(stats.zscore(X[4:].numpy()))), y[4:]), 0.3)
    assert states_agree(net, twin)


def test_of_equal_epochs_the_first_is_the_best():
    (X, y), net = labelled(9)[0], network(4, 6, 3)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.0)
    assert train_keeping_best(net, optimizer, X, y, torch.arange(9), 3, 4)[1] == 1


# Curves


def test_each_description_fits_one_panel():
    assert sorted(curve_causes) == list("ABCDEFGH")
    assert sorted(curve_causes.values()) == list(range(1, 9))


@pytest.mark.parametrize("classes", [1, 2, 10, 1000])
def test_chance_is_the_cross_entropy_of_equal_logits(classes):
    logits = torch.zeros(1, classes, dtype=torch.float64)
    wanted = float(F.cross_entropy(logits, torch.tensor([0])))
    assert chance_loss(classes) == pytest.approx(wanted, abs=1e-12)


def test_ten_classes_start_at_2_302():
    assert chance_loss(10) == pytest.approx(2.302, abs=1e-3)


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_no_probabilities_bring_the_double_softmax_below_its_floor(classes):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2000, classes, generator=generator, dtype=torch.float64) * 10
    labels = torch.zeros(2000, dtype=torch.long)
    losses = F.cross_entropy(logits.softmax(1), labels, reduction="none")
    assert float(losses.min()) >= double_softmax_floor(classes) - 1e-12
    perfect = F.one_hot(labels[:1], classes).double()
    assert double_softmax_floor(classes) == pytest.approx(
        float(F.cross_entropy(perfect, labels[:1]))
    )


def stop_by_search(losses, patience):
    """The first epoch whose last `patience` losses bring no new best."""
    for end in range(patience + 1, len(losses) + 1):
        if min(losses[end - patience : end]) >= min(losses[: end - patience]):
            return end, losses[:end].index(min(losses[:end])) + 1
    return len(losses), losses.index(min(losses)) + 1


def test_early_stopping_agrees_with_a_search():
    rng = np.random.default_rng(0)
    for _ in range(500):
        losses = rng.integers(1, 9, size=rng.integers(1, 15)).tolist()
        patience = int(rng.integers(1, 6))
        assert early_stop(losses, patience) == stop_by_search(losses, patience)


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9])
def test_smoothing_is_a_weighted_mean(beta):
    losses = np.random.default_rng(0).normal(size=20)
    wanted = [
        np.average(losses[: t + 1], weights=np.power(beta, np.arange(t, -1, -1))) for t in range(20)
    ]
    np.testing.assert_allclose(smooth(losses, beta), wanted, rtol=1e-12, atol=1e-14)


def test_smoothing_forgets_a_tenth_unless_told_otherwise():
    losses = np.random.default_rng(0).normal(size=5)
    np.testing.assert_array_equal(smooth(losses), smooth(losses, 0.9))


# Initialisation

SHAPES = [(5, 7), (4, 6, 3), (8, 3, 5, 2), (2, 3, 4, 5, 6)]


@pytest.mark.parametrize("shape", SHAPES)
def test_fans_are_torchs(shape):
    assert fans(shape) == torch.nn.init._calculate_fan_in_and_fan_out(torch.empty(shape))


@pytest.mark.parametrize("shape", SHAPES)
def test_deviations_are_torchs(shape):
    torch.manual_seed(0)
    big = torch.empty((shape[0] * 40, shape[1] * 40, *shape[2:]))
    he = torch.nn.init.kaiming_normal_(big).std()
    assert init_std(big.shape, "he") == pytest.approx(float(he), rel=0.02)
    lecun = torch.nn.init.kaiming_normal_(big, nonlinearity="linear").std()
    assert init_std(big.shape, "lecun") == pytest.approx(float(lecun), rel=0.02)
    xavier = torch.nn.init.xavier_normal_(big).std()
    assert init_std(big.shape, "xavier") == pytest.approx(float(xavier), rel=0.02)


@pytest.mark.parametrize("scheme", ["lecun", "he", "xavier"])
def test_weights_have_the_distribution_that_is_asked_for(scheme):
    stats = pytest.importorskip("scipy.stats")
    shape = (50, 40, 3)
    std = init_std(shape, scheme)
    normal = draw_weights(shape, scheme, "normal", 1)
    uniform = draw_weights(shape, scheme, "uniform", 1)
    assert normal.shape == uniform.shape == shape
    assert stats.kstest(normal.ravel() / std, "norm").pvalue > 1e-3
    scaled = uniform.ravel() / std
    assert stats.kstest(scaled, stats.uniform(-(3**0.5), 2 * 3**0.5).cdf).pvalue > 1e-3


def test_a_seed_decides_the_weights():
    one, again, other = (draw_weights((3, 4), "he", "uniform", s) for s in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert (one != other).all()


WIDTHS, STDS = (30, 20, 40, 25), (0.3, 0.2, 0.15)


@pytest.mark.parametrize("activation", ["linear", "relu"])
def test_moments_agree_with_random_networks(activation):
    rng = np.random.default_rng(0)
    act = {"linear": lambda z: z, "relu": lambda z: np.maximum(z, 0)}[activation]
    draws = 4000
    forward, backward = np.zeros(3), np.zeros(3)
    x0 = rng.choice([-1.5, 1.5], size=30)
    for _ in range(draws):
        weights = [s * rng.normal(size=(m, n)) for n, m, s in zip(WIDTHS, WIDTHS[1:], STDS)]  # noqa: B905 -- neighbours
        x, z = x0, []
        for W in weights:
            z.append(W @ x)
            x = act(z[-1])
        forward += [np.mean(one**2) / draws for one in z]
        # Independent of the forward pass in the weights behind it, as the assumption has it.
        grad = rng.choice([-2.0, 2.0], size=25)
        squares = [np.mean(grad**2)]
        for layer in (2, 1):
            open_ = z[layer - 1] > 0 if activation == "relu" else 1.0
            grad = (weights[layer].T @ grad) * open_
            squares.append(np.mean(grad**2))
        backward += np.array(squares[::-1]) / draws
    np.testing.assert_allclose(forward_moments(2.25, WIDTHS, STDS, activation), forward, rtol=0.05)
    np.testing.assert_allclose(backward_moments(4.0, WIDTHS, STDS, activation), backward, rtol=0.05)


def test_he_keeps_the_size_through_thirty_layers():
    std = init_std((100, 100), "he")
    moments = forward_moments(1.0, [100] * 31, [std] * 30, "relu")
    np.testing.assert_allclose(moments, 2.0)
    np.testing.assert_allclose(backward_moments(1.0, [100] * 31, [std] * 30, "relu"), 1.0)


def test_a_unit_is_dead_if_its_weights_get_no_gradient():
    rng = np.random.default_rng(0)
    X, W, b = rng.normal(size=(9, 3)), rng.normal(size=(3, 40)), rng.normal(size=40) - 1.5
    W[:, 5], b[5] = 0.0, 0.0
    bias = torch.tensor(b, requires_grad=True)
    torch.relu(torch.tensor(X) @ torch.tensor(W) + bias).sum().backward()
    dead = dead_units(X, W, b)
    np.testing.assert_array_equal(dead, bias.grad.numpy() == 0)
    assert 1 < dead.sum() < 39
    assert dead[5]


# Batch size


def test_learning_rates_scale_by_the_rule():
    assert scaled_lr(0.1, 256, 8192, "linear") == pytest.approx(3.2)
    assert scaled_lr(0.1, 256, 1024, "sqrt") == pytest.approx(0.2)
    assert scaled_lr(0.4, 64, 16, "sqrt") == pytest.approx(0.2)


def test_the_linear_rule_keeps_the_variance_of_a_long_walk():
    """With k times the batch and k times the rate, n / k steps have the noise of n steps."""
    k, n = 4, 64
    lr = scaled_lr(1.0, 1, k, "linear")
    assert (n / k) * lr**2 / k == pytest.approx(n * 1.0**2)


def test_the_noise_scale_of_a_gaussian_is_found():
    rng = np.random.default_rng(0)
    mean, std = rng.normal(size=20), rng.uniform(1, 3, size=20)
    lengths = {
        B: ((mean + std / B**0.5 * rng.normal(size=(200_000, 20))) ** 2).sum(axis=1)
        for B in (4, 64)
    }
    square, trace, scale = noise_scale(lengths[4], lengths[64], 4, 64)
    assert square == pytest.approx((mean**2).sum(), rel=0.01)
    assert trace == pytest.approx((std**2).sum(), rel=0.01)
    assert scale == pytest.approx(trace / square)


def test_the_critical_batch_size_is_found_by_least_squares():
    optimize = pytest.importorskip("scipy.optimize")
    rng = np.random.default_rng(0)
    sizes = np.array([8, 32, 64, 256, 1024, 4096])
    steps = 900 * (1 + 300 / sizes) * rng.uniform(0.9, 1.1, size=6)
    wanted, _ = optimize.curve_fit(lambda B, s, c: s * (1 + c / B), sizes, steps, p0=(900, 300))
    np.testing.assert_allclose(critical_batch(sizes, steps), wanted, rtol=1e-5)
