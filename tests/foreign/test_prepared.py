"""The tests' session that is forked for each student: what one leaves there, no other finds."""

import pytest

from autograder.foreign import relay
from autograder.foreign.plan import NotebookPlan, TestNames
from autograder.foreign.prepared import Prepared
from autograder.sandbox.client.unforked import UnforkedSession
from tests.nbgrader_courses import answer, given, scored

ONE = answer("one", "def one():\n    return 1")


@pytest.fixture
def outcomes(servers):
    """Return what gives the errors of tests, each in a fork of its own, of which none asks."""
    students, _ = servers._warm()
    with UnforkedSession(students, [], float("inf")) as notebook:

        def outcomes(prepared, *sources):
            found = []
            for source in sources:
                with prepared.forked() as fork:
                    tests, theirs = relay.Tests(fork), notebook.itself(20.0)
                    found.append(tests.run(source, TestNames(), "<test>", theirs, 20.0).error)
            return found

        yield outcomes


def prepared_with(servers, *given, files=None):
    _, tests = servers._warm()
    return Prepared(tests, NotebookPlan(given, {}, ahead=len(given)), files or {}, 20.0, 64)


def test_what_a_test_does_no_other_finds_and_given_cells_run_once(servers, outcomes):
    prepared = prepared_with(
        servers,
        "import os, time\nseen, began = [], time.monotonic_ns()\nopen('log.txt', 'w').write('')",
        "open('log.txt', 'a').write('x')",
        files={"data.csv": b"1,2"},
    )
    try:
        once = "seen.append(1)\nassert seen == [1] and open('log.txt').read() == 'x'"
        assert (
            outcomes(prepared, once, once, "assert open('data.csv').read() == '1,2'") == [None] * 3
        )
        first = prepared._session
        ended, after = outcomes(prepared, "os._exit(3)", once)  # it ends its own fork
        assert "ended" in ended
        assert after is None
        assert prepared._session is first
        new = "open('new.txt', 'x').write('a')"  # and fails where it is
        assert outcomes(prepared, new, new, "open('log.txt', 'w')", once) == [None] * 4
        assert (second := prepared._session) is not first
        left = "subprocess.Popen(['/bin/sleep', '600'], start_new_session=True)"
        assert outcomes(prepared, f"import subprocess\n_ = {left}", once) == [None] * 2
        assert prepared._session is not second
    finally:
        prepared.close()


def test_where_it_cannot_be_forked_nothing_is_prepared(servers):
    thread = "import threading, time\nthreading.Thread(target=time.sleep, args=(600,)).start()"
    much = "import numpy as np\ndata = np.ones(20_000_000)"
    for cell in (thread, "import os\nos._exit(1)", much):
        prepared = prepared_with(servers, cell)
        with prepared.forked() as fork:
            assert fork is None
        with prepared.forked() as fork:
            assert fork is None
        assert prepared._session is None


def test_a_session_that_has_ended_is_begun_anew(servers, outcomes):
    prepared = prepared_with(servers, "x = 1")
    try:
        assert outcomes(prepared, "assert x == 1") == [None]
        prepared._session.close()
        with prepared.forked() as fork:
            assert fork is None
        assert outcomes(prepared, "assert x == 1") == [None]
    finally:
        prepared.close()


def test_cells_that_need_the_students_own_names_are_not_run_ahead(grading):
    found = grading(
        given("import math\nLIMIT = 5"),
        given("def below(x):\n    return x < LIMIT"),
        ONE,
        given("two = one() + 1"),
        scored("t", "assert below(one()) and two == 2"),
        given("three = 3"),
        scored("u", "assert three == 3"),
    )
    plan = found.plan.notebooks["nb"]
    assert [len(plan.given), plan.ahead] == [4, 2]
    assert found.reasons == {"t": None, "u": None}
    for right in (True, False, True):
        answers = {"one": f"def one():\n    return {1 if right else 3}"}
        assert found.points(answers) == {"t": float(right), "u": 1.0}


def test_a_thread_that_a_given_cell_starts_changes_no_score(grading):
    thread = "import threading, time\nthreading.Thread(target=time.sleep, args=(600,)).start()"
    found = grading(
        given(thread),
        given("seen = []"),
        ONE,
        scored("t", "seen.append(one())\nassert seen == [1]"),
    )
    assert found.reasons == {"t": None}
    assert [found.points() for _ in range(2)] == [{"t": 1.0}] * 2
