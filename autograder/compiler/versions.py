"""The versions of what computes: numbers can differ between them."""

import platform
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
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue  # torch: a course can do without it
    return found
