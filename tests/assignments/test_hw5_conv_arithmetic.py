"""Homework 5: known mistakes, what write-ups answer, and the conventions that may be chosen."""

from typing import Any

import numpy as np
import pytest

from autograder.artefacts.results import Verdict
from tests.assignments.homework import SECRETS, Homework, homework

TABLE = "parameter_table_is_right"


@pytest.fixture
def hw() -> Homework:
    return homework("hw5_conv_arithmetic")


KNOWN = [
    ("convolve_same_matches_reference", "not flipped"),
    ("conv_out_shape_matches_reference", "rounded up"),
    ("correlate_same_matches_reference", "a margin of zero cuts everything off"),
    ("correlate_same_matches_reference", "one margin for both axes"),
    ("correlate_same_matches_reference", "writes the response into the image"),
    ("halve_and_double_is_right", "the padding of a kernel of three"),
    ("halve_and_double_is_right", "no output padding"),
    ("receptive_fields_match_reference", "strides are added"),
    ("horizontal_edge_kernel_works", "the kernel is transposed"),
    (TABLE, "a slip in the addition"),
    (TABLE, "FC-1024 without its 1024 biases"),
    (TABLE, "batch norms are counted"),
]


@pytest.mark.parametrize(("check", "words"), KNOWN)
def test_a_known_mistake_is_rejected(hw: Homework, check: str, words: str) -> None:
    hw.require_rejected(check, words)


# What write-ups answer


@pytest.mark.parametrize(
    ("values", "row"),
    [
        ({"params_total": 52_494_644}, "the sum of all layers"),
        ({"params_fc1024": 51_380_224}, "FC-1024"),  # without its biases
        ({"params_fc1024": 256 * 256 * 1024}, "FC-1024"),  # as a slip of the pen has it
    ],
)
def test_a_slip_costs_its_own_row_of_the_table(
    hw: Homework, values: dict[str, int], row: str
) -> None:
    assert hw.missed(TABLE, values) == {row}


def test_the_right_table_of_a_write_up_earns_all_of_it(hw: Homework) -> None:
    layers = {"conv64": 1792, "conv128": 73856, "conv256_first": 295168, "conv256_second": 590080}
    layers |= {"fc1024": 51381248, "fc100": 102500, "total": 52444644}
    values = {f"params_{layer}": number for layer, number in layers.items()}
    assert not hw.missed(TABLE, values)


def test_a_number_next_to_the_right_one_is_wrong(hw: Homework) -> None:
    values = {"params_total": 52_444_645.0, "params_fc1024": np.float32(51_381_252)}
    assert hw.missed(TABLE, values) == {"the sum of all layers", "FC-1024"}


def one_more(value: Any) -> Any:
    """Return a right value with one more at each number of it."""
    if isinstance(value, (tuple, list)):
        return type(value)(map(one_more, value))
    return "A" if isinstance(value, str) else np.asarray(value).astype(float) + 1


def test_one_more_than_each_number_earns_nothing(hw: Homework) -> None:
    def answer(right: Any) -> Any:
        return (lambda *args: one_more(right(*args))) if callable(right) else one_more(right)

    values = {name: answer(hw.names[name]) for name in hw.asked}
    for check in hw.scored:
        assert hw.earning(check.name, values, SECRETS) == set(), check.name


def twice_as_long(value: Any) -> Any:
    """Return a right value twice, one behind the other; of a text, half of it."""
    if isinstance(value, str):
        return value[: len(value) // 2]
    return value * 2 if isinstance(value, (tuple, list)) else np.array([[value]])


def test_an_answer_of_another_length_earns_nothing(hw: Homework) -> None:
    def answer(right: Any) -> Any:
        if callable(right):
            return lambda *args: twice_as_long(right(*args))
        return twice_as_long(right)

    values = {name: answer(hw.names[name]) for name in hw.asked}
    for check in hw.scored:
        assert hw.earning(check.name, values, SECRETS) == set(), check.name


def test_a_cross_correlation_by_hand_fails_where_the_kernel_is_not_symmetric_only(
    hw: Homework,
) -> None:
    turned = {"r_response": -hw.names["r_response"]}  # as it is for R
    for name in ("laplacian_response_is_right", "q_response_is_right"):
        assert not hw.missed(name, turned)
    cases = {case.name for case in hw.checks["r_response_is_right"].cases}
    assert hw.missed("r_response_is_right", turned) == cases


# Conventions: which parts count. Functions of the notebook return the parts, the first of which
# must count.

CONVENTIONS = {"params": 3, "outputs": 4, "connections": 4}


def parts(hw: Homework, counted: str, *network: int) -> list[int]:
    """Return the parts of a count, as a convention may choose among them."""
    found = list(hw.names[f"parts_of_{counted}"](*network).values())
    if counted == "outputs":
        channels, _, _, height, width = network
        found.append(channels * height * width)  # the input
    return found


@pytest.mark.parametrize("counted", CONVENTIONS)
def test_every_documented_convention_passes_and_no_other(hw: Homework, counted: str) -> None:
    for chosen in range(2 ** CONVENTIONS[counted]):

        def answer(*network: int, chosen: int = chosen) -> int:
            numbers = parts(hw, counted, *network)
            assert len(numbers) == CONVENTIONS[counted]
            return sum(n for i, n in enumerate(numbers) if chosen >> i & 1)

        missed = hw.missed(f"count_{counted}_follows_a_convention", {f"count_{counted}": answer})
        assert bool(missed) == (chosen % 2 == 0), chosen


@pytest.mark.parametrize("counted", CONVENTIONS)
def test_a_convention_may_not_change_from_network_to_network(hw: Homework, counted: str) -> None:
    calls = []

    def answer(*network: int) -> int:
        calls.append(network)
        first, second, *_ = parts(hw, counted, *network)
        return first + second * (len(calls) % 2)

    for secret in SECRETS:
        check, values = f"count_{counted}_follows_a_convention", {f"count_{counted}": answer}
        results = hw.results(check, values, secret)
        assert {result.verdict for result in results.values()} == {Verdict.FAILED}
