"""Threads: one for the libraries that compute, as in a session.

The order of a sum hangs on how many there are, and so does the time that a reference takes.
"""

import ctypes
import sys
from contextlib import suppress

__all__ = ["use_one_thread"]

_MAPS = "/proc/self/maps"
# What the builds of OpenBLAS that numpy comes with call the same function.
_SETTERS = (
    "scipy_openblas_set_num_threads64_",
    "scipy_openblas_set_num_threads",
    "openblas_set_num_threads64_",
    "openblas_set_num_threads",
)


def use_one_thread() -> None:
    """Let torch and numpy's OpenBLAS compute with one thread in this process from here on.

    Torch, where it is there; OpenBLAS on Linux, where it is what numpy uses.
    """
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_num_threads(1)
    for path in _libraries():
        with suppress(OSError):
            library = ctypes.CDLL(path)
            names = [name for name in _SETTERS if hasattr(library, name)]
            if names:
                getattr(library, names[0])(1)


def _libraries() -> set[str]:
    """Return the files of OpenBLAS that this process has loaded."""
    with suppress(OSError), open(_MAPS, encoding="utf-8", errors="replace") as file:
        paths = {line.split(maxsplit=5)[-1].rstrip("\n") for line in file if "openblas" in line}
        return {path for path in paths if path.startswith("/")}
    return set()
