"""The order of a parallel run."""

from types import SimpleNamespace
from typing import Any

import pytest

from tests.ordering import longest_first


def some(**takes: float) -> Any:
    """Make tests that say how long they take; those of 0 s do not."""

    def one(name: str, seconds: float) -> SimpleNamespace:
        mark = pytest.mark.takes(seconds=seconds).mark if seconds else None
        return SimpleNamespace(name=name, get_closest_marker={"takes": mark}.get)

    return [one(*pair) for pair in takes.items()]


def names(items: Any) -> str:
    return "".join(item.name for item in items)


@pytest.mark.parametrize(
    ("workers", "order"),
    [
        (1, "DBHacefgij"),
        (2, "DacefBHgij"),  # the parts of the workers: Dacef and BHgij
        (3, "DacBefHgij"),
        (4, "DaBcHefgij"),
    ],
)
def test_each_worker_begins_with_some_of_what_takes_long(workers: int, order: str) -> None:
    items = some(a=0, B=3, c=0, D=9, e=0, f=0, g=0, H=2, i=0, j=0)
    ordered = longest_first(items, workers)
    assert sorted(map(id, ordered)) == sorted(map(id, items))
    assert names(ordered) == order


def test_more_that_takes_long_than_others_is_dealt_out_all_the_same() -> None:
    assert sorted(names(longest_first(some(A=9, B=5, C=4, D=2), 3))) == list("ABCD")
    assert names(longest_first(some(a=0, b=0), 3)) == "ab"
    assert longest_first([], 3) == []
