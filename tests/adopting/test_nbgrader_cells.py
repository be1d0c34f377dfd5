"""What becomes of nbgrader's cells."""

from collections.abc import Callable
from pathlib import Path

from autograder.adopting.adopt import Adopted
from tests.adopting.conftest import SQUARES, code, graded, markdown, solution

Draft = Callable[..., str]


def test_a_test_cell_becomes_a_check_that_asks_the_student(draft: Draft) -> None:
    text = draft(solution(SQUARES), graded('"""Three."""\nassert squares(3) == [1, 4, 9]'))
    assert (
        '@check("squares", points=1)\n'
        '@case("the tests of the cell")\n'
        "def tests(student, reference, rng):\n"
        '    """Three."""\n'
        "    assert student.squares(3) == [1, 4, 9], 'squares(3) == [1, 4, 9]'\n"
    ) in text
    assert "self_check(tests)" in text
    assert '# %% hidden=true adopted="nbgrader"' in text


def test_layout_and_comments_of_a_test_survive(draft: Draft) -> None:
    text = draft(
        solution(SQUARES),
        graded("# the first\nassert squares(\n    2,  # two\n) == [1, 4]\n# and no more"),
    )
    assert (
        "    # the first\n    assert student.squares(\n        2,  # two\n    ) == [1, 4]" in text
    )


def test_hidden_tests_are_a_hidden_check_with_all_tests_and_all_points(draft: Draft) -> None:
    hidden = "### BEGIN HIDDEN TESTS\nassert squares(2) == [1, 4]\n### END HIDDEN TESTS"
    text = draft(solution(SQUARES), graded(f"assert squares(1) == [1]\n{hidden}", points=3))
    shown, whole = text.split("def tests(")
    assert '@check("squares", points=0)\n@case("the tests of the cell")' in shown
    assert "squares(2)" not in shown
    assert '# %% hidden=true\n@check("squares", points=3)' in shown
    assert "squares(1)" in whole
    assert "squares(2)" in whole


def test_autotests_of_one_function_become_cases(draft: Draft) -> None:
    text = draft(
        solution(SQUARES),
        graded("### AUTOTEST squares(1); squares(2)\n### HASHED AUTOTEST squares(3)", points=2),
    )
    assert (
        '@check("squares", points=2, all_or_nothing=True)\n'
        "@case('squares(1)', args=(1,))\n"
        "@case('squares(2)', args=(2,))\n"
        "@case('squares(3)', args=(3,), hidden=True)\n"
    ) in text


def test_other_autotests_compare_with_the_solution(draft: Draft) -> None:
    text = draft(
        solution("### BEGIN SOLUTION\nmean = 2.5\n### END SOLUTION"),
        graded("### AUTOTEST mean\n### HASHED AUTOTEST mean + 1"),
    )
    assert "    assert_close(student.mean, reference.mean, what='mean')" in text
    assert "    assert_close(student.mean + 1, reference.mean + 1, what='mean + 1')" in text


def test_a_cell_without_regions_is_the_students_as_a_whole(draft: Draft) -> None:
    text = draft(solution("%matplotlib inline\nanswer = 42"), graded("assert answer == 42"))
    whole = "# %matplotlib inline\n### BEGIN SOLUTION\nanswer = 42\n### END SOLUTION"
    assert whole in text
    assert "assert student.answer == 42" in text


def test_a_manual_answer_keeps_its_text_and_its_mark_scheme(
    adopted: Callable[..., Adopted],
) -> None:
    scheme = "=== BEGIN MARK SCHEME ===\n2 points for n\n=== END MARK SCHEME ==="
    found = adopted(
        markdown(f"Because.\n{scheme}", grade_id="why", grade=True, solution=True, points=2),
        markdown("Because.", grade_id="why-not", grade=True, solution=True, points=1.5),
        markdown(f"Do it.\n{scheme}", grade_id="do", task=True, points=4),
        code(
            "plot = 1\n# === BEGIN MARK SCHEME ===\n# 1 for a plot\n# === END MARK SCHEME ===",
            grade_id="plot",
            grade=True,
            solution=True,
            points=1,
        ),
    )
    assert found.hindrance == ""
    text = found.path.read_text()
    assert '# %% [markdown] manual=true question="why" points=2\n# ### BEGIN SOLUTION' in text
    assert "# 2 points for n" in text
    assert 'question="why_not" points=1.5' in text
    assert "# Do it.\n\n# %% [markdown] manual=true" in text
    assert [one.cell for one in found.draft.outcomes if one.look] == [2, 3]
    assert '# %% manual=true question="plot_answer" points=1\n### BEGIN SOLUTION\nplot = 1' in text
    assert "\n# 1 for a plot\n" in text


