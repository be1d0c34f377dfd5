"""The grammar of first lines, and how a specimen becomes a notebook."""

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from autograder.grading.results import Verdict
from tests.zoo.handing_in import names_asked_for
from tests.zoo.specimens import Earning, Expectation, Specimen, parse_expectation, read_zoo


def specimen(code: str, line: str = "# expect: earns nothing") -> Specimen:
    return Specimen("forge", "thing", parse_expectation(line), "Tries.", code)


def test_a_first_line_says_what_is_earned_and_more() -> None:
    line = '# expect: earns everything but FIRST; timed_out; says "a; b" '.replace("; b", ", b")
    assert parse_expectation(line) == Expectation(
        Earning.ALL_BUT_FIRST, Verdict.TIMED_OUT, says=("a, b",)
    )


def test_a_first_line_may_forbid_words_and_ask_for_a_run_apart() -> None:
    found = parse_expectation('# expect: needs attention; never says "x"; aims at the run')
    assert found == Expectation(Earning.ATTENTION, never_says=("x",), aims_at_the_run=True)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("import os", "the first line is"),
        ("# expect: killed", "0 clauses say what it earns"),
        ("# expect: earns nothing; earns everything", "2 clauses say what it earns"),
        ("# expect: earns nothing; passed", "an unknown clause 'passed'"),
        ("# expect: earns much", "an unknown clause 'earns much'"),
    ],
)
def test_another_first_line_is_refused(line: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_expectation(line)


def test_a_specimen_that_does_not_say_what_it_tries_is_refused(tmp_path) -> None:  # type: ignore[no-untyped-def]  # a fixture
    (tmp_path / "forge").mkdir()
    (tmp_path / "forge" / "thing.py").write_text("# expect: earns nothing\nimport os\n")
    with pytest.raises(ValueError, match="no comment below the first line"):
        read_zoo(tmp_path)


def test_code_is_one_cell_behind_all_others() -> None:
    assert specimen("# expect: …\n# Tries.\nx = 1\n").cells() == (
        [],
        ["# expect: …\n# Tries.\nx = 1"],
    )


def test_marks_part_code_into_cells_in_front_and_behind() -> None:
    code = "# expect: …\n# Tries.\n# %% first\na = 1\n# %%\nb = 2\n# %%\nc = 3\n"
    assert specimen(code).cells() == (["a = 1"], ["b = 2", "c = 3"])


def test_a_specimen_may_be_files_and_choose_its_student() -> None:
    files = specimen('STUDENT = "=1+1"\n\n\ndef make(folder, notebook):\n    pass\n')
    assert files.makes_files
    assert files.student == "=1+1"
    assert not specimen("def made():\n    pass\n").makes_files
    assert not files.meddles
    assert specimen("def meddle(folder, notebook, over):\n    pass\n").meddles
    assert specimen("").student == "forge-thing"


def test_the_names_asked_for_are_those_of_the_answer_cells() -> None:
    answer = {"nbgrader": {"solution": True, "locked": False}}
    release = new_notebook(
        cells=[
            new_code_cell("def given(): ..."),
            new_code_cell("def f(): ...\nclass C: ...\nanswer = ...", metadata=answer),
        ]
    )
    assert names_asked_for(release) == (["f", "C", "answer"], ["f"])
