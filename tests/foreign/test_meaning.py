"""What names of theirs mean is asked ahead, and anew as soon as anything can have changed."""

import pytest

from autograder.foreign import relay
from autograder.foreign.inside.answering import BACK
from autograder.foreign.inside.testing import ASK
from autograder.foreign.plan import TestNames
from autograder.sandbox.client.cell_runs import CodeCell
from autograder.sandbox.client.unforked import UnforkedSession
from tests.nbgrader_courses import answer, scored

NOTEBOOK = """
import numpy as np
count = 0

def step():
    global count
    count += 1
    return count

def draw():
    return np.random.rand()
"""
NAMES = TestNames(theirs=("count", "step", "draw"))


@pytest.fixture
def run(servers):
    """Return what runs cells of the tests beside a notebook: each one's error, and how often that
    was asked anything.
    """
    students, tests = servers._warm()
    cells = [CodeCell(1, NOTEBOOK), CodeCell(2, "np.random.seed(5)\ncount = 10")]
    with (
        UnforkedSession(students, cells, float("inf"), upto=1) as notebook,
        UnforkedSession(tests, [], float("inf")) as apart,
    ):
        asking = relay.Tests(apart.itself(20.0, [ASK]))
        sessions = []

        def run(*sources, upto=1):
            notebook.run_to(upto)
            theirs, asked = notebook.itself(20.0, [BACK]), []
            sessions.append(theirs)  # so that no later one has its place in memory
            exchange = theirs.exchange
            theirs.exchange = lambda message: asked.append(message) or exchange(message)
            found = [
                asking.run(source, NAMES, "<test>", theirs, 20.0, is_test=False).error
                for source in sources
            ]
            return found, len(asked)

        yield run


def test_cells_that_ask_for_nothing_share_one_answer(run):
    assert run("x = 1", "y = count", "assert (x, y) == (1, 0)") == ([None] * 3, 1)


def test_what_a_call_has_changed_is_asked_anew(run):
    assert run("a = count", "step()", "assert (a, count) == (0, 1)") == ([None] * 3, 3)


def test_what_a_cell_of_theirs_has_changed_is_asked_anew(run):
    assert run("a = count") == ([None], 1)
    assert run("assert (a, count) == (0, 10)", upto=2) == ([None], 1)


def test_their_generators_are_heard_of_once_and_ours_told_first(run):
    first, ours = "0.22199317108973948", "0.417022004702574"  # of seeds 5 and 1
    assert run("import numpy as np") == ([None], 1)
    heard = f"assert np.random.rand() == {first}"
    # Whoever has drawn since does not take over again what it has heard.
    assert run(heard, "assert np.random.rand() == 0.8707323061773764", upto=2)[0] == [None] * 2
    assert run("np.random.seed(1)", f"assert draw() == {ours}", upto=2)[0] == [None] * 2
    assert run(f"np.random.seed(1)\nassert draw() == {ours}", upto=2)[0] == [None]


@pytest.mark.parametrize(
    "said",
    [
        "{'say': 'value', 'value': {'square': np.zeros((2, 2))}}",
        "{'say': 'value', 'value': 'x' * 16_000_000}",
        "{'say': 'value', 'value': 0}",
        "{'say': 'ask', 'op': 'call', 'on': 7, 'with': (), 'named': {}}",
        "{'say': 'gone'}",
    ],
    ids=["a layout", "much", "no names", "a question", "no form"],
)
def test_a_notebook_that_lies_about_its_names_costs_its_student_alone(grading, said):
    square = "def square(x):\n    return x * x"
    pair = answer("square", square), scored("t", "assert square(3) == 9")
    found = grading(*pair, cell_seconds=2.0)  # in which a question that has no end is ended
    lying = (
        "import numpy as np\nimport autograder.foreign.inside.answering as answering\n"
        "from autograder.sandbox.protocol import wire\n"
        "wire.Packer._layout_of = lambda *_: 'upside down'\n"
        f"answering.answer = lambda namespace, request: {said}\n{square}"
    )
    result = found.grade({"square": lying})
    assert (result.fault, result.earned) == (None, 0.0)
    assert found.grade().earned == 1.0
