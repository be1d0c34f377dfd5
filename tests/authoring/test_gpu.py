"""What the grader's side sees of a GPU, by a driver of ours that answers as NVIDIA's does."""

import os
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest
import torch

from autograder.authoring import gpu, memory
from autograder.authoring.gpu import held, memory_on_gpu
from autograder.authoring.memory import DRIVERS, MB, Spent, assert_memory, measured
from autograder.authoring.placement import DeviceProxy, on_device
from autograder.authoring.subject import Subject
from autograder.errors import CheckFailure, NotMeasured
from autograder.sandbox.protocol.messages import InProcessSession

X = torch.ones(1000)


@pytest.fixture
def driver(tmp_path, monkeypatch):
    """Return what writes down a program's answer and how it ends."""
    program = tmp_path / "nvidia-smi"
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    def says(text, ends=0):
        program.write_text(f"#!/bin/sh\ncat <<'END'\n{text}\nEND\nexit {ends}\n")
        program.chmod(0o755)

    return says


def test_the_memory_of_processes_is_added_up_over_the_devices(driver):
    driver("11, 300\n12, 50\n11, 20\n13, 7000")
    assert memory_on_gpu([11, 12]) == 370 * MB


@pytest.mark.parametrize("text", ["", "13, 7000", "11, [N/A]", "No devices were found", "11"])
def test_what_the_driver_does_not_tell_is_none(driver, text):
    driver(text)
    assert memory_on_gpu([11]) is None


def test_a_driver_that_fails_or_is_not_there_tells_nothing(driver, monkeypatch):
    driver("11, 300", ends=9)
    assert memory_on_gpu([11]) is None
    monkeypatch.setattr(gpu, "_ASK", ("no-such-program-here",))
    assert memory_on_gpu([11]) is None


def state_of(process):
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]


def becomes(process, stopped):
    until = time.monotonic() + 30
    while (state_of(process) == "T") != stopped:
        assert time.monotonic() < until
        time.sleep(0.001)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc, which Linux has")
def test_processes_are_held_inside_the_block_and_go_on_behind_it():
    gone = subprocess.Popen(["true"])
    gone.wait()
    sleeping = subprocess.Popen(["sleep", "300"])
    try:
        with suppress(KeyError), held([gone.pid, sleeping.pid]):
            becomes(sleeping.pid, stopped=True)
            raise KeyError
        becomes(sleeping.pid, stopped=False)
    finally:
        sleeping.kill()
        sleeping.wait()


class Elsewhere(InProcessSession):
    def processes(self):
        return (1,)


class Recorded(InProcessSession):
    def processes(self):
        return None


class Carried:
    """A function on a device that does not exist, with its own word of what it took."""

    def __init__(self, peak, kept):
        self.peak, self.kept = peak, kept

    def __call__(self, x):
        return x + 1

    def afresh(self):
        """Give back what is held: nothing."""


def on_a_gpu(said, session=Elsewhere):
    return DeviceProxy(Subject(session({"f": said})).f, "cuda", "f")


def spent(monkeypatch, said, driver=(None, None), session=Elsewhere):
    answers = iter(driver)
    monkeypatch.setattr(memory, "memory_on_gpu", lambda processes: next(answers))
    value, found = measured(on_a_gpu(said, session), X)
    assert torch.equal(value, X + 1)
    return found


def test_the_memory_of_a_gpu_is_the_word_of_the_session(monkeypatch):
    assert spent(monkeypatch, Carried(5 * MB, 3)) == Spent(5 * MB, 3)


def test_what_the_driver_counts_beyond_the_word_counts(monkeypatch):
    took = DRIVERS + 1000 * MB
    peak = took - 2 * X.nbytes - DRIVERS
    assert spent(monkeypatch, Carried(0, 0), (7 * MB, took + 7 * MB)) == Spent(peak, 0)
    assert spent(monkeypatch, Carried(5, 0), (7 * MB, DRIVERS)) == Spent(5, 0)
    assert spent(monkeypatch, Carried(5, 0), (None, took)) == Spent(5, 0)
    with pytest.raises(CheckFailure, match="at its peak, expected 20 at most"):
        assert_memory(Spent(peak, 0), peak=20 * MB)


@pytest.mark.parametrize("word", ["5", -1, None, 2.5, True])
def test_a_word_that_is_no_number_of_bytes_is_a_failure(monkeypatch, word):
    with pytest.raises(CheckFailure, match="expected a number of bytes"):
        spent(monkeypatch, Carried(word, 0))


def test_a_recording_measures_nothing(monkeypatch):
    found = spent(monkeypatch, Carried(1, 1), session=Recorded)
    assert found == Spent(None, None)
    with pytest.raises(NotMeasured):
        assert_memory(found, peak=1)


class Allocator:
    """What torch.cuda says of memory: each tensor that a function says it makes is 100 bytes."""

    def __init__(self):
        self.now = self.most = 40

    def take(self, tensors):
        self.now += 100 * tensors
        self.most = max(self.now, self.most)

    def reset(self):
        self.most = self.now


def test_a_carried_function_reads_the_allocator_around_the_call(monkeypatch):
    found, calls = Allocator(), []
    fakes = {
        "empty_cache": lambda: calls.append("empty"),
        "synchronize": lambda: calls.append("wait"),
        "reset_peak_memory_stats": found.reset,
        "memory_allocated": lambda: found.now,
        "max_memory_allocated": lambda: found.most,
    }
    for name, fake in fakes.items():
        monkeypatch.setattr(torch.cuda, name, fake)
    monkeypatch.setattr(torch.Tensor, "to", lambda self, device: self)
    square = torch.ones(2, 2)
    monkeypatch.setattr(torch, "zeros", lambda *_, device: calls.append(device) or square)

    def leaky(x):
        calls.append("work")
        found.take(5)
        found.take(-2)
        made = (x + 0)[:25]  # 100 bytes of some more
        return [made[:3], made, made[:4], {"of an argument": x.expand(1000, -1)}]

    function = on_device(Subject(InProcessSession({"f": leaky})).f, "cuda")
    assert calls == ["cuda"]  # which is woken before the first call
    function.afresh()
    assert len(function(torch.ones(100))) == 4
    assert (function.peak, function.kept) == (400, 200)
    assert calls == ["cuda", "wait", "empty", "wait", "work", "wait"]
