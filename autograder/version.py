"""The distribution that this package is installed from, and its version.

PyPI's ``autograder`` is another project, so the name to install is not the name to import.
"""

import importlib.metadata
from functools import cache

from autograder.errors import HarnessError

__all__ = ["DISTRIBUTION", "own_version", "wheel_name"]

DISTRIBUTION = "notebook-autograder"


@cache  # it is part of what every result hangs on, and costs a millisecond to look up
def own_version() -> str:
    """Return the version of this package.

    Raises:
        HarnessError: its files are here, but it was never installed.
    """
    try:
        return importlib.metadata.version(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        raise HarnessError(
            f"{DISTRIBUTION} is not installed in this Python; run: python -m pip install -e ."
        ) from None


def wheel_name(version: str) -> str:
    """Return the file name of a version's wheel."""
    return f"{DISTRIBUTION.replace('-', '_')}-{version}-py3-none-any.whl"
