"""The optimizers agree with torch's, and keep the dtype and the arguments they were given."""

import functools
import inspect

import numpy as np
import pytest
import torch

from reference.optimizers import (
    MyAdam,
    adagrad_step,
    adam_step,
    adamw_step,
    decay_step,
    equivalent_l2,
    l2_step,
    momentum_step,
    rmsprop_step,
    sgd_step,
)

RTOL = {np.float32: 2e-6, np.float64: 1e-13}


SHAPES = [(), (5,), (4, 3)]


# name: (step, number of state arrays, whether it counts steps, hyperparameters, torch's twin)
STEPS = {
    "sgd": (sgd_step, 0, False, {"lr": 0.1}, functools.partial(torch.optim.SGD, lr=0.1)),
    "momentum": (
        momentum_step,
        1,
        False,
        {"lr": 0.1, "momentum": 0.8},
        functools.partial(torch.optim.SGD, lr=0.1, momentum=0.8),
    ),
    "adagrad": (
        adagrad_step,
        1,
        False,
        {"lr": 0.1, "eps": 1e-8},
        functools.partial(torch.optim.Adagrad, lr=0.1, eps=1e-8),
    ),
    "rmsprop": (
        rmsprop_step,
        1,
        False,
        {"lr": 0.1, "beta": 0.95},
        functools.partial(torch.optim.RMSprop, lr=0.1, alpha=0.95, eps=1e-8),
    ),
    "adam": (
        adam_step,
        2,
        True,
        {"lr": 0.1, "beta1": 0.8, "beta2": 0.99},
        functools.partial(torch.optim.Adam, lr=0.1, betas=(0.8, 0.99), eps=1e-8),
    ),
    "adamw": (
        adamw_step,
        2,
        True,
        {"lr": 0.1, "beta1": 0.8, "beta2": 0.99, "weight_decay": 0.3},
        functools.partial(torch.optim.AdamW, lr=0.1, betas=(0.8, 0.99), eps=1e-8, weight_decay=0.3),
    ),
    "l2": (
        l2_step,
        0,
        False,
        {"lr": 0.1, "l2": 0.3},
        functools.partial(torch.optim.SGD, lr=0.1, weight_decay=0.6),
    ),
    "decay": (decay_step, 0, False, {"lr": 0.1, "decay": 0.3}, None),
}


with_torch_twin = pytest.mark.parametrize("name", [name for name in STEPS if STEPS[name][4]])


every_step = pytest.mark.parametrize("name", STEPS)


every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def take_steps(name, w, grads):
    """The weights after each of the steps, by our functions."""
    step, states, counts, hyper, _ = STEPS[name]
    state = [np.zeros_like(w) for _ in range(states)]
    path = []
    for t, grad in enumerate(grads, start=1):
        new = step(w, grad, *state, *([t] if counts else []), **hyper)
        w, *state = new if states else (new,)
        path.append(w)
    return path


def take_torch_steps(make_optimizer, w, grads):
    """The weights after each of the steps, by torch."""
    parameter = torch.nn.Parameter(torch.tensor(w))
    optimizer = make_optimizer([parameter])
    path = []
    for grad in grads:
        parameter.grad = torch.tensor(grad)
        optimizer.step()
        path.append(parameter.detach().numpy().copy())
    return path


@with_torch_twin
@every_dtype
@pytest.mark.parametrize("shape", SHAPES)
def test_several_steps_agree_with_torch(name, dtype, shape):
    rng = np.random.default_rng(0)
    w = np.asarray(rng.normal(size=shape), dtype)
    grads = np.asarray(rng.normal(size=(12, *shape)), dtype)
    want = take_torch_steps(STEPS[name][4], w, grads)
    np.testing.assert_allclose(
        take_steps(name, w, grads), want, rtol=5 * RTOL[dtype], atol=RTOL[dtype]
    )


@with_torch_twin
@every_dtype
def test_steps_along_tiny_gradients_agree_with_torch(name, dtype):
    # From zero weights, so that steps of any size show. Here eps decides where it stands.
    grads = np.asarray(1e-9 * np.random.default_rng(1).normal(size=(6, 7)), dtype)
    w = np.zeros(7, dtype)
    want = take_torch_steps(STEPS[name][4], w, grads)
    scale = np.abs(want).max()
    np.testing.assert_allclose(
        take_steps(name, w, grads), want, rtol=5 * RTOL[dtype], atol=RTOL[dtype] * scale
    )


@pytest.mark.parametrize("name", ["sgd", "momentum", "adagrad", "rmsprop", "adam", "adamw"])
def test_zero_gradients_from_the_start_give_no_nan(name):
    path = take_steps(name, np.zeros(3), np.zeros((3, 3)))
    np.testing.assert_array_equal(path, np.zeros((3, 3)))


