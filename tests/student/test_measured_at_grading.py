"""What cannot be measured at home compares one value, says so, and fails nobody."""

import sys

import pytest

from autograder.artefacts.bundle import Cell
from autograder.artefacts.recording import FILE, dump_recording, load_recording
from autograder.grading.oracle import load_oracle
from autograder.student.recording import record
from autograder.student.self_check import self_check

CHECKS = """
import numpy as np
from autograder import assert_close, assert_fast, assert_memory, case, check, measured

@check("f", points=1)
@case("a vector", n=3)
def f_is_fast(student, reference, rng, n):
    assert_fast(student.f, reference.f, lambda: [rng.normal(size=n)], within=5)

@check("f", points=1)
@case("a vector", n=3)
def f_is_small(student, reference, rng, n):
    x = rng.normal(size=n)
    got, spent = measured(student.f, x)
    assert_close(got, reference.f(x))
    assert_memory(spent, peak=0)
"""
RIGHT = "def f(x):\n    return 2 * x\n"
WORDS = {
    "f_is_fast": "the values are right; how long it takes is measured at grading",
    "f_is_small": "the values are right; how much memory it takes is measured at grading",
}


@pytest.fixture(scope="module")
def recording():
    oracle = load_oracle([Cell("given", 1, RIGHT + CHECKS)], {}, "hw", "hw.py")
    return dump_recording(record(oracle, "hw"), {})


def test_one_call_is_recorded_however_often_it_is_timed(recording):
    replies = load_recording(recording).replies
    calls = [reply.asked for cases in replies.values() for reply in cases["a vector"]]
    assert calls == ["get f", "call"] * 2


@pytest.mark.parametrize("system", ["linux", "win32", "darwin"])
@pytest.mark.parametrize("name", WORDS)
def test_a_right_answer_waits_for_grading_on_every_system(
    name, system, recording, tmp_path, monkeypatch
):
    (tmp_path / FILE).write_bytes(recording)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "platform", system)
    names = {}
    exec(RIGHT + CHECKS, names)
    outcome = self_check(names[name])
    assert f"? a vector: {WORDS[name]}" in repr(outcome)
    assert not outcome.failed


@pytest.mark.parametrize("name", WORDS)
def test_a_wrong_answer_fails_at_once(name, recording, tmp_path, monkeypatch):
    (tmp_path / FILE).write_bytes(recording)
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(RIGHT.replace("2", "3") + CHECKS, names)
    outcome = self_check(names[name])
    assert "✗ a vector: value: 3 of 3 values differ" in repr(outcome)
    assert outcome.failed
