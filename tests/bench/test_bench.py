"""What the bench itself does; it measures nothing here."""

import json
import sys
from pathlib import Path

import pytest

from autograder import cli
from autograder.bench.answers import QUESTIONS, fill, make_class, reference
from autograder.bench.drawn import all_wrong, edited, priced_edit
from autograder.bench.driver import PARTS, Bench
from autograder.bench.measure import Failed, measure
from autograder.bench.page import BEGIN, END, figures, lines, replaced
from autograder.bench.peer_checks import HIDDEN, VISIBLE
from autograder.bench.peers import PEERS

FORKS = """
import os, time
for _ in range(2):
    if os.fork() == 0:
        while time.process_time() < 0.2:
            pass
        os._exit(0)
os.wait(), os.wait()
"""


def test_a_class_is_the_same_whenever_it_is_made():
    assert make_class(20) == make_class(20)
    assert make_class(20)[:10] == make_class(10)


def test_a_class_has_right_wrong_and_missing_answers_to_every_question():
    submissions = make_class(50)
    for question in QUESTIONS:
        answers = [one.answers.get(question) for one in submissions]
        assert {answer.right for answer in answers if answer} == {True, False}
        assert None in answers


def test_full_marks_are_fifteen_points():
    right, blank = make_class(2)
    assert sum(right.points().values()) == 15
    assert sum(blank.points().values()) == 0


def test_an_answer_goes_into_the_cell_that_defines_its_function():
    stub = "def sgd_step(w, grad, lr):\n    raise NotImplementedError"
    cells = [{"cell_type": "code", "source": text} for text in (stub, "sgd_step(1, 1, 1)", "%pwd")]
    answers = make_class(1)[0].answers
    filled = json.loads(fill(json.dumps({"cells": cells}).encode(), answers))
    sources = [cell["source"] for cell in filled["cells"]]
    assert sources == [answers["sgd_step"].source, "sgd_step(1, 1, 1)", "%pwd"]


def a_notebook(*cells: tuple[str, bool]) -> bytes:
    made = [
        {"cell_type": "code", "source": text, "metadata": {"nbgrader": {"solution": solution}}}
        for text, solution in cells
    ]
    return json.dumps({"cells": made}).encode()


def test_where_all_is_wrong_the_functions_of_the_solution_are_and_no_others():
    solution = "import numpy as np\n\ndef f(x):\n    return x\n\ndef g(x):\n    return f(x)\n"
    cells = json.loads(all_wrong(a_notebook((solution, True), ("def h():\n    1", False))))["cells"]
    names = {}
    exec(cells[0]["source"], names)
    assert names["f"](3) == names["g"]() == 0.125
    assert cells[1]["source"] == "def h():\n    1"


def test_of_a_bank_the_first_edit_with_a_price_is_taken():
    bank = """mistake("one", edit=("w - 1", "w"))
mistake("two", edit=("x * 2", "x"), costs=1)
mistake("three", edit=("x * 2", "x * 3"), costs=2)
"""
    assert list(priced_edit(bank)) == [("x * 2", "x")]
    assert list(priced_edit("mistake('one', answer=1, costs=1)")) == []


def test_a_mistake_is_an_edit_of_the_solution():
    notebook = a_notebook(("def f(x):\n    return x * 2", True), ("f(1)", False))
    cells = json.loads(edited(notebook, [("x * 2", "x"), ("not there", "")]))["cells"]
    assert [cell["source"] for cell in cells] == ["def f(x):\n    return x", "f(1)"]


def test_the_peers_have_a_check_of_every_question_with_the_reference_in_it():
    assert VISIBLE.keys() == HIDDEN.keys() == QUESTIONS.keys()
    for question, text in HIDDEN.items():
        compile("".join(reference(question, f"reference_{question}")) + text, question, "exec")
        assert f"reference_{question}" in text


def test_the_time_of_grandchildren_counts(tmp_path):
    script = tmp_path / "forks.py"
    script.write_text(FORKS)
    usage = measure(["python3", script], tmp_path, timeout=30)
    assert usage.cpu >= 0.4


