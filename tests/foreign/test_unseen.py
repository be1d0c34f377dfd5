"""Given cells without what they only show."""

import pytest

from autograder.foreign.definition import SourceCell
from autograder.foreign.servers import Servers
from autograder.foreign.unseen import with_nothing_shown
from autograder.sandbox.limits import Limits
from tests.nbgrader_courses import answer, given, scored

PLT = "import matplotlib.pyplot as plt\n"
F = SourceCell("def f(x):\n    return x", is_answer=True)
TEST = SourceCell("assert f(1) == 1", "t", is_test=True)


@pytest.fixture(scope="module")
def servers():
    """Fork servers that draw: each session would import what that takes, for a second."""
    with Servers(("numpy", "matplotlib"), Limits()) as servers:
        yield servers


def shown(*sources, test=TEST):
    """Return given cells between an answer and a test, as they are run beside the test."""
    cells = with_nothing_shown([F, *map(SourceCell, sources), test])
    assert (cells[0], cells[-1]) == (F, test)
    return [cell.source for cell in cells[1:-1]]


def test_a_figure_is_not_drawn_and_what_it_is_passed_is_computed():
    loop = "fig, ax = plt.subplots(2)\nfor k in range(3):\n    ax[k].plot(f(k), 'o', label='a')"
    assert shown(PLT + loop) == [PLT + "pass\nfor k in range(3):\n    (k, f(k))"]
    assert shown(PLT, "if f(1):\n    line, = plt.plot(f(2))\n    line.set_label(f(3))") == [
        PLT,
        "if f(1):\n    (f(2),)\n    (f(3),)",
    ]
    assert shown(PLT + "plt.rcParams['x'] = f(1)\ny = f(2)") == [PLT + "f(1)\ny = f(2)"]
    assert shown("from matplotlib.pyplot import plot\nplot(*f([1]), **f({}))") == [
        "from matplotlib.pyplot import plot\n(*f([1]), f({}))"
    ]
    drawing = PLT + "def draw(x):\n    plt.plot(x)\ndraw(f(1))\nx = 1"
    assert shown(drawing) == [drawing]


@pytest.mark.parametrize(
    "given",
    [
        "counts = plt.hist(f([1]))[0]",
        "ax = plt.gca()\nlimits = max(ax.get_xlim())",
        "for ax in plt.subplots(2)[1]:\n    ax.plot(f(1))",
        "fig = plt.figure()\ndef g():\n    return fig",
        "plt.gcf().axes[0:2].plot(f(1))",
        "with plt.ioff():\n    plt.plot(f(1))",
        "plt.plot(f(plt.gca()))",
        "x = [0]\nx[0] = plt.plot(f(1))",
        "plt.bar([1], (f(k) for k in [1]))",
    ],
)
def test_a_figure_that_may_decide_something_is_drawn(given):
    cells = [PLT + "plt.plot(f(1))", given]
    assert shown(*cells) == cells


def test_a_figure_that_a_test_may_look_at_is_drawn():
    given = PLT + "plt.plot(f(1))"
    looks = SourceCell("assert len(plt.gca().lines) == 1", "t", is_test=True)
    assert shown(given, test=looks) == [given]


def test_an_expression_at_the_end_that_nothing_can_hang_on_is_left_out():
    assert shown("f(10)", "x = 1\nf(-1, [2], k='a')", "# only a comment", "f") == [
        "",
        "x = 1",
        "# only a comment",
        "",
    ]
    kept = [
        "f(1)\ny = 2",
        "f(data)",
        "data.append(1)",
        "print(f(1))",
        "g(1)",
        "this is no Python",
        "f({[1]: 2})",
    ]
    assert shown(*kept) == kept
    assert shown("f = print", "f(1)") == ["f = print", "f(1)"]
    assert shown("%matplotlib inline") == ["%matplotlib inline"]


def test_where_a_test_finds_the_figure_after_all_it_is_drawn(grading):
    looks = "assert __import__('matplotlib.pyplot').pyplot.get_fignums() and f() == 1"
    assignment = grading(
        answer("f", "def f():\n    return 1"),
        given(PLT + "plt.plot([1], [2])"),
        scored("t", looks),
    )
    assert assignment.reasons == {"t": None}
    assert "plt.plot([1], [2])" in assignment.plan.notebooks["nb"].given[-1]
    assert assignment.points() == {"t": 1}


def test_a_given_cell_that_only_shows_is_not_run_beside_the_tests(grading):
    assignment = grading(
        answer("f", "def f(n):\n    return [n]"),
        given("f(10)"),
        given("# Try it:"),
        given(PLT + "plt.plot(f(3))\nn = 2"),
        scored("t", "assert f(n) == [2]"),
    )
    assert assignment.plan.notebooks["nb"].given == (PLT + "(f(3),)\nn = 2",)
    assert assignment.points() == {"t": 1}
    assert assignment.points({"f": "def f(n):\n    return n"}) == {"t": 0}
