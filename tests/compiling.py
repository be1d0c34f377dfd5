"""Modules are compiled before the workers of a parallel run begin."""

import compileall
import re
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from _pytest.assertion import rewrite

__all__ = ["compile_all"]

PACKAGES = ("autograder", "reference", "tests")
# Specimens and a course are no modules, and tests are compiled otherwise.
OTHERS = re.compile(r"/(submissions|course)/|/(test_\w+|conftest)\.py$")


def compile_all(config: pytest.Config, root: Path) -> None:
    """Write the bytecode of our modules, and that of tests with their assertions rewritten.

    What is compiled already, and has not changed since, stays as it is.

    Args:
        config: of the run.
        root: the folder of the packages.
    """
    if sys.dont_write_bytecode:
        return
    for package in PACKAGES:
        compileall.compile_dir(root / package, rx=OTHERS, quiet=2)
    for pattern in ("test_*.py", "conftest.py"):
        for path in sorted((root / "tests").rglob(pattern)):
            kept = rewrite.get_cache_dir(path) / f"{path.stem}{rewrite.PYC_TAIL}"
            if rewrite._read_pyc(path, kept) is None and rewrite.try_makedirs(kept.parent):
                with suppress(SyntaxError):  # told by the worker that imports it
                    stat, code = rewrite._rewrite_test(path, config)
                    rewrite._write_pyc(config.stash[rewrite.assertstate_key], code, stat, kept)
