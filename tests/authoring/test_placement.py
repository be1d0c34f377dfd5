"""Placement: where a student's function computes. The device of these tests is torch's "meta"."""

import numpy as np
import pytest
import torch

from autograder.artefacts.results import Verdict
from autograder.authoring.checks import case, check
from autograder.authoring.devices import computing_on
from autograder.authoring.placement import DeviceProxy, assert_placed, on_device, placed
from autograder.authoring.subject import Subject
from autograder.errors import CheckFailure, Unanswered
from autograder.grading.cases import run_case
from autograder.sandbox.protocol.messages import InProcessSession

X = torch.ones(2, 3)
there = pytest.mark.parametrize("device", ["cpu", "meta"])


def subject(**names):
    return Subject(InProcessSession(names))


def stays(x, scale=1):
    return (scale * x).sum()


def makes_its_own(x):
    return (x + torch.zeros(3, device=x.device)).shape[0] + torch.zeros(3).numel()


class Net(torch.nn.Module):
    def __init__(self, width):
        super().__init__()
        self.layer = torch.nn.Linear(3, width)
        self.registered = torch.nn.BatchNorm1d(width)

    def forward(self, x):
        return self.registered(self.layer(x)).shape[0]


class Forgets(Net):
    def __init__(self, width):
        super().__init__(width)
        self.hidden = [torch.nn.Linear(3, width)]  # a list: not registered, and so not moved

    def forward(self, x):
        return super().forward(x) + len(self.hidden[0](torch.ones(1, 3)))


@there
def test_what_computes_where_its_arguments_are_passes(device):
    noted = subject(f=lambda x: len(stays(x.relu()).reshape(1) * 2)).apply(
        placed, "f", X, device=device
    )
    assert_placed(noted, device)
    assert noted["value"] == 1


def test_what_makes_a_tensor_elsewhere_fails_and_says_by_which_operation():
    noted = subject(f=makes_its_own).apply(placed, "f", X, device="meta")
    with pytest.raises(CheckFailure, match="computation: zeros worked on cpu, expected meta"):
        assert_placed(noted, "meta")


def test_numbers_alone_may_be_anywhere():
    scaled = subject(f=lambda x: len(torch.tensor(2.0) * x))
    assert_placed(scaled.apply(placed, "f", X, device="meta"), "meta")


def test_what_computes_nothing_there_fails():
    noted = subject(f=lambda x: 3).apply(placed, "f", X, device="cpu")
    with pytest.raises(CheckFailure, match="nothing was computed on cpu"):
        assert_placed(noted, "cpu")


@there
def test_a_network_is_made_moved_and_called(device):
    noted = subject(Net=Net).apply(placed, "Net", X, make=[4], device=device)
    assert_placed(noted, device, what="Net")
    assert set(noted["state"].values()) == {device}
    assert "registered.running_mean" in noted["state"]


def test_parameters_that_stay_behind_fail():
    with pytest.raises(CheckFailure, match=r"Net: .* worked on cpu, expected meta"):
        assert_placed(
            subject(Net=Forgets).apply(placed, "Net", X, make=[4], device="meta"),
            "meta",
            what="Net",
        )
    noted = {"value": 0, "operations": {"cuda": ["aten::mm"]}, "state": {"w": "cpu", "b": "cuda"}}
    with pytest.raises(CheckFailure, match=r"w \(on cpu\): expected on cuda"):
        assert_placed(noted, "cuda")


@pytest.mark.parametrize(
    "said", [3, [], {}, {"operations": 1, "state": {}}, {"operations": {}, "state": None}]
)
def test_anything_that_a_session_may_say_is_a_failure_of_its_own(said):
    with pytest.raises(CheckFailure):
        assert_placed(said, "cuda")


def test_an_object_or_no_answer_is_no_note():
    found = subject(f=stays, g=...)
    with pytest.raises(CheckFailure, match="an object of type function"):
        assert_placed(found.f, "cuda")
    with pytest.raises(Unanswered):
        assert_placed(found.g, "cuda")


def test_on_the_cpu_a_function_is_itself():
    function = subject(f=stays).f
    assert on_device(function) is function
    assert on_device(function, "cpu") is function
    assert on_device(subject(f=...).f, "cuda").type_name == "ellipsis"
    assert on_device(3.0, "cuda") == 3.0  # which no assertion takes for a function


def test_all_tensors_of_the_arguments_are_on_the_device():
    def devices(x, pair, named, scale):
        places = [x.device, pair[0].device, named["y"].device]
        return [str(place) for place in places], type(scale).__name__, x.requires_grad

    function = on_device(subject(f=devices).f, "meta")
    assert isinstance(function, DeviceProxy)
    assert function.device == "meta"
    leaf = X.clone().requires_grad_()
    places, kind, wanted = function(leaf, [X, 1], named={"y": X}, scale=np.float64(2))
    assert (places, kind, wanted) == (["meta"] * 3, "float64", True)


def test_a_run_on_a_device_puts_functions_there():
    with computing_on("meta"):
        function = on_device(subject(f=lambda x: str(x.device)).f)
        assert function(X) == "meta"


def test_a_check_of_placement_fails_a_submission_that_computes_elsewhere():
    @check("f", points=1)
    @case("one")
    def is_there(student, reference, rng):
        """All is computed on the device of the arguments."""
        assert_placed(student.apply(placed, "f", X, device="meta"), "meta")

    right, wrong = ({"f": f} for f in (lambda x: len(x * 2), makes_its_own))
    found = [
        run_case(
            is_there,
            is_there.cases[0],
            InProcessSession(names),
            InProcessSession(right),
            np.random.default_rng,
        ).verdict
        for names in (right, wrong)
    ]
    assert found == [Verdict.PASSED, Verdict.FAILED]
