"""The grammar of first lines, and how a specimen becomes a notebook."""

from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from autograder.artefacts.results import Verdict
from autograder.errors import UsageError
from autograder.redteam.specimens import (
    Earning,
    Expectation,
    Specimen,
    parse_expectation,
    read_specimens,
)
from autograder.redteam.submitting import Knowledge, names_asked_for, submit


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
    with pytest.raises(UsageError, match="no comment below the first line"):
        read_specimens(tmp_path / "forge", "forge")


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


COMPANY = """# expect: earns nothing
# Two tell each other.
shared = 1
# %% student
# The first tells.
def tell():
    return b"x"
# %% student
# The second hears.
heard = 2
"""


def test_students_who_work_together_submit_a_part_each_in_order(tmp_path: Path) -> None:
    (tmp_path / "channel").mkdir()
    (tmp_path / "channel" / "pair.py").write_text(COMPANY)
    one, two = read_specimens(tmp_path / "channel", "channel")
    assert (one.id, two.id) == ("channel/pair-1", "channel/pair-2")
    assert (one.student, two.student) == ("channel-pair-1", "channel-pair-2")
    assert one.company == two.company == "channel/pair"
    assert one.tries == "Two tell each other. The first tells."
    assert (one.tells, two.tells) == (True, False)
    assert one.cells()[1][0].endswith('shared = 1\ndef tell():\n    return b"x"')
    assert two.cells()[1][0].endswith("shared = 1\nheard = 2")


def test_a_part_that_does_not_say_what_it_tries_is_refused(tmp_path: Path) -> None:
    (tmp_path / "channel").mkdir()
    (tmp_path / "channel" / "pair.py").write_text(COMPANY.replace("# The second hears.\n", ""))
    with pytest.raises(UsageError, match="no comment"):
        read_specimens(tmp_path / "channel", "channel")


def test_the_same_code_is_submitted_as_the_same_bytes(tmp_path: Path) -> None:
    code = COMPANY.partition("def tell")[0] + "# %% student\n# Alike.\n"
    (tmp_path / "channel").mkdir()
    (tmp_path / "channel" / "twins.py").write_text(code)
    notebook, found = new_notebook(cells=[new_code_cell("x = 1")]), []
    for one in read_specimens(tmp_path / "channel", "channel"):
        folder = tmp_path / one.student / "small"
        folder.mkdir(parents=True)
        knowledge = Knowledge("small", [], [], {}, "f", "", "", "", "", 0, 0, "", "", 0, "", one.id)
        submit(one, folder, notebook, notebook, knowledge)
        found.append((folder / "small.ipynb").read_bytes())
    assert len(found) == 2
    assert found[0] == found[1]