@pytest.mark.parametrize(
    ("ours", "theirs"), [(adam_step, torch.optim.Adam), (adamw_step, torch.optim.AdamW)]
)
def test_defaults_are_torchs(ours, theirs):
    want = theirs([torch.nn.Parameter(torch.zeros(1))]).defaults
    got = {name: p.default for name, p in inspect.signature(ours).parameters.items()}
    assert (got["lr"], got["eps"]) == (want["lr"], want["eps"])
    assert (got["beta1"], got["beta2"]) == want["betas"]
    if ours is adamw_step:
        assert got["weight_decay"] == want["weight_decay"]


def test_the_other_defaults_are_the_documented_ones():
    defaults = {
        (step.__name__, name): p.default
        for step in (momentum_step, adagrad_step, rmsprop_step)
        for name, p in inspect.signature(step).parameters.items()
        if p.default is not p.empty
    }
    assert defaults == {
        ("momentum_step", "momentum"): 0.9,
        ("adagrad_step", "eps"): 1e-8,
        ("rmsprop_step", "beta"): 0.9,
        ("rmsprop_step", "eps"): 1e-8,
    }


def arguments_of(name, w, grad):
    """Arguments in the middle of a run: the state is not zero."""
    _, states, counts, hyper, _ = STEPS[name]
    return [w, grad, *[abs(w) + k for k in range(states)], *([3] if counts else [])], hyper


@every_step
@every_dtype
@pytest.mark.parametrize("shape", SHAPES)
def test_a_step_changes_no_argument_and_shares_no_memory_with_one(name, dtype, shape):
    rng = np.random.default_rng(2)
    w, grad = (np.asarray(a, dtype) for a in rng.normal(size=(2, *shape)))
    args, hyper = arguments_of(name, w, grad)
    args = [np.array(a) if isinstance(a, np.generic) else a for a in args]
    before = [np.array(a) for a in args]
    result = STEPS[name][0](*args, **hyper)
    for got, want in zip(args, before, strict=True):
        np.testing.assert_array_equal(got, want)
    for new in result if isinstance(result, tuple) else [result]:
        assert not any(np.shares_memory(new, a) for a in args if isinstance(a, np.ndarray))


@every_step
@every_dtype
@pytest.mark.parametrize("shape", SHAPES)
def test_a_step_keeps_dtype_and_shape(name, dtype, shape):
    rng = np.random.default_rng(3)
    w, grad = (np.asarray(a, dtype) for a in rng.normal(size=(2, *shape)))
    args, hyper = arguments_of(name, w, grad)
    result = STEPS[name][0](*args, **hyper)
    for new in result if isinstance(result, tuple) else [result]:
        assert new.dtype == dtype
        assert new.shape == shape


@every_step
def test_a_step_works_on_python_floats_as_on_arrays(name):
    args, hyper = arguments_of(name, 0.7, -0.2)
    array_args, _ = arguments_of(name, np.array([0.7]), np.array([-0.2]))
    got = STEPS[name][0](*args, **hyper)
    want = STEPS[name][0](*array_args, **hyper)
    np.testing.assert_allclose(np.ravel(got), np.ravel(want), rtol=1e-14)


@every_step
def test_the_coordinates_do_not_influence_each_other(name):
    w, grad = np.random.default_rng(4).normal(size=(2, 6))
    args, hyper = arguments_of(name, w, grad)
    whole = np.atleast_2d(STEPS[name][0](*args, **hyper))
    for i in range(6):
        args, hyper = arguments_of(name, w[i : i + 1], grad[i : i + 1])
        part = np.atleast_2d(STEPS[name][0](*args, **hyper))
        np.testing.assert_allclose(part, whole[:, i : i + 1], rtol=1e-14)


# Weight decay


def test_l2_step_descends_the_penalised_loss_by_autograd():
    rng = np.random.default_rng(5)
    w, target = torch.tensor(rng.normal(size=(2, 4, 3)))
    w.requires_grad_(True)
    loss = ((w - target) ** 4).sum()
    (grad,) = torch.autograd.grad(loss, w, retain_graph=True)
    (penalised,) = torch.autograd.grad(loss + 0.3 * (w**2).sum(), w)
    got = l2_step(w.detach().numpy(), grad.numpy(), lr=0.1, l2=0.3)
    np.testing.assert_allclose(got, (w - 0.1 * penalised).detach().numpy(), rtol=1e-13)


def test_decay_step_shrinks_the_weights_then_takes_torchs_step():
    w, grad = np.random.default_rng(6).normal(size=(2, 5))
    parameter = torch.nn.Parameter(torch.tensor(w))
    parameter.grad = torch.tensor(grad)
    with torch.no_grad():
        parameter.mul_(0.7)
    torch.optim.SGD([parameter], lr=0.1).step()
    got = decay_step(w, grad, lr=0.1, decay=0.3)
    np.testing.assert_allclose(got, parameter.detach().numpy(), rtol=1e-14)


@pytest.mark.parametrize(("decay", "lr"), [(0.3, 0.1), (0.01, 2.0), (0.0, 0.5)])
def test_equivalent_l2_makes_the_two_steps_one(decay, lr):
    w, grad = np.random.default_rng(7).normal(size=(2, 5))
    want = decay_step(w, grad, lr, decay)
    np.testing.assert_allclose(l2_step(w, grad, lr, equivalent_l2(decay, lr)), want, rtol=1e-12)


