"""What becomes of Otter's cells."""

from collections.abc import Callable, Sequence
from typing import Any

from autograder.adopting.adopt import Adopted
from tests.adopting.conftest import code, markdown, raw


def question(answer: Sequence[Any], tests: Sequence[Any], config: str = "name: q1") -> list[Any]:
    return [
        raw(f"# BEGIN QUESTION\n{config}"),
        markdown("**Question.**"),
        raw("# BEGIN SOLUTION"),
        *answer,
        raw("# END SOLUTION"),
        *([raw("# BEGIN TESTS"), *tests, raw("# END TESTS")] if tests else []),
        raw("# END QUESTION"),
    ]


def test_marks_of_lines_and_of_blocks_become_regions(adopted: Callable[..., Adopted]) -> None:
    answer = code(
        "def double(x):\n    return 2 * x # SOLUTION\n\n"
        "# BEGIN SOLUTION NO PROMPT\nhelper = 1\n# END SOLUTION\n"
        '""" # BEGIN PROMPT\nfour = ...\n""" # END PROMPT\n'
        "four = double(2) # SOLUTION\nfive = 5 # SOLUTION NO PROMPT\nfour"
    )
    found = adopted(
        raw("# ASSIGNMENT CONFIG\ngenerate: true"),
        *question([answer], [code("assert four == 4")]),
        code('grader.check("q1")'),
    )
    assert found.hindrance == ""
    text = found.path.read_text()
    assert "    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION\n" in text
    assert "### BEGIN SOLUTION\nhelper = 1\n### END SOLUTION\n# four = ...\n" in text
    assert "### BEGIN SOLUTION\nfour = double(2)\nfive = 5\n### END SOLUTION\nfour" in text
    assert "grader.check" not in text
    assert "ASSIGNMENT CONFIG" not in text


def test_each_test_cell_is_a_check_with_its_points(adopted: Callable[..., Adopted]) -> None:
    answer = code("def double(x):\n    return 2 * x # SOLUTION")
    hidden = '""" # BEGIN TEST CONFIG\npoints: 2\nhidden: true\n""" # END TEST CONFIG\n'
    found = adopted(
        *question(
            [answer],
            [
                code(
                    "def test_one(double):\n    assert double(1) == 2\n\ntest_one(double) # IGNORE"
                ),
                code("# HIDDEN\nassert double(2) == 4"),
                code(f"{hidden}assert double(3) == 6"),
            ],
            "name: q1\npoints: 4",
        )
    )
    assert found.hindrance == ""
    assert [one.points for one in found.draft.outcomes] == [1, 1, 2]
    text = found.path.read_text()
    assert "    test_one(student.double)" in text
    assert "IGNORE" not in text
    assert text.count('@case("all tests of the cell", hidden=True)') == 2


def test_a_value_that_a_test_showed_is_wanted(adopted: Callable[..., Adopted]) -> None:
    answer = code("def double(x):\n    return 2 * x # SOLUTION")
    found = adopted(*question([answer], [code("double(4)", "8"), code("double(1) == 2")]))
    assert found.hindrance == ""
    assert "    assert student.double(4) == 8" in found.path.read_text()
    assert "    assert student.double(1) == 2" in found.path.read_text()


def test_a_manual_question_gets_a_mark_scheme_to_write(adopted: Callable[..., Adopted]) -> None:
    found = adopted(*question([markdown("Because.")], [], "name: q2\nmanual: true\npoints: 3"))
    assert found.hindrance == ""
    text = found.path.read_text()
    assert 'manual=true question="q2" points=3' in text
    assert "TODO adopt: say what earns the points." in text
    (outcome,) = found.draft.outcomes
    assert outcome.look


def test_version_0_is_read_too(adopted: Callable[..., Adopted]) -> None:
    found = adopted(
        markdown("**Question.**\n\n```\nBEGIN QUESTION\nname: q1\npoints: 2\n```"),
        code("x = 2 # SOLUTION"),
        code("## Test ##\nisinstance(x, int)", "True"),
        code("## HIDDEN TEST ##\nx", "2"),
    )
    assert found.hindrance == ""
    assert [one.points for one in found.draft.outcomes] == [1, 1]
    text = found.path.read_text()
    assert "BEGIN QUESTION" not in text
    assert "assert student.x == 2" in text