def test_a_program_that_fails_is_no_figure(tmp_path):
    with pytest.raises(Failed, match="exit code 3"):
        measure(["/bin/sh", "-c", "exit 3"], tmp_path, timeout=30)


def test_what_a_notebook_prints_is_no_figure(bundle_path, submit, tmp_path):
    (tmp_path / "one.ipynb").write_bytes(submit(after=["print('well, well')"]))
    usage = measure(
        [sys.executable, "-m", "autograder.bench.baseline", bundle_path, tmp_path / "one.ipynb"],
        tmp_path,
        timeout=100,
        log=tmp_path / "log.txt",
    )
    assert json.loads(usage.output).keys() == {"cpu", "passed"}
    assert json.loads(usage.output)["passed"] == 4.0


def test_a_part_that_is_missing_leaves_its_figures_open():
    assert set(figures({}).values()) == {None}
    assert any("nbgrader is missing" in line for line in lines({"nbgrader": {"failed": "no pip"}}))


def test_ratios_say_how_many_times_ours():
    raw = {"ours": {"cpu": 0.1, "a_minute": 600}, "otter": {"cpu": 5.0, "a_minute": 6}}
    found = figures(raw)
    assert found["cpu_ratio_otter"] == pytest.approx(50)
    assert found["throughput_ratio_otter"] == pytest.approx(100)


def test_the_page_keeps_what_stands_around_the_figures():
    page = f"# Title\n{BEGIN}\nold\n{END}\nmore\n"
    assert replaced(page, "new") == f"# Title\n{BEGIN}\n\nnew\n\n{END}\nmore\n"


@pytest.fixture
def bench(monkeypatch, tmp_path, capsys):
    """Calls the command, which measures nothing here: its exit code, its parts and what it says."""
    monkeypatch.chdir(tmp_path)

    def bench(*arguments, whole=True):
        ran = []
        monkeypatch.setattr(Bench, "run", lambda self, parts: ran.extend(parts) or whole)
        code = cli.main(["bench", *arguments])
        return code, ran, "".join(capsys.readouterr())

    return bench


def test_without_the_peers_it_says_so_and_measures_the_rest(bench):
    code, ran, said = bench()
    assert (code, ran) == (0, [part for part in PARTS if part not in PEERS])
    for version in PEERS.values():
        assert f"{version} is not installed, and left out; --install-peers installs it\n" in said


def test_a_peer_that_is_installed_is_measured(bench):
    stamp = Path("build/bench/otter-env/.ready")
    stamp.parent.mkdir(parents=True)
    stamp.write_text("otter-grader==7.0.0 torch==2.13.0 numpy ipykernel")
    _, ran, said = bench("--parts", "nbgrader,otter")
    assert ran == ["otter"]
    assert "otter" not in said.partition("\n")[0]


def test_peers_are_installed_where_that_is_asked_and_never_mentioned_where_they_are_not(bench):
    assert bench("--install-peers")[1] == list(PARTS)
    _, ran, said = bench("--no-peers")
    assert "nbgrader" not in ran
    assert "not installed" not in said


def test_a_part_that_failed_wants_somebody_to_look(bench):
    assert bench(whole=False)[0] == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--parts", "hours"], "--parts hours: the parts are compile, ours, nbgrader"),
        (["--publish"], "docs/benchmarks.md has no place for the figures"),
        (["--jobs", "0"], "--jobs is a number from 1 up"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_measured(bench, arguments, words):
    code, ran, said = bench(*arguments)
    assert (code, ran) == (2, [])
    assert words in said


@pytest.mark.parametrize("sizes", ["many", "100,0", ""])
def test_sizes_are_numbers_above_0(bench, sizes, capsys):
    with pytest.raises(SystemExit) as ended:
        bench("--sizes", sizes)
    assert ended.value.code == 2
    assert f"must be numbers above 0 with commas between them, got {sizes!r}" in (
        capsys.readouterr().err
    )


def test_figures_are_published_between_the_marks_of_the_page(bench):
    page = Path("docs/benchmarks.md")
    page.parent.mkdir()
    page.write_text(f"# Benchmarks\n{BEGIN}\n{END}\n")
    assert bench("--publish")[0] == 0
    assert "| autograder alone | measured | target |" in page.read_text()
