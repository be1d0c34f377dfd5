"""One test of many small cases: all that fail are told at once, each by its name."""

from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["require_each"]


def require_each(cases: Iterable[tuple[Any, ...]], holds: Callable[..., None]) -> None:
    """Require that a function fails for none of some cases.

    Args:
        cases: the arguments of each.
        holds: asserts something of a case.
    """
    all_cases, failed = list(cases), []
    assert all_cases, "there is no case"
    for case in all_cases:
        try:
            holds(*case)
        except Exception as error:
            failed.append(f"{', '.join(map(str, case))}: {type(error).__name__}: {error}")
    assert not failed, f"{len(failed)} of {len(all_cases)} cases fail\n" + "\n".join(failed)
