"""The imports of a helper: what it uses of those that stand around it, as lines to ship with it."""

import dis
import sys
from collections.abc import Callable
from functools import cache
from types import CodeType, ModuleType
from typing import Any

__all__ = ["imports_of"]

OURS = ("reference", "bank", "assignment", "__main__")  # packages and modules no session has


def imports_of(helper: Callable[..., Any]) -> list[str]:
    """Return a line for each name that a helper uses and that an import has brought.

    What the cells define themselves is none: a helper takes it as an argument, or has it inside.
    """
    known = getattr(helper, "__globals__", {})
    found = []
    for name in sorted(_read_around(helper.__code__)):
        value = known.get(name)
        if isinstance(value, ModuleType):
            if not _is_ours(value.__name__):
                found.append(f"import {value.__name__}{_as(value.__name__, name)}\n")
            continue
        home, own = getattr(value, "__module__", None), getattr(value, "__name__", None)
        if not isinstance(home, str) or not isinstance(own, str) or _is_ours(home):
            continue
        if getattr(sys.modules.get(home), own, None) is value and home != helper.__module__:
            found.append(f"from {home} import {own}{_as(own, name)}\n")
    return found


def _as(own: str, name: str) -> str:
    return "" if own == name else f" as {name}"


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] in OURS or module.startswith("_oracle_")


@cache
def _read_around(code: CodeType) -> frozenset[str]:
    """Return the names that code reads from around it."""
    own = {one.argval for one in dis.get_instructions(code) if one.opname == "LOAD_GLOBAL"}
    inner = (_read_around(one) for one in code.co_consts if isinstance(one, CodeType))
    return frozenset(own).union(*inner)
