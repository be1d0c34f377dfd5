import shutil
import sys
from types import ModuleType

import pytest

from autograder.artefacts.bundle import Cell
from autograder.artefacts.recording import FILE, dump_recording
from autograder.artefacts.results import Verdict
from autograder.authoring.checks import Check
from autograder.authoring.standard import Standard
from autograder.errors import HarnessError
from autograder.grading.oracle import load_oracle
from autograder.student.recording import record
from autograder.student.self_check import self_check

CHECK = """
import numpy as np
from autograder import assert_close, case, check

@check("f", points=1)
@case("a vector", n=3)
@case("<b>two</b> & more", n=2)
@case("secret", n=4, hidden=True)
def f_is_right(student, reference, rng, n):
    x = rng.normal(size=n)
    assert_close(student.f(x), reference.f(x))
"""
RIGHT = "def f(x):\n    return 2 * x\n"


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    oracle = load_oracle([Cell("given", 1, RIGHT + CHECK)], {}, "hw", "hw.py")
    path = tmp_path_factory.mktemp("recording") / FILE
    path.write_bytes(dump_recording(record(oracle, "hw"), {}))
    return path


@pytest.fixture
def release(recording, tmp_path, monkeypatch):
    """A folder of a release: with the recording and without the reference."""
    shutil.copy(recording, tmp_path)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A folder without a recording, and the reference imported: the author's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "reference", ModuleType("reference"))


def outcome(answer):
    """Return the self-check of a student's notebook with this answer."""
    names = {}
    exec(answer + CHECK.replace('@case("secret", n=4, hidden=True)\n', ""), names)
    return self_check(names["f_is_right"])


@pytest.mark.usefixtures("release")
def test_a_check_that_needs_a_gpu_waits_for_grading():
    names = {}
    check = CHECK.replace('@case("secret", n=4, hidden=True)\n', "")
    exec(RIGHT + check.replace("points=1", 'points=1, device="cuda"'), names)
    text = repr(self_check(names["f_is_right"]))
    assert "? a vector: runs at grading, on a machine with a GPU" in text
    assert "✗" not in text


@pytest.mark.usefixtures("release")
def test_a_right_answer_passes_against_the_recording():
    result = outcome("def f(x):\n    return x + x\n")
    assert result.passed
    assert repr(result) == (
        "f_is_right: 2 of 2 visible cases pass (1 point)\n"
        "  ✓ a vector: passes\n"
        "  ✓ <b>two</b> & more: passes"
    )


@pytest.mark.usefixtures("release")
def test_a_wrong_answer_says_how_it_differs():
    result = outcome("def f(x):\n    return 3 * x\n")
    assert not result.passed
    headline, first, second, inputs = repr(result).splitlines()
    assert headline == "f_is_right: 0 of 2 visible cases pass (1 point)"
    assert first.startswith("  ✗ a vector: value: 3 of 3 values differ; largest at ")
    assert "expected" in second
    assert inputs == "  its inputs: f_is_right.inputs('a vector')"


@pytest.mark.usefixtures("release")
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("", "f is not defined in the notebook"),
        ("def f(x):\n    raise NotImplementedError\n", "not implemented yet"),
        ("def f(x):\n    raise SystemExit\n", "SystemExit"),
        ("def f(x):\n    return ...\n", "value: not answered yet"),
    ],
)
def test_an_answer_that_is_missing_or_raises_says_so(answer, words):
    assert f"✗ a vector: {words}" in repr(outcome(answer))


LOOP = "def f(x):\n    while len(x) {}:\n        pass\n    return 2 * x\n"
SLOW = CHECK.replace("points=1", "points=1, seconds=0.1")


def timed(answer, more=""):
    """Return the self-check of a notebook whose check gives a call a tenth of a second."""
    names = {}
    exec(answer + SLOW.replace('@case("secret", n=4, hidden=True)\n', more), names)
    return self_check(names["f_is_right"])


@pytest.mark.usefixtures("release")
def test_an_endless_loop_ends_by_the_limit_on_one_call_and_the_next_case_is_run():
    result = timed(LOOP.format("== 3"))
    assert "✗ a vector: ran for more than 0.1 s" in repr(result)
    assert "✓ <b>two</b> & more: passes" in repr(result)
    assert [one.verdict for one in result.results] == [Verdict.TIMED_OUT, Verdict.PASSED]


@pytest.mark.usefixtures("release")
def test_what_ends_no_call_in_time_is_stopped_however_it_treats_errors():
    hardened = (
        "def f(x):\n    try:\n        while True:\n            pass\n"
        "    except BaseException:\n        return 2 * x\n"
    )
    assert timed(hardened).results[0].verdict is Verdict.TIMED_OUT


