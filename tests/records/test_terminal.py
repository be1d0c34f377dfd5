import io

import msgspec
import pytest
from rich.console import Console

from autograder.artefacts.grades import grade_of
from autograder.records.terminal import class_table


@pytest.fixture
def show(make):
    """Prints the table of a class as a terminal of some width would."""

    def draw(results, manifest=make.manifest, width=80):
        console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
        grades = {s: grade_of(manifest, s, result) for s, result in results.items()}
        console.print(class_table(manifest, grades, width))
        return console.file.getvalue()

    return draw


@pytest.fixture
def many(make):
    """An assignment of thirty questions."""
    (sgd, *_) = make.manifest.questions
    entries = [
        msgspec.structs.replace(sgd, id=f"q{n}", title=f"{n}. Question") for n in range(1, 31)
    ]
    return msgspec.structs.replace(make.manifest, questions=tuple(entries))


def test_each_question_has_a_column_with_its_points(show, make):
    results = {"bo": make.result("bo", make.sgd(earned=1.5)), "ada": make.result()}
    lines = [line.split() for line in show(results).splitlines()]
    assert ["1.1", "1.2", "2", "earned"] in lines
    assert ["student", "/4", "/6", "/5", "/15", "status"] in lines
    assert lines.index(["ada", "4", "6", "–", "10", "pending"]) < lines.index(
        ["bo", "1.5", "!", "!", "1.5", "needs", "attention"]
    )


def test_too_many_questions_become_one_column(show, make, many):
    questions = [
        msgspec.structs.replace(make.sgd(earned=4.0 * (n % 3 > 0)), id=f"q{n}")
        for n in range(1, 31)
    ]
    drawn = show({"ada": make.result("ada", *questions)}, many)
    assert "passed" in drawn
    assert "20/30" in drawn
    assert max(map(len, drawn.splitlines())) <= 80


def test_a_long_name_is_cut_and_the_table_fits(show, make):
    drawn = show({"n" * 200: make.result("n" * 200)})
    assert "…" in drawn
    assert max(map(len, drawn.splitlines())) <= 80


def test_a_name_neither_styles_nor_steers_the_terminal(show, make):
    drawn = show({name: make.result(name) for name in ["[red]ada[/]\x1b[2J\u202e"]})
    assert "[red]ada[/]" in drawn
    assert "\x1b" not in drawn
    assert "\u202e" not in drawn


def test_what_could_not_be_graded_shows_no_zero(show, make):
    lines = [line.split() for line in show({"ada": make.unreadable()}).splitlines()]
    assert ["ada", "!", "!", "!", "!", "needs", "attention"] in lines


def test_an_empty_class_has_a_table(show):
    assert "student" in show({})
