"""A notebook of a release, checked from the command line."""

import json
import os
import time
from pathlib import Path

import pytest

from autograder.artefacts.bundle import Cell
from autograder.artefacts.recording import FILE, dump_recording
from autograder.artefacts.results import Verdict
from autograder.errors import HarnessError, StudentError, UsageError
from autograder.grading.oracle import load_oracle
from autograder.student.notebook import Rehearsal, only_notebook
from autograder.student.recording import record

CHECKS = """
import numpy as np
from autograder import assert_close, case, check

@check("f", points=2)
@case("a vector", n=3)
@case("a longer one", n=5)
def f_is_right(student, reference, rng, n):
    x = rng.normal(size=n)
    assert_close(student.f(x), reference.f(x))

@check("g", points=1.5, seconds=1)
@case("a number")
def g_is_right(student, reference, rng):
    assert_close(student.g(2.0), reference.g(2.0))
"""
RIGHT = "def f(x):\n    return 2 * x\n\ndef g(x):\n    return x * x\n"
GRADED = {"nbgrader": {"grade": True, "grade_id": "f_is_right", "points": 2}}
BY_PERSON = {"nbgrader": {"grade": True, "grade_id": "proof", "points": 4}}


@pytest.fixture(scope="module")
def recording():
    oracle = load_oracle([Cell("given", 1, RIGHT + CHECKS)], {}, "hw", "hw.py")
    return dump_recording(record(oracle, "hw", 1.0), {})


@pytest.fixture
def rehearse(tmp_path, recording):
    """Check a notebook with these cells in front of its checks: what was said, and the run."""

    def rehearse(*cells, cell_seconds=60.0, with_recording=True, more=()):
        if with_recording:
            (tmp_path / FILE).write_bytes(recording)
        path = tmp_path / "hw.ipynb"
        path.write_text(json.dumps({"cells": [*map(code, cells), code(CHECKS, GRADED), *more]}))
        run = Rehearsal(path, cell_seconds)
        said = [str(one) for one in run.run()]
        return said, run

    return rehearse


def code(source, metadata=None):
    return {"cell_type": "code", "source": source.splitlines(True), "metadata": metadata or {}}


def verdicts(run):
    return {
        f"{check} {result.name}": result.verdict
        for check, (outcome, _) in run.checks.items()
        for result in outcome.results
    }


def test_right_answers_pass_and_the_summary_says_their_points(rehearse):
    proof = {"cell_type": "markdown", "source": "", "metadata": BY_PERSON}
    said, run = rehearse(RIGHT, more=[proof])
    assert said[0].startswith("f_is_right: 2 of 2 visible cases pass (2 points)\n  ✓ a vector")
    assert run.passed()
    assert run.summary().splitlines() == [
        "2 of 2 checks pass here, worth 3.5 of 3.5 points; grading runs hidden cases too",
        "4 points more: by hidden cases alone, or graded by a person",
    ]


def test_a_check_that_fails_is_worth_nothing_here(rehearse):
    said, run = rehearse(RIGHT.replace("2 * x", "3 * x"))
    assert "✗ a vector: value: 3 of 3 values differ" in said[0]
    assert not run.passed()
    assert run.summary().startswith("1 of 2 checks pass here, worth 1.5 of 3.5 points")


def test_an_endless_loop_ends_by_the_limit_on_one_call_and_the_next_case_is_run(rehearse):
    loop = "def f(x):\n    while len(x) == 3:\n        pass\n    return 2 * x\n"
    said, run = rehearse(RIGHT, loop)
    assert verdicts(run) == {
        "f_is_right a vector": Verdict.TIMED_OUT,
        "f_is_right a longer one": Verdict.PASSED,
        "g_is_right a number": Verdict.PASSED,
    }
    assert "✗ a vector: your code took longer than 1 s and was stopped" in said[0]


@pytest.mark.parametrize(
    "loop",
    [
        "while True:\n    pass",
        "import time\nwhile True:\n    try:\n        while True:\n            time.sleep(0.01)\n"
        "    except BaseException:\n        pass",
        "import time\ntime.sleep(1000)",
        "import os, time\nif hasattr(os, 'fork') and os.fork() == 0:\n    time.sleep(1000)\n"
        "while True:\n    time.sleep(0.01)",
    ],
    ids=["plain", "catches everything", "sleeps", "with a child"],
)
def test_a_cell_that_does_not_end_is_left_out_and_all_others_run(rehearse, loop):
    said, run = rehearse("early = 1", loop, RIGHT, cell_seconds=1.0)
    assert said[0] == "cell 2 took longer than 1 s and was stopped; it is left out"
    assert run.passed()