@pytest.mark.usefixtures("source")
def test_after_two_time_outs_the_others_are_not_run():
    result = timed(LOOP.format("> 0"), '@case("last", n=1)\n')
    assert [one.verdict for one in result.results] == [Verdict.TIMED_OUT] * 3
    assert "✗ last: not run after 2 cases that took too long" in repr(result)


@pytest.mark.usefixtures("release")
def test_a_notebook_whose_system_has_no_such_signals_is_held_to_the_limit_too(monkeypatch):
    monkeypatch.delattr("signal.setitimer")  # as on Windows
    monkeypatch.delattr("signal.SIGALRM")
    result = timed(LOOP.format("== 3"))
    assert [one.verdict for one in result.results] == [Verdict.TIMED_OUT, Verdict.PASSED]


@pytest.mark.usefixtures("release")
def test_html_is_escaped_whatever_the_student_wrote():
    result = outcome("def f(x):\n    raise ValueError('<script>alert(1)</script>')\n")
    page = result._repr_html_()
    assert "<script" not in page
    assert "<b>two" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "&lt;b&gt;two&lt;/b&gt; &amp; more" in page
    assert page.count("✗") == 2


@pytest.mark.usefixtures("release")
def test_html_of_a_right_answer_has_its_marks():
    page = outcome(RIGHT)._repr_html_()
    assert page.count("✓") == 2
    assert "<b>f_is_right: 2 of 2 visible cases pass (1 point)</b>" in page


@pytest.mark.usefixtures("release")
def test_a_question_that_the_recording_does_not_know_cannot_be_checked_here():
    names = {}
    exec(RIGHT + CHECK.replace("n=3", "n=5"), names)
    result = self_check(names["f_is_right"])
    assert "? a vector: cannot be checked here: the recording has no reply" in repr(result)
    assert not result.passed


@pytest.mark.usefixtures("release")
def test_hidden_cases_are_no_part_of_a_self_check():
    names = {}
    exec(RIGHT + CHECK, names)
    assert [r.name for r in self_check(names["f_is_right"]).results] == [
        "a vector",
        "<b>two</b> & more",
    ]


@pytest.mark.usefixtures("release")
def test_a_self_check_leaves_the_notebook_as_it_was():
    names = {}
    exec("seen = []\ndef f(x):\n    x *= 2\n    return x\n" + CHECK, names)
    before = set(names)
    assert self_check(names["f_is_right"]).passed
    assert set(names) == before


@pytest.mark.usefixtures("source")
def test_without_a_recording_the_authors_own_names_are_the_reference():
    names = {}
    exec(RIGHT + CHECK, names)
    result = self_check(names["f_is_right"])
    assert result.passed
    assert [r.name for r in result.results] == ["a vector", "<b>two</b> & more", "secret"]


def test_a_self_check_holds_to_the_standard_that_the_recording_carries(tmp_path, monkeypatch):
    oracle = load_oracle([Cell("given", 1, RIGHT + CHECK)], {}, "hw", "hw.py")
    monkeypatch.chdir(tmp_path)
    off = "def f(x):\n    return 2 * x + 1e-4\n"
    for standard, passes in ((Standard(), False), (Standard(single_at_zero=1e-3), True)):
        data = dump_recording(record(oracle, "hw"), {"f_is_right": standard})
        (tmp_path / FILE).write_bytes(data)
        assert outcome(off).passed is passes


def test_a_damaged_recording_is_said(tmp_path, monkeypatch):
    (tmp_path / FILE).write_bytes(b"{")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(HarnessError, match=r"^recording\.json is damaged"):
        outcome(RIGHT)


def test_a_recording_that_cannot_be_read_is_said(tmp_path, monkeypatch):
    (tmp_path / FILE).mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(HarnessError, match=r"^recording\.json cannot be read"):
        outcome(RIGHT)


def test_only_a_check_can_be_checked():
    with pytest.raises(TypeError, match=r"^self_check takes a check, not a str"):
        self_check("f_is_right")
    assert isinstance(Check, type)


def test_a_release_that_lost_its_recording_passes_nothing_and_says_why_once(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "reference", raising=False)
    for _ in range(3):
        result = outcome(RIGHT)
        assert not result.passed
        assert repr(result) == "f_is_right: not checked"
    said = capsys.readouterr().out
    assert said.count("recording.json.") == 1
    assert str(tmp_path) in said
