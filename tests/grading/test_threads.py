"""One thread: what computes in a grader computes as in a session."""

import subprocess
import sys

import pytest

from autograder.grading import threads

USED = """
import time
import numpy as np
from autograder.grading.threads import use_one_thread
use_one_thread()
x = np.random.default_rng(0).normal(size=(700, 700))
x @ x
wall, busy = time.perf_counter(), time.process_time()
for _ in range(5):
    x @ x
print((time.process_time() - busy) / (time.perf_counter() - wall))
"""

on_linux = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="libraries are found in /proc"
)


@on_linux
def test_a_product_of_matrices_takes_one_processor():
    """More threads would take the time of several; how busy the machine is makes it less only."""
    done = subprocess.run([sys.executable, "-c", USED], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 1.2


def test_where_there_is_nothing_to_set_nothing_is_done(monkeypatch, tmp_path):
    monkeypatch.setattr(threads, "_MAPS", str(tmp_path / "nothing"))
    assert threads._libraries() == set()
    maps = tmp_path / "maps"
    maps.write_text(f"0-1 r-xp 0 0:0 0 {tmp_path}/libopenblas x.so\n2-3 rw-p 0 0:0 0 [heap]\n")
    monkeypatch.setattr(threads, "_MAPS", str(maps))
    assert threads._libraries() == {f"{tmp_path}/libopenblas x.so"}
    threads.use_one_thread()
