"""Sizes: how long the axes of arrays are that a domain promises."""

from dataclasses import dataclass
from typing import Any

from autograder.errors import SourceError

__all__ = ["SPAN", "Size", "near", "require_size", "usual_size"]

SPAN = (1, 5)  # the least and the greatest size of an axis of which nothing is said
_UNLIKE = (3, 2, 5, 4, 7, 6)  # the typical sizes of axes, one after the other


@dataclass(frozen=True)
class Size:
    """A whole number of entries along an axis, from ``low`` to ``high``.

    The typical one is none of its ends, and another one for each axis, so that axes that are
    exchanged are told apart.
    """

    low: int
    high: int
    typical: int

    @property
    def kinds(self) -> tuple[str, ...]:
        """The typical size and the two ends."""
        return tuple(dict.fromkeys(map(str, (self.typical, self.low, self.high))))

    @property
    def words(self) -> str:
        """What it may be."""
        return f"from {self.low} to {self.high}" if self.low < self.high else f"is {self.low}"


def require_size(name: str, size: Any) -> None:
    """Refuse what is no span of lengths."""
    match size:
        case (int(low), int(high)) if 0 <= low <= high and bool not in (type(low), type(high)):
            return
    raise SourceError(
        f"the size {name!r} must be two whole numbers, the least and the greatest, such as (1, 5), "
        f"got {size!r}"
    )


def usual_size(number: int, low: int, high: int) -> int:
    """Return the typical size of an axis of some number: between the ends, if anything is."""
    wanted = _UNLIKE[number % len(_UNLIKE)]
    if low < wanted < high:
        return wanted
    return low + 1 + number % (high - low - 1) if high - low > 1 else high


def near(usual: int, low: int, high: int) -> list[int]:
    """Return sizes to try in place of the usual one, those that are no ends first."""
    between = range(low + 1, high) if high - low < 20 else (low + 1, 2 * low + 1, high - 1)
    return list(dict.fromkeys([usual, *(n for n in between if low < n < high), high, low]))