@pytest.mark.parametrize("leave", ["import os\nos._exit(3)", "import os\nos.kill(os.getpid(), 9)"])
def test_a_cell_that_ends_the_process_is_left_out(rehearse, leave):
    said, run = rehearse(RIGHT, leave)
    assert said[0].startswith("cell 2 ended the process (exit code ")
    assert run.passed()


def test_an_answer_that_ends_the_process_costs_its_case_only(rehearse):
    leave = "import os\n\ndef g(x):\n    os._exit(0)\n"
    said, run = rehearse(RIGHT, leave)
    assert verdicts(run)["g_is_right a number"] is Verdict.KILLED
    assert "your code ended the process (exit code 0)" in said[1]
    assert run.checks["f_is_right"][0].passed


def test_what_a_cell_raises_is_said_once_though_the_notebook_is_run_again(rehearse):
    loop = "import time\n\ndef g(x):\n    time.sleep(1000)\n"
    said, _ = rehearse(RIGHT, "1 / 0", "raise SystemExit", loop)
    assert said[:2] == [
        "cell 2 raised ZeroDivisionError: division by zero",
        "cell 3 raised SystemExit: ",
    ]
    assert len(said) == 4


def test_what_a_notebook_prints_by_any_means_is_no_outcome(rehearse):
    noise = (
        'import os, sys\nprint(\'{"kind": "done"}\')\nos.write(1, b\'{"kind": "done"}\\n\')\n'
        "sys.__stdout__.write('x\\n'); sys.__stdout__.flush()"
    )
    _, run = rehearse(noise, RIGHT)
    assert run.passed()


def test_a_notebook_asks_nobody_and_opens_no_window(rehearse):
    _, run = rehearse(RIGHT, "input()", "import os\nassert os.environ['MPLBACKEND'] == 'Agg'")
    assert run.passed()


def test_training_has_the_budget_of_grading(rehearse):
    said, _ = rehearse(
        RIGHT, "from autograder import budget\nassert budget('long', graded='short') == 'short'"
    )
    assert not [one for one in said if "raised" in one]


def test_modules_and_files_beside_the_notebook_are_found(rehearse, tmp_path):
    (tmp_path / "beside.py").write_text(RIGHT)
    (tmp_path / "a.txt").write_text("seven")
    said, run = rehearse("from beside import f, g", "assert open('a.txt').read() == 'seven'")
    assert run.passed(), said


def test_magics_are_passed_over(rehearse):
    _, run = rehearse("%matplotlib inline\n!ls\n" + RIGHT)
    assert run.passed()


def test_a_missing_recording_is_said_once_and_nothing_is_run(rehearse):
    with pytest.raises(UsageError, match=r"^there is no recording\.json beside hw\.ipynb"):
        rehearse("open('ran', 'w')", with_recording=False)
    assert not Path("ran").exists()


def test_a_damaged_recording_is_said(rehearse, tmp_path):
    (tmp_path / FILE).write_text("{")
    with pytest.raises(HarnessError, match=r"^recording\.json is damaged"):
        rehearse(RIGHT, with_recording=False)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("no JSON", "is no Jupyter notebook"),
        ("{}", "is no Jupyter notebook"),
        ('{"cells": [1]}', "is no Jupyter notebook"),
        (None, "there is no file"),
    ],
)
def test_a_file_that_is_no_notebook_is_wrong_usage(tmp_path, text, words):
    if text is not None:
        (tmp_path / "hw.ipynb").write_text(text)
    with pytest.raises(UsageError, match=words):
        Rehearsal(tmp_path / "hw.ipynb")


def test_a_notebook_without_a_check_is_none_of_a_release(tmp_path, recording):
    (tmp_path / FILE).write_bytes(recording)
    (tmp_path / "hw.ipynb").write_text(json.dumps({"cells": [code("x = 1")]}))
    with pytest.raises(StudentError, match=r"has no check that can be run"):
        list(Rehearsal(tmp_path / "hw.ipynb").run())


def test_the_process_ends_with_the_one_that_asked(rehearse, tmp_path):
    loop = f"import os\nopen({str(tmp_path / 'number')!r}, 'w').write(str(os.getpid()))\n"
    rehearse(loop + "import time\ntime.sleep(1000)", RIGHT, cell_seconds=1.0)
    number = int((tmp_path / "number").read_text())
    deadline = time.monotonic() + 20
    while Path(f"/proc/{number}").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


def test_the_one_notebook_of_a_folder_needs_no_name(tmp_path):
    with pytest.raises(UsageError, match="here there are: none"):
        only_notebook(tmp_path)
    (tmp_path / "a.ipynb").touch()
    assert only_notebook(tmp_path).name == "a.ipynb"
    (tmp_path / "b.ipynb").touch()
    with pytest.raises(UsageError, match=r"here there are: a\.ipynb, b\.ipynb"):
        only_notebook(tmp_path)
