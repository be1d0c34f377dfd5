"""What students run at home: any console, any system."""

import json
import os
import subprocess
import sys

import pytest

from autograder.artefacts.bundle import Cell
from autograder.artefacts.recording import FILE, dump_recording
from autograder.grading.oracle import load_oracle
from autograder.student.recording import record

CHECK = """
import numpy as np
from autograder import assert_close, case, check

@check("f", points=2)
@case("naïve – ω")
def f_is_right(student, reference, rng):
    assert_close(student.f(1.0), reference.f(1.0))
"""
RIGHT = "def f(x):\n    return 2 * x\n"
# What Windows lacks, taken from this Python before anything of ours is imported.
WITHOUT_LINUX = """
import ctypes, importlib.abc, os, signal, subprocess, sys, tempfile
import numpy

class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name in ("fcntl", "resource", "pwd", "grp", "termios"):
            raise ImportError(f"no {name} here")

def load(name, *arguments, whole=ctypes.CDLL, **options):
    if name is None:
        raise TypeError("a library has a name here")
    return whole(name, *arguments, **options)

sys.meta_path.insert(0, Missing())
ctypes.CDLL = load
for name in ("SIGALRM", "SIGPROF", "setitimer", "ITIMER_REAL", "ITIMER_PROF"):
    delattr(signal, name)
for name in ("fork", "killpg", "setsid", "getuid", "geteuid", "sched_getaffinity"):
    delattr(os, name)
"""


@pytest.fixture(scope="module")
def recording():
    oracle = load_oracle([Cell("given", 1, RIGHT + CHECK)], {}, "hw", "hw.py")
    return dump_recording(record(oracle, "hw", 1.0), {})


@pytest.fixture
def check(tmp_path, recording):
    """Run `autograder check` on a notebook with these cells: its exit code and its bytes."""

    def check(*cells, **environment):
        (tmp_path / FILE).write_bytes(recording)
        made = [{"cell_type": "code", "source": cell, "metadata": {}} for cell in (*cells, CHECK)]
        (tmp_path / "hw.ipynb").write_text(json.dumps({"cells": made}))
        return subprocess.run(
            [sys.executable, "-m", "autograder", "check"],
            cwd=tmp_path,
            env={**os.environ, **environment},
            capture_output=True,
            timeout=100,
            check=False,
        )

    return check


@pytest.mark.parametrize(
    ("encoding", "case"),
    [
        ("utf-8", "✓ naïve – ω: passes"),
        ("cp1252", "ok naïve – \\u03c9: passes"),
        ("ascii", "ok na\\u00efve - \\u03c9: passes"),
    ],
)
def test_a_check_prints_on_a_console_of_any_encoding(check, encoding, case):
    done = check(RIGHT, PYTHONIOENCODING=encoding, PYTHONUTF8="0")
    assert done.returncode == 0, done.stderr
    said = done.stdout.decode(encoding).splitlines()
    assert said[:2] == ["f_is_right: 1 of 1 visible cases pass (2 points)", f"  {case}"]


def test_an_error_is_told_on_a_console_of_any_encoding(check):
    done = check("raise ValueError('ω ✗ 😀')", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 1
    assert b"cell 1 raised ValueError: \\u03c9 no \\ud83d\\ude00\n" in done.stdout


def test_a_check_needs_nothing_of_linux(check, tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(WITHOUT_LINUX)
    loop = "def f(x):\n    while True:\n        pass\n"
    done = check("import os\nassert not hasattr(os, 'fork')", RIGHT, loop, PYTHONPATH="site")
    assert done.returncode == 1, done.stderr
    said = done.stdout.decode()
    assert "cell 1 raised" not in said
    assert "your code took longer than 1 s and was stopped" in said