def test_what_given_code_computes_from_an_answer_is_asked_of_the_student(draft: Draft) -> None:
    text = draft(
        code("import math\nlimits = [1, 2]"),
        solution(SQUARES),
        code("found = [squares(n) for n in limits]"),
        graded("assert len(found) == len(limits) and math.sqrt(found[1][1]) == 2"),
    )
    assert (
        "assert len(student.found) == len(limits) and math.sqrt(student.found[1][1]) == 2" in text
    )


def test_what_an_earlier_test_cell_defines_comes_along(draft: Draft) -> None:
    text = draft(
        solution(SQUARES),
        graded("from math import sqrt\nn = 2\nassert squares(n) == [1, 4]", "first"),
        graded("assert sqrt(squares(n)[-1]) == n", "second"),
    )
    second = text.split("def second(")[1]
    assert "    from math import sqrt\n    n = 2\n    assert sqrt(student.squares(n)" in second


def test_the_tests_of_a_cell_may_shadow_a_students_name(draft: Draft) -> None:
    text = draft(
        solution(SQUARES),
        graded("def right(squares):\n    return squares(1) == [1]\n\nassert right(squares)"),
    )
    assert "return squares(1) == [1]" in text
    assert "assert right(student.squares)" in text


def test_expected_errors_are_looked_at_where_they_are_raised(draft: Draft) -> None:
    text = draft(
        solution(SQUARES),
        graded(
            "try:\n    squares(0)\nexcept ValueError:\n    pass\n"
            'else:\n    raise AssertionError("did not raise")',
            "by_hand",
        ),
        graded("import pytest\nwith pytest.raises(ValueError):\n    squares(-1)", "by_block"),
        graded(
            "from nose.tools import assert_raises, assert_equal\n"
            "assert_raises(ValueError, squares, -2)\nassert_equal(squares(1), [1])",
            "by_nose",
        ),
    )
    for n in (0, -1, -2):
        assert f"assert 'ValueError' in student.apply(raised, 'squares', {n})" in text
    assert "assert student.squares(1) == [1]" in text
    assert "import assert_raises" not in text


def test_a_function_as_argument_is_made_in_the_session(draft: Draft) -> None:
    text = draft(
        solution(
            "def twice(f, x):\n    ### BEGIN SOLUTION\n    return f(f(x))\n    ### END SOLUTION"
        ),
        graded("x = 3\nassert twice(lambda n: n + 1, x) == 5"),
    )
    assert "    def call_1(notebook, x):\n        return notebook.twice(lambda n: n + 1, x)" in text
    assert "assert student.apply(call_1, x) == 5" in text


def test_sets_ranges_and_dicts_cross_by_rich_values(draft: Draft) -> None:
    text = draft(
        solution("def kinds(x):\n    ### BEGIN SOLUTION\n    return set(x)\n    ### END SOLUTION"),
        graded("assert kinds(range(2)) == {0, 1}"),
    )
    assert (
        "    student = rich_values(student)\n    assert student.kinds(range(2)) == {0, 1}" in text
    )


def test_files_beside_the_notebook_lie_in_data(
    adopted: Callable[..., Adopted], tmp_path: Path
) -> None:
    old = tmp_path / "old"
    (old / "data").mkdir(parents=True)
    (old / "numbers.csv").write_text("1,2")
    (old / "data" / "more.csv").write_text("3")
    (old / "unused.csv").write_text("4")
    found = adopted(
        markdown("See [the numbers](numbers.csv)."),
        code('text = open("numbers.csv").read() + open("data/more.csv").read()'),
        solution("def size(t):\n    ### BEGIN SOLUTION\n    return len(t)\n    ### END SOLUTION"),
        graded("assert size(text) == 4"),
    )
    assert found.hindrance == ""
    assert sorted(found.files) == ["data/more.csv", "data/numbers.csv"]
    assert "(data/numbers.csv)" in found.path.read_text()
    assert (found.path.parent / "data" / "numbers.csv").read_text() == "1,2"
