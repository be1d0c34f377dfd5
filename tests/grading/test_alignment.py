import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.artefacts.release import FIRST_CELL, FIRST_LINE
from autograder.grading.additions import Budget
from autograder.grading.alignment import align, differs, is_answer, is_check, is_manual
from autograder.grading.student_cells import StudentCell


def given(grade_id, source, make=new_code_cell, **marks):
    cell = make(source, id=grade_id)
    cell.metadata["nbgrader"] = {"grade_id": grade_id, "locked": True, **marks}
    return cell


ANSWER = {"locked": False, "solution": True}
RELEASE = new_notebook(
    cells=[
        given("setup", "import numpy"),
        given("one", "stub 1", **ANSWER),
        given("check", "self_check(one)", grade=True),
        given("two", "stub 2", **ANSWER),
        given("proof", "Prove it.", new_markdown_cell, grade=True, **ANSWER),
    ]
)


def cell(number, source, grade_id=None, type_="code"):
    return StudentCell(number, type_, source, grade_id=grade_id)


def aligned(*cells):
    found = align(cells, RELEASE, Budget())
    return found, {grade_id: c.number for grade_id, c in found.anchored.items()}


def test_an_id_counts_before_a_text_and_a_text_before_a_place():
    found, numbers = aligned(
        cell(1, "import numpy"),
        cell(2, "stub 1"),
        cell(3, "edited", "one"),
        cell(4, "self_check(one)", "check"),
        cell(5, "two is answered"),
    )
    assert numbers["setup"] == 1
    assert numbers["one"] == 3
    assert [c.number for c in found.anchored["setup"].following] == [2]


def test_an_answer_that_lost_its_id_is_known_by_its_place():
    found, numbers = aligned(
        cell(1, "import numpy", "setup"),
        cell(2, "answer"),
        cell(3, "self_check(one)", "check"),
    )
    assert numbers["one"] == 2
    assert "cell 2 stands where one is missing; taken for it" in found.notes


def test_a_place_with_more_cells_than_answers_says_nothing():
    _, numbers = aligned(
        cell(1, "import numpy", "setup"),
        cell(2, "answer"),
        cell(3, "or this one"),
        cell(4, "self_check(one)", "check"),
    )
    assert "one" not in numbers


def test_an_id_of_another_assignment_says_nothing():
    found, numbers = aligned(cell(1, "import numpy", "other"))
    assert numbers == {"setup": 1}
    assert found.anchored["setup"].grade_id is None


FIRST = f"{FIRST_LINE}\n_look()"
LATER = [("self_check(one)", "check"), ("stub 2", "two"), ("Prove it.", "proof")]


@pytest.mark.parametrize("grade_id", [FIRST_CELL, None, "of_another_assignment"])
def test_the_cell_in_front_of_a_release_is_the_students_own_and_no_answer(grade_id):
    behind = [cell(3 + i, *one) for i, one in enumerate(LATER)]
    found, numbers = aligned(cell(1, FIRST, grade_id), cell(2, "answer"), *behind)
    assert "setup" not in numbers  # it was not there
    assert numbers["one"] == 2
    assert [c.source for c in found.leading] == [FIRST]
    assert list(found.strays()) == []
    assert [n for n in found.notes if FIRST_CELL in n] == []


@pytest.mark.parametrize("source", [None, FIRST, f"{FIRST}\nedited = 1"])
def test_a_release_without_the_cell_in_front_and_an_edited_one_are_not_worth_a_note(source):
    first = [] if source is None else [cell(1, source, FIRST_CELL)]
    whole = [("import numpy", "setup"), ("answer", "one"), *LATER]
    found, numbers = aligned(*first, *(cell(2 + i, *one) for i, one in enumerate(whole)))
    assert len(numbers) == len(whole)
    assert found.notes == []


def test_of_several_cells_with_one_id_the_unchanged_given_one_counts():
    _, numbers = aligned(cell(1, "edited", "setup"), cell(2, "import numpy", "setup"))
    assert numbers["setup"] == 2


def test_of_several_answers_the_first_is_anchored_and_the_others_follow():
    found, numbers = aligned(cell(1, "a", "one"), cell(2, "b", "one"))
    assert numbers["one"] == 1
    assert [c.number for c in found.anchored["one"].following] == [2]
    assert found.notes[0] == "cell 2 is a copy of one; the last one counts"


def test_every_cell_is_anchored_leads_follows_or_is_noted():
    cells = [
        cell(1, "own"),
        cell(2, "import numpy", "setup"),
        cell(3, "own too"),
        cell(4, "self_check(one)", "check"),
        cell(5, "self_check(one)", "check"),
        cell(6, "text", type_="markdown"),
    ]
    found, numbers = aligned(*cells)
    placed = [c.number for c in found.leading] + list(numbers.values())
    placed += [c.number for a in found.anchored.values() for c in a.following]
    left_out = "cell 5 is a copy of the given cell check; left out"
    assert sorted(placed) == [1, 2, 3, 4, 6]
    assert left_out in found.notes


@pytest.mark.parametrize(
    ("a", "b", "different"),
    [
        ("x = 1", "x = 1  ", False),
        ("x = 1\n\n", "\nx = 1", False),
        ("x = 1\r\ny", "x = 1\ny", False),
        ("x = 1", "x = 2", True),
        ("x = 1", "x  = 1", True),
        ("if x:\n    y", "if x:\n  y", True),
        ("", "x", True),
    ],
)
def test_white_space_counts_only_inside_a_line(a, b, different):
    assert differs(a, b) == different


def test_the_release_says_what_a_cell_is():
    kinds = {c.id: (is_answer(c), is_check(c), is_manual(c)) for c in RELEASE.cells}
    assert kinds == {
        "setup": (False, False, False),
        "one": (True, False, False),
        "check": (False, True, False),
        "two": (True, False, False),
        "proof": (True, False, True),
    }
