"""What notebooks and checks need is imported before they run, with what it imports late itself.

A process that is forked then has it; and no watchdog can stop an import midway, behind which a
package would be there in part.
"""

import gc
import importlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

__all__ = ["import_all", "imported_late", "keeping_all"]

# What a module imports when it is first used, and every process would import anew.
_LATE = {
    "numpy": ("numpy.ma", "numpy.testing"),  # by their first use
    "torch": ("torch._dynamo",),  # by the first optimizer: 1.2 s
    "matplotlib": ("matplotlib.pyplot", "matplotlib.backends.backend_agg"),  # by a figure
}


def imported_late(names: Iterable[str]) -> list[str]:
    """Return what some modules will import when they are used."""
    return [late for name in names for late in _LATE.get(name, ())]


def import_all(names: Iterable[str]) -> None:
    """Import modules, and what they would import late.

    Raises:
        ImportError: one of them is not there.
    """
    with keeping_all():
        for name in names:
            importlib.import_module(name)
        for late in imported_late(names):
            with suppress(ImportError):
                importlib.import_module(late)


@contextmanager
def keeping_all() -> Iterator[None]:
    """Look for no garbage inside the block: an import leaves little, and takes a sixth less."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
