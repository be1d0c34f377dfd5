"""Test cells without a counterpart stand in the draft, hidden, with the reason."""

from collections.abc import Callable

import pytest

from autograder.adopting.adopt import Adopted
from tests.adopting.conftest import SQUARES, code, graded, solution


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("del squares\nassert True", "it deletes 'squares'"),
        ("squares = len\nassert squares([1]) == 1", "it assigns to 'squares'"),
        ("%time squares(1)\nassert squares(1)", "it has a magic line"),
        ("assert squares(1", "it is not Python"),
        ("assert 1 + 1 == 2", "it asks for nothing that students write"),
        ("points = 1 if squares(1) else 0\npoints", "it asserts nothing"),
        ("squares(1) == [1]", "it asserts nothing"),
        ("assert squares(unknown)", "it reads 'unknown', which no cell above defines"),
        ("import inspect\nassert inspect.getsource(squares)", "it looks at the student's code"),
        ("plt.plot(squares(2))\nassert plt.gca().lines", "it looks at a figure"),
        ("from unittest import mock\nassert mock.patch(squares)", "it replaces what"),
        ("assert squares(2) == [1, 5]", "the reference does not pass"),
    ],
)
def test_it_says_why(why: Callable[..., str], text: str, reason: str) -> None:
    assert reason in why(text)


def test_a_test_cell_that_is_not_rewritten_is_in_no_release(
    adopted: Callable[..., Adopted],
) -> None:
    found = adopted(
        solution(SQUARES), graded("assert squares(1) == [1]", "right"), graded("del squares")
    )
    assert found.hindrance == ""
    head, _, _ = found.path.read_text().partition("# TODO adopt: cell 3, tests, 1 point:")
    assert head.endswith("# %% hidden=true\n")


def test_a_given_cell_that_does_not_run_is_put_in_comments(
    adopted: Callable[..., Adopted],
) -> None:
    found = adopted(
        code('name = input("Your name? ")'), solution(SQUARES), graded("assert squares(1) == [1]")
    )
    assert found.hindrance == ""
    assert '#     name = input("Your name? ")' in found.path.read_text()


def test_a_cell_that_loads_an_extension_which_is_not_here_is_put_in_comments(
    adopted: Callable[..., Adopted],
) -> None:
    found = adopted(
        code("%reload_ext no_such_extension\nprint(1)"),
        solution(SQUARES),
        graded("assert squares(1) == [1]"),
    )
    assert "the extension no_such_extension is not installed" in found.draft.text
    assert "#     %reload_ext no_such_extension" in found.draft.text


def test_a_cell_that_others_need_is_what_hinders(adopted: Callable[..., Adopted]) -> None:
    found = adopted(
        code("import no_such_package"),
        code("x = no_such_package.x"),
        solution(SQUARES),
        graded("assert squares(1) == [1]"),
    )
    assert "No module named 'no_such_package'" in found.hindrance
