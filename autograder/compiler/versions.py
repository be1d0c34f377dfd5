"""The versions of what computes: numbers can differ between them."""

import platform
from importlib.metadata import PackageNotFoundError, version

__all__ = ["PRELOADABLE", "versions"]

COMPUTING = ("numpy", "torch")
PRELOADABLE = (*COMPUTING, "matplotlib")


def versions() -> dict[str, str]:
    """Return the versions that a recording's numbers can depend on."""
    found = {"python": ".".join(platform.python_version_tuple()[:2])}
    for package in ("autograder", *COMPUTING):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue  # torch: a course can do without it
    return found
