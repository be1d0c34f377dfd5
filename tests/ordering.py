"""The order of a parallel run: what takes longest comes first."""

from collections.abc import Sequence

import pytest

__all__ = ["longest_first"]


def longest_first(items: Sequence[pytest.Item], workers: int) -> list[pytest.Item]:
    """Return tests in an order in which each worker begins with some of those that take long.

    A worker begins with its part of the list, as long as those of the others, and takes what
    others have not come to when it is through.

    Args:
        items: the tests in the order that was drawn for them, which stays but for the long ones.
        workers: how many there are.
    """
    heads: list[list[pytest.Item]] = [[] for _ in range(workers)]
    for item in sorted(filter(_seconds, items), key=_seconds, reverse=True):
        min(heads, key=lambda head: sum(map(_seconds, head))).append(item)
    others = [item for item in items if not _seconds(item)]
    ordered: list[pytest.Item] = []
    for number, head in enumerate(heads):
        ordered += head
        share = (len(items) - len(ordered) + len(head)) // (workers - number) - len(head)
        ordered += others[: max(share, 0)]
        del others[: max(share, 0)]
    return ordered


def _seconds(item: pytest.Item) -> float:
    """Return how long a test takes on two quiet cores, where it says so."""
    mark = item.get_closest_marker("takes")
    return mark.kwargs["seconds"] if mark is not None else 0.0
