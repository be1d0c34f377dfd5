"""Readiness: whether a student's notebook has what it needs, and what to do where it has not.

The first cell of every release asks here. Whatever is missing is said once, not by each check.
"""

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from autograder.authoring.budget import GRADING
from autograder.errors import HarnessError, UsageError
from autograder.version import DISTRIBUTION, own_version, wheel_name

__all__ = ["advice", "look", "tell_missing"]

_told: set[Path] = set()  # which missing files this process has spoken of


def advice(version: str) -> str:
    """Return how to install the package that a release was made with."""
    return (
        f"Run this in a new cell, restart the kernel, and delete the cell:\n"
        f"    %pip install ./{wheel_name(version)}\n"
        "The file came with this notebook; in Colab, first upload it and recording.json (Files).\n"
        "If nbgrader fetched the notebook, the file is elsewhere, and this finds it:\n"
        "    %pip install -r requirements.txt\n"
        "Where pip says that it is installed already, another package has replaced its files:\n"
        f"    %pip install --force-reinstall --no-deps ./{wheel_name(version)}"
    )


def look(version: str, python: str, files: Sequence[str]) -> None:
    """Look for what a release needs, in a student's Jupyter; where it is graded, do nothing.

    Args:
        version: of the package that the release was made with.
        python: that grading runs: "3.11".
        files: that belong beside the notebook.

    Raises:
        UsageError: the package that is installed here is too old, or too new; says what to do.
    """
    if os.environ.get(GRADING):
        return
    try:
        installed = own_version()
    except HarnessError:
        installed = "no version that pip knows of"
    if not _fits(installed, version):
        raise UsageError(
            f"this notebook needs {DISTRIBUTION} {version}; here is {installed}. {advice(version)}"
        )
    here = ".".join(map(str, sys.version_info[:2]))
    if here != python:
        print(f"Grading runs Python {python}, here it is {here}: use only what both have.")
    tell_missing(*files)


def tell_missing(*files: str) -> bool:
    """Say which files are not beside the notebook, unless it was said; return whether any is."""
    here = Path.cwd()
    missing = [file for file in files if not (here / file).exists()]
    if new := [file for file in missing if here / file not in _told]:
        _told.update(here / file for file in new)
        print(
            f"Not in this notebook's folder ({here}): {', '.join(new)}. Put there what came with "
            "the notebook; in Colab, upload it (Files, on the left). Without recording.json no "
            "check can say whether an answer is right."
        )
    return bool(missing)


def _fits(installed: str, needed: str) -> bool:
    """Return whether a version can read a release: not older than its own, nor of a later era."""
    have, want = _numbers(installed), _numbers(needed)
    return have[:1] == want[:1] and have >= want


def _numbers(version: str) -> tuple[int, ...]:
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, found[0].split("."))) if found else ()
