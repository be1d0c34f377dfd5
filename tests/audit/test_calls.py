"""What a call does, and whether two of them are told apart."""

import copy
from typing import Any

import numpy as np
import pytest
import torch

from autograder.audit.mutation import calls
from autograder.audit.mutation.calls import Call, agree, is_finite, outcome, watched
from autograder.audit.mutation.variations import scaled, varied_call, varied_parameters


def differ(one: Any, other: Any, *args: Any, pure: bool = False, **kwargs: Any) -> bool:
    call = Call("f", args, kwargs)
    return not agree(outcome(other, call, pure), outcome(one, call, pure))


def test_calls_are_told_apart_by_what_they_return() -> None:
    assert differ(np.sum, np.mean, np.ones(3))
    assert not differ(np.sum, lambda x: x @ np.ones(3), np.arange(3.0))


@pytest.mark.parametrize(
    ("value", "other"),
    [
        ({"a": [np.arange(3), (1.5, None)]}, {"a": [np.arange(3.0), (1.5, None)]}),
        (torch.ones(2, 2), torch.ones(4)),
        ([True], [1]),
    ],
)
def test_what_is_the_same_is_not_measured(
    value: Any, other: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(calls, "assert_close", lambda got, want: asked.append(got))
    assert agree(value, copy.deepcopy(value))
    assert not asked
    assert agree(other, value)
    assert asked == [other]


def test_a_change_in_place_counts_where_the_check_is_pure() -> None:
    def doubled(x: Any) -> Any:
        x *= 2
        return x.copy()

    assert differ(lambda x: 2 * x, doubled, np.ones(3), pure=True)
    assert not differ(lambda x: 2 * x, doubled, np.ones(3))


def test_arguments_are_copies() -> None:
    x = np.ones(3)
    outcome(lambda a: a.sort(), Call("f", (x,), {}), pure=False)
    x[0] = 5
    outcome(lambda a: a.sort(), Call("f", (x,), {}), pure=False)
    assert x.tolist() == [5, 1, 1]


def test_gradients_tell_calls_apart() -> None:
    x = torch.ones(3, requires_grad=True)
    assert differ(lambda x: x * 2, lambda x: (x * 2).detach(), x)
    assert differ(lambda x: x * x, lambda x: x * x.detach(), x)
    assert not differ(lambda x: x * 2, lambda x: x + x, x)


def test_what_raises_or_exits_has_no_outcome() -> None:
    def exits() -> None:
        raise SystemExit

    assert outcome(exits, Call("f", (), {}), pure=False) is None
    assert not agree(None, [1])


def test_a_model_that_is_trained_in_place_counts() -> None:
    def step(model: Any, lr: float) -> None:
        with torch.no_grad():
            model.weight -= lr

    def none(model: Any, lr: float) -> None:
        pass

    assert differ(step, none, torch.nn.Linear(2, 1), 0.1)


class Scale(torch.nn.Module):
    def __init__(self, d: int) -> None:
        super().__init__()
        self.gamma = torch.nn.Parameter(torch.ones(d))

    def forward(self, x: Any) -> Any:
        return self.gamma * x if self.training else x


class Fixed(Scale):
    def forward(self, x: Any) -> Any:
        return x


def test_a_module_is_tried_with_other_parameters_than_it_starts_with() -> None:
    for trains, told_apart in ((True, True), (False, False)):
        call = Call("Scale", ((3,), {}, (torch.ones(2, 3),), {}, trains), {})
        outcomes = [outcome(target, call, pure=False) for target in (Scale, Fixed)]
        assert agree(*outcomes) is not told_apart


def test_calls_of_functions_and_modules_are_kept() -> None:
    made: list[Call] = []

    def doubled(x: Any, factor: int = 2) -> Any:
        return factor * x

    watched("doubled", doubled, made)(1, factor=3)
    watched("Scale", Scale, made)(3)(torch.ones(2, 3))
    assert [str(call) for call in made] == [
        "doubled(1, factor=3)",
        "Scale([3], {}, [float32 (2, 3)], {}, True)",
    ]
    assert watched("list", list, made) is None


def test_a_call_is_told_the_same_way_in_each_process() -> None:
    def loss(w: Any) -> Any:
        return w

    assert str(Call("f", (loss, object()), {})) == (
        "f(<function test_a_call_is_told_the_same_way_in_each_process.<, <object object>)"
    )


@pytest.mark.parametrize(
    ("value", "finite"),
    [
        ([1, (2.0, None), {"a": np.ones(2)}], True),
        (float("nan"), False),
        (np.array([1.0, np.inf]), False),
        (torch.tensor(float("inf")), False),
        (object(), False),
        ("text", True),
    ],
)
def test_only_finite_plain_values_are_compared(value: Any, finite: bool) -> None:
    assert is_finite(value) is finite


def test_axes_of_one_length_change_together_or_one_alone() -> None:
    def product(x: Any, w: Any) -> Any:
        return x @ w

    rng = np.random.default_rng(1)
    shapes = set()
    for _ in range(300):
        (x, w), _kwargs = varied_call(product, (np.ones((4, 3)), np.ones(3)), {}, rng)
        if x.shape[1] == w.shape[0]:
            shapes.add(x.shape)
    assert {n for n, _ in shapes} == {d for _, d in shapes} == {1, 2, 3, 4, 5, 7}


def test_variations_are_the_same_every_time_and_leave_what_they_vary() -> None:
    def function(x: Any, flag: bool, n: int, lr: float = 0.1, eps: float = 1e-8) -> None: ...

    x = torch.ones(3, 2)
    runs = [
        [
            str(varied_call(function, (x, True, 2), {"lr": 0.5}, rng))
            for rng in [np.random.default_rng(5)]
            for _ in range(40)
        ]
        for _ in range(2)
    ]
    assert runs[0] == runs[1]
    assert len(set(runs[0])) > 20
    assert torch.equal(x, torch.ones(3, 2))


def test_parameters_of_a_case_are_varied() -> None:
    rng = np.random.default_rng(2)
    given = {"shape": (3, 4), "dtype": "float32", "groups": [{"lr": 0.1}], "flag": True}
    found = [varied_parameters(given, rng) for _ in range(60)]
    assert {f["dtype"] for f in found} == {"float32", "float64"}
    assert {f["flag"] for f in found} == {True, False}
    assert len({f["shape"] for f in found}) > 4
    assert len({str(f["groups"]) for f in found}) > 3
    assert given["shape"] == (3, 4)


def test_scaled_values_are_a_few_roundings_off() -> None:
    array, number, whole = scaled((np.ones(2, np.float32), 2.0, 3), 1)
    assert array.dtype == np.float32
    assert 1 < array[0] < 1 + 1e-5
    assert 2 < number < 2 + 1e-12
    assert whole == 3
    tensor = scaled(torch.ones(2, requires_grad=True), -1)
    assert tensor.requires_grad
    assert tensor.is_leaf
