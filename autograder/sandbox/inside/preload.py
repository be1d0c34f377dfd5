"""What notebooks and checks need is imported before they run, with what it imports late itself.

A process that is forked then has it; and no watchdog can stop an import midway, behind which a
package would be there in part.
"""

import functools
import gc
import importlib
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import chdir, contextmanager, suppress

__all__ = ["import_all", "imported_late", "keeping_all", "look_here", "without_home"]

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


@contextmanager
def without_home(prefix: str) -> Iterator[None]:
    """Have a home that is empty inside the block, and is gone behind it; work there, too.

    So what is imported there finds no settings of whoever runs this process, or where.

    Args:
        prefix: of the folder's name.
    """
    former = os.environ.get("HOME")
    with tempfile.TemporaryDirectory(prefix=prefix) as folder:
        os.environ["HOME"] = folder
        try:
            with chdir(folder):
                yield
        finally:
            del os.environ["HOME"]
            if former is not None:
                os.environ["HOME"] = former


def look_here() -> None:
    """Have matplotlib use the folders of this process, if it was imported in one that had others.

    It asks for them once, when it is imported.
    """
    if (matplotlib := sys.modules.get("matplotlib")) is None:
        return
    for name in ("get_cachedir", "get_configdir"):  # which keep what they have found
        asks = getattr(matplotlib, name)
        setattr(matplotlib, name, functools.cache(getattr(asks, "__wrapped__", asks)))
    styles = os.path.join(matplotlib.get_configdir(), "stylelib")
    for name in ("matplotlib.style", "matplotlib.style.core"):  # by its version
        if (paths := getattr(sys.modules.get(name), "USER_LIBRARY_PATHS", None)) is not None:
            paths[:] = [styles]
