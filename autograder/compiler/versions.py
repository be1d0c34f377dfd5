"""The versions of what computes: numbers can differ between them."""

import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from autograder.version import own_version

__all__ = ["COMPUTING", "PRELOADABLE", "versions"]

COMPUTING = ("numpy", "torch")
PRELOADABLE = (*COMPUTING, "matplotlib")


def versions() -> dict[str, str]:
    """Return the versions that a recording's numbers can depend on."""
    python = ".".join(platform.python_version_tuple()[:2])
    found = {"python": python, "autograder": own_version()}
    for package in COMPUTING:
        if (installed := _installed(package)) is not None:  # torch: a course can do without it
            found[package] = installed
    return found


@cache
def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