# MyAdam


def small_net(dtype=torch.float64):
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.Tanh(), torch.nn.Linear(6, 2))
    net.register_parameter("unused", torch.nn.Parameter(torch.ones(3)))
    return net.to(dtype)


def groups_of(net):
    return [
        {"params": net[0].parameters(), "lr": 0.05, "betas": (0.7, 0.9)},
        {"params": [*net[2].parameters(), net.unused], "eps": 1e-3},
    ]


def train(net, optimizer, steps=30):
    torch.manual_seed(1)
    dtype = net.unused.dtype
    x, y = torch.randn(16, 4, dtype=dtype), torch.randn(16, 2, dtype=dtype)
    losses = []

    def closure():
        optimizer.zero_grad()
        loss = ((net(x) - y) ** 2).mean()
        loss.backward()
        return loss

    for _ in range(steps):
        losses.append(optimizer.step(closure).item())
    return losses


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float64, 1e-11), (torch.float32, 1e-4)], ids=str
)
def test_my_adam_trains_a_net_with_two_groups_as_torch_does(dtype, tolerance):
    ours, theirs = small_net(dtype), small_net(dtype)
    got = train(ours, MyAdam(groups_of(ours), lr=0.01))
    want = train(theirs, torch.optim.Adam(groups_of(theirs), lr=0.01))
    assert want[-1] < want[0] / 2
    np.testing.assert_allclose(got, want, rtol=tolerance)
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert a.dtype == dtype
        torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance)


def test_my_adam_leaves_a_parameter_without_gradient_alone():
    net = small_net()
    optimizer = MyAdam(net.parameters())
    train(net, optimizer, steps=2)
    assert net.unused.grad is None
    assert net.unused not in optimizer.state
    torch.testing.assert_close(net.unused, torch.ones_like(net.unused), rtol=0, atol=0)


def test_my_adam_counts_the_steps_of_each_parameter_apart():
    def run(make_optimizer):
        early, late = (torch.nn.Parameter(torch.tensor([1.0, -2.0])) for _ in range(2))
        optimizer = make_optimizer([early, late], lr=0.1)
        for step in range(6):
            early.grad = torch.tensor([0.3, -step])
            late.grad = torch.tensor([0.5, 1.0 + step]) if step >= 3 else None
            optimizer.step()
        return torch.stack([early, late])

    torch.testing.assert_close(run(MyAdam), run(torch.optim.Adam))


def test_my_adam_agrees_with_torch_on_tiny_gradients():
    def run(make_optimizer):
        parameter = torch.nn.Parameter(torch.zeros(3))
        optimizer = make_optimizer([parameter])
        for _ in range(4):
            parameter.grad = torch.tensor([1e-9, -3e-9, 1e-8])
            optimizer.step()
        return parameter

    torch.testing.assert_close(run(MyAdam), run(torch.optim.Adam), rtol=1e-5, atol=0)


def test_my_adam_returns_the_closures_loss_with_gradients_enabled_and_none_without():
    parameter = torch.nn.Parameter(torch.ones(2))
    optimizer = MyAdam([parameter])
    assert optimizer.step() is None

    def closure():
        assert torch.is_grad_enabled()
        return 7.0

    assert optimizer.step(closure) == 7.0


def test_my_adam_keeps_the_gradient_and_no_graph():
    parameter = torch.nn.Parameter(torch.ones(2))
    optimizer = MyAdam([parameter])
    for _ in range(2):
        parameter.grad = torch.tensor([1.0, -2.0])
        optimizer.step()
    torch.testing.assert_close(parameter.grad, torch.tensor([1.0, -2.0]), rtol=0, atol=0)
    assert parameter.is_leaf
    assert parameter.requires_grad
    assert not any(
        value.requires_grad
        for value in optimizer.state[parameter].values()
        if isinstance(value, torch.Tensor)
    )


def test_my_adam_continues_from_a_saved_state():
    straight, resumed = small_net(), small_net()
    optimizer = MyAdam(groups_of(straight))
    train(straight, optimizer, steps=6)
    first = MyAdam(groups_of(resumed))
    train(resumed, first, steps=3)
    second = MyAdam(groups_of(resumed))
    second.load_state_dict(first.state_dict())
    train(resumed, second, steps=3)
    for a, b in zip(straight.parameters(), resumed.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_my_adam_has_torchs_defaults():
    parameters = [torch.nn.Parameter(torch.zeros(1))]
    ours, theirs = MyAdam(parameters).defaults, torch.optim.Adam(parameters).defaults
    assert ours == {name: theirs[name] for name in ("lr", "betas", "eps")}


def test_the_scaffolding_of_my_adam_holds_none_of_the_update():
    before, rest = inspect.getsource(MyAdam).split("### BEGIN SOLUTION\n")
    solution, after = rest.split("### END SOLUTION\n")
    scaffolding = before[before.index("def __init__") :] + after
    assert "sqrt" in solution
    for word in ("sqrt", "self.state", ".grad**2", "zeros_like", "_hat"):
        assert word not in scaffolding
