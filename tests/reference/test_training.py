"""The training loops agree with torch and with gradient descent by hand."""

import copy
import math

import numpy as np
import pytest
import torch

from reference.training import (
    fine_tune,
    fit,
    train_epoch,
    train_keeping_best,
    train_on_batch,
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


def test_a_batch_is_one_step_along_its_own_gradient():
    net, twin = network(4, 5, 3), network(4, 5, 3)
    for p in net.parameters():
        p.grad = torch.ones_like(p)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.2)
    for x, y in labelled(6, 3, 1):
        loss = F.cross_entropy(twin(x), y)
        assert train_on_batch(net, optimizer, x, y, F.cross_entropy) == pytest.approx(loss.item())
        by_hand(twin, loss, 0.2)
    assert states_agree(net, twin)
    net.eval()
    train_on_batch(net, optimizer, *labelled(2)[0], F.cross_entropy)
    assert not net.training


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
    losses = train_epoch(model.eval(), optimizer, batches, torch.nn.functional.cross_entropy)
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
        train_epoch(model, optimizer, batches, torch.nn.functional.cross_entropy) for _ in range(30)
    ]
    assert np.mean(losses[-1]) < 0.5 * np.mean(losses[0])
