"""The tests' session that is forked for each student: what one leaves there, no other finds."""

import pytest

from autograder.foreign import plan as plans
from autograder.foreign import relay
from autograder.foreign.names import is_calm
from autograder.foreign.plan import NotebookPlan, TestNames
from autograder.foreign.prepared import Prepared
from autograder.foreign.servers import Servers
from autograder.sandbox.client.unforked import UnforkedSession
from autograder.sandbox.limits import Limits
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
    return Prepared(tests, NotebookPlan(given, {}, ahead=len(given)), files or {}, 20.0)


def test_tests_are_compiled_once_for_all_forks(servers, outcomes):
    known = (
        "from autograder.foreign.inside.compiling import _compiled\n"
        "assert _compiled.cache_info().hits == 1"
    )
    sources = {"test": known, "broken": "def f(:", "else": "assert True"}
    plan = NotebookPlan((), {name: plans.TestPlan(TestNames(), 0) for name in ("test", "broken")})
    prepared = Prepared(servers._warm()[1], plan, {}, 20.0, sources)
    try:
        unknown = known.replace("== 1", "== 0")
        found = outcomes(prepared, known, known, unknown, sources["broken"])
        assert found[:3] == [None] * 3
        assert "SyntaxError" in found[3]
    finally:
        prepared.close()


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
        alone = (
            "import os\nfrom autograder.sandbox.kernel import children_of\n"
            "assert children_of(os.getppid()) == [os.getpid()]"
        )
        assert outcomes(prepared, f"import subprocess\n_ = {left}", once, alone) == [None] * 3
        assert prepared._session is second  # what it left running ended with its fork
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


# What processes share that are forked: a given cell, and a test that comes to the same each time
# only where each student's is another session.
SHARED = {
    "a file": ("f = open('data.txt')", "assert f.read() == '1'"),
    "a pipe": ("import os\nr, w = os.pipe()", "os.write(w, b'ab')\nassert os.read(r, 1) == b'a'"),
    "memory": (
        "import multiprocessing\ncount = multiprocessing.RawValue('i', 0)",
        "count.value += 1\nassert count.value == 1",
    ),
    "a file in memory": (
        "import numpy as np",
        "m = np.memmap('data.txt', mode='r+', dtype='u1')\nm[0] += 1\nassert m[0] == 50",
    ),
    "shared memory": (
        "import os",
        "assert not os.path.exists('/dev/shm/x')\nopen('/dev/shm/x', 'w').close()",
    ),
    "another folder": (
        "import os\nos.mkdir('sub')\nos.chdir('sub')",
        "assert not os.path.exists('../x')\nopen('../x', 'w').close()",
    ),
    "its number": ("import os\npid = os.getpid()", "assert os.getpid() == pid"),
    "its clock": ("import time\nc = time.process_time()", "assert time.process_time() >= c"),
    "names in texts": ("exec('limit = one()')", "assert limit == 1"),
    "a process that has ended": ("import os", "if os.getpid() != 1:\n    os._exit(9)"),
}


@pytest.mark.parametrize("what", SHARED)
def test_what_forks_share_decides_no_score(grading, what):
    cell, test = SHARED[what]
    test = scored("t", f"{test}\nassert one() == 1")
    found = grading(ONE, given(cell), test, files={"data.txt": b"1"})
    assert found.reasons == {"t": None}
    wrong = {"one": "def one():\n    return 2"}
    points = [found.points(answers) for answers in (None, None, wrong, None)]
    assert points == [{"t": 1.0}, {"t": 1.0}, {"t": 0.0}, {"t": 1.0}]


def test_only_what_imports_and_defines_is_run_ahead():
    calm = (
        "import numpy as np\nfrom os import path",
        '"""A text."""\nLIMIT: int = 3\nNAMES = ["a", ("b", -1)]\nEMPTY: list',
        "def f(x, y=1, *, z=None):\n    return open(x)\n\nasync def g(): pass",
        "class A(dict):\n    'One.'\n    most = 3\n    def f(self): return print()",
        "%matplotlib inline\nimport math",
        "half = lambda x: x / 2",
    )
    busy = (
        "import helper",
        "from . import x",
        "x = open('data.txt')",
        "def f(x=open('data.txt')): pass",
        "@register\ndef f(): pass",
        "class A:\n    f = open('data.txt')",
        "class A(make()): pass",
        "for x in y: pass",
        "%run setup.py",
        "x[0] = 1",
        "x = [y for y in z]",
        "no python",
    )
    assert [source for source in calm if not is_calm(source, {"helper"})] == []
    assert [source for source in busy if is_calm(source, {"helper"})] == []


def test_large_files_beside_the_tests_are_not_read_behind_each_student(servers):
    prepared = prepared_with(servers, "x = 1", files={"data.bin": bytes(3 << 20)})
    with prepared.forked() as fork:
        assert fork is None


def test_a_module_that_is_there_and_cannot_be_imported_stops_nothing():
    with Servers(("numpy", "tests_has_no_such_module"), Limits()) as servers:
        assert servers.isolation.is_walled
        assert "tests_has_no_such_module" not in servers.imported
        assert "numpy" in servers.imported
    expected = ["tests_has_no_such_module", "nbformat"]
    with Servers(("numpy", "msgspec"), Limits(), expected=expected) as servers:
        assert servers.isolation.is_walled
        assert "msgspec" in servers.imported
        assert servers.imported.isdisjoint(expected)
