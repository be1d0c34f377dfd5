"""Right answers that differ by rounding are near the reference, and are not the reference."""

import numpy as np
import pytest
import torch

from autograder.authoring.subject import Subject
from autograder.grading.perturbed import (
    PerturbedSession,
    lower_precision,
    nearby,
    on_device,
    reordered,
)

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(30, 200)), RNG.normal(size=(200, 20))


def with_numpy(a, b):
    return [a @ b, a.sum(axis=1), a.mean(), np.dot(a, b), a.std(axis=0, ddof=1)]


def with_torch(a, b):
    return [a @ b, a.sum(), a.mean(), torch.nn.functional.linear(a, b.T), torch.matmul(a, b)]


NAMES = {"numbers": with_numpy, "tensors": with_torch, "echo": lambda *args, **named: [args, named]}
TENSORS = torch.from_numpy(A), torch.from_numpy(B)


def asked(move, name, *args, **named):
    return getattr(Subject(PerturbedSession(NAMES, move)), name)(*args, **named)


def errors(name, args, move):
    pairs = zip(asked(move, name, *args), NAMES[name](*args), strict=True)
    return [float(np.abs(np.asarray(got) - np.asarray(want)).max()) for got, want in pairs]


@pytest.mark.parametrize(("name", "args"), [("numbers", (A, B)), ("tensors", TENSORS)])
@pytest.mark.parametrize("move", [nearby(1), reordered()], ids=lambda move: move.name)
def test_moved_answers_differ_in_the_last_places(name, args, move):
    found = errors(name, args, move)
    assert 0 < max(found) < 1e-12


@pytest.mark.parametrize(("name", "args"), [("numbers", (A, B)), ("tensors", TENSORS)])
def test_single_precision_is_back_in_double_and_less_exact(name, args):
    got = asked(lower_precision(), name, *args)
    assert {str(value.dtype).removeprefix("torch.") for value in got} == {"float64"}
    assert 1e-9 < max(errors(name, args, lower_precision())) < 1e-3


def test_on_a_device_tensors_are_made_there_and_arrays_stay():
    """Without a GPU: the device on which nothing is computed, and the processor."""

    def devices(tensor, array):
        return [str(tensor.device), str(torch.zeros(2).device), type(array).__name__]

    session = PerturbedSession({"devices": devices}, on_device("meta"))
    assert Subject(session).devices(torch.ones(2), np.ones(2)) == ["meta", "meta", "ndarray"]
    assert str(torch.zeros(2).device) == "cpu"
    assert max(errors("tensors", TENSORS, on_device("cpu"))) == 0


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_differs_by_rounding():
    assert max(errors("tensors", TENSORS, on_device("cuda"))) < 1e-10


def test_equal_numbers_move_alike_and_round_ones_do_not():
    values = np.array([0.1, 0.1, 0.3, 0.5, 1.0, 0.0, -3.0, np.inf])
    for seed in range(5):
        moved = asked(nearby(seed), "echo", values)[0][0]
        assert moved[0] == moved[1] != values[0]
        assert moved[2] != values[2]
        assert (moved[3:] == values[3:]).all()
        assert np.abs(moved[:3] - values[:3]).max() < 1e-16


def test_directions_differ():
    values = RNG.normal(size=100)
    one, two = (asked(nearby(seed), "echo", values)[0][0] for seed in (1, 2))
    assert (one != two).any()


def test_what_is_no_number_stays():
    args, named = asked(nearby(1), "echo", [1, "text", None, True], np.arange(3), key={"a": 7})
    assert args[0] == [1, "text", None, True]
    assert (args[1] == np.arange(3)).all()
    assert named == {"key": {"a": 7}}


def test_single_numbers_move_too():
    assert asked(nearby(1), "echo", 0.1)[0][0] != 0.1
    assert asked(lower_precision(), "echo", np.float64(0.1))[0][0] == np.float64(np.float32(0.1))


def test_a_tensor_keeps_that_it_requires_a_gradient():
    tensor = torch.tensor([0.1, 0.2], dtype=torch.float64, requires_grad=True)
    assert asked(nearby(1), "echo", tensor)[0][0].requires_grad


def test_nothing_is_measured_of_what_is_perturbed():
    assert PerturbedSession(NAMES, nearby(1)).processes() is None
