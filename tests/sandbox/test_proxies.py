"""Objects that stay in a session: made, called, asked and passed on from a check."""

import pytest
import torch

from autograder.authoring.subject import Proxy, Subject
from autograder.errors import CheckFailure, StudentError
from autograder.sandbox.inside.host import MAX_HANDLES
from autograder.sandbox.protocol.messages import InProcessSession

CELL = """
import numpy as np
import torch

class Net(torch.nn.Module):
    def __init__(self, width):
        super().__init__()
        self.width = width
        self.first = torch.nn.Linear(2, width, dtype=torch.float64)
        self.last = torch.nn.Linear(width, 1, dtype=torch.float64)

    def forward(self, x):
        return self.last(torch.relu(self.first(x)))

def make_net(width=3):
    torch.manual_seed(0)
    return Net(width)

def make_optimizer(net, lr):
    return torch.optim.SGD(net.parameters(), lr=lr)

def loss_of(net, x, y):
    return ((net(x) - y) ** 2).mean()

def squares(n):
    for i in range(n):
        yield i * np.ones(2)

def naturals():
    n = 0
    while True:
        yield n
        n += 1

def broken():
    yield 1
    raise ValueError("in the middle")

def counter():
    count = 0
    def bump(by=1):
        nonlocal count
        count += by
        return count
    return bump

def composed(f, g):
    return lambda x: f(g(x))

def many(n):
    return [object() for _ in range(n)]

class Trap:
    shape = (3,)
    dtype = "float64"
    def __array__(self, *args, **kwargs):
        return np.zeros(3)
    def __len__(self):
        return 3
    def __iter__(self):
        return iter([0.0] * 3)
    def __float__(self):
        return 0.0

trap = Trap()
"""


@pytest.fixture(params=["in this process", "in a session"])
def student(request):
    if request.param == "in this process":
        names = {}
        exec(CELL, names)
        yield Subject(InProcessSession(names))
        return
    run, fork_server = request.getfixturevalue("run"), request.getfixturevalue("torch_fork_server")
    with run(CELL, fork_server=fork_server).check() as session:
        yield Subject(session)


X = torch.arange(8, dtype=torch.float64).reshape(4, 2)
Y = torch.ones(4, 1, dtype=torch.float64)


def test_a_module_is_called_and_asked_for_its_attributes(student):
    net = student.make_net(width=5)
    assert isinstance(net, Proxy)
    assert (net.type_name, net.width, net.first.out_features) == ("Net", 5, 5)
    assert net.first.weight.shape == (5, 2)
    assert net.first.weight.requires_grad
    want = net.last(torch.relu(net.first(X)))
    assert torch.equal(net(X), want)


def shapes_within(notebook, net, x):
    """Return the shape of what each layer returns, by forward hooks."""
    seen = {}
    for name, layer in net.named_children():
        layer.register_forward_hook(
            lambda _layer, _inputs, output, name=name: seen.update({name: tuple(output.shape)})
        )
    net(x)
    return seen


def test_a_module_is_passed_to_a_helper(student):
    net = student.make_net()
    assert student.apply(shapes_within, net, X) == {"first": (4, 3), "last": (4, 1)}


def gradients(notebook, net, x, y):
    notebook.loss_of(net, x, y).backward()
    return {name: parameter.grad for name, parameter in net.named_parameters()}


def trained(notebook, net, optimizer, x, y, steps):
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = notebook.loss_of(net, x, y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def test_an_optimizer_trains_the_module_that_it_was_made_for(student):
    net = student.make_net()
    optimizer = student.make_optimizer(net, lr=0.01)
    before = net.first.weight
    losses = student.apply(trained, net, optimizer, X, Y, steps=5)
    assert losses[-1] < losses[0]
    assert not torch.equal(net.first.weight, before)
    assert set(student.apply(gradients, net, X, Y)) == {
        "first.weight",
        "first.bias",
        "last.weight",
        "last.bias",
    }
    assert optimizer.step() is None


def taken(notebook, generator, count):
    return [next(generator) for _ in range(count)]


def test_a_generator_is_gone_through_by_a_helper_and_goes_on_where_it_was(student):
    assert [x.tolist() for x in student.apply(taken, student.squares(3), 3)] == [
        [0.0, 0.0],
        [1.0, 1.0],
        [2.0, 2.0],
    ]
    endless = student.naturals()
    assert student.apply(taken, endless, 3) == [0, 1, 2]
    assert student.apply(taken, endless, 2) == [3, 4]


def test_a_generator_that_raises_or_ends_is_the_students_error(student):
    with pytest.raises(StudentError, match=r"^ValueError: in the middle"):
        student.apply(taken, student.broken(), 2)
    with pytest.raises(StudentError, match=r"^StopIteration"):
        student.apply(taken, student.squares(1), 2)


def test_a_closure_keeps_its_state_and_can_be_passed_on(student):
    bump, other = student.counter(), student.counter()
    assert [bump(), bump(by=3), other()] == [1, 4, 1]
    twice = student.composed(bump, bump)
    assert twice(1) == 10


def named(notebook, things):
    return [type(things["net"]).__name__, things["list"][0](2)]


def test_objects_are_passed_inside_lists_and_dicts(student):
    things = {"net": student.make_net(), "list": [student.counter()]}
    assert student.apply(named, things) == ["Net", 2]


def test_one_object_is_one_proxy(student):
    net = student.make_net()
    assert net.first.remote == net.first.remote != net.last.remote


@pytest.mark.parametrize("use", [bool, lambda o: o == 1, lambda o: o != o])
def test_an_object_is_never_taken_for_a_value(student, use):
    with pytest.raises(CheckFailure, match=r"^trap: an object of type Trap, expected a value$"):
        use(student.trap)


@pytest.mark.parametrize("use", [float, len, iter, lambda o: o + 1, lambda o: o[0]])
def test_an_object_has_no_more_operations_than_it_says(student, use):
    with pytest.raises(TypeError):
        use(student.trap)


def test_the_number_of_objects_is_bounded_and_those_that_are_there_stay(student):
    bump = student.counter()
    assert len(student.many(MAX_HANDLES // 2)) == MAX_HANDLES // 2
    with pytest.raises(StudentError, match=rf"more than {MAX_HANDLES} objects that are no values"):
        student.many(MAX_HANDLES)
    with pytest.raises(StudentError, match=r"more than"):
        student.counter()
    assert bump() == 1
    assert student.apply(taken, bump, 0) == []
