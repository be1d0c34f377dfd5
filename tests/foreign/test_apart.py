"""Tests of nbgrader's in a session of their own: right answers pass, and none decides its score."""

import pytest

from autograder.sandbox.limits import Limits
from tests.each import require_each
from tests.nbgrader_courses import answer, given, scored

SQUARE = "def square(x):\n    return x * x"

# What a test may do with what a notebook defines: the source, and the test that must harden.
HARDENED = {
    "a function": (SQUARE, "assert square(3) == 9"),
    "its keywords": ("def f(a, *, b=2):\n    return a * b", "assert f(2, b=5) == 10"),
    "an error": (
        "def f(x):\n    raise ValueError('below 0')",
        "try:\n    f(-1)\nexcept ValueError as error:\n    assert 'below' in str(error)\n"
        "else:\n    assert False",
    ),
    "an error of its own class": (
        "class Empty(Exception):\n    pass\n\ndef f():\n    raise Empty('nothing')",
        "try:\n    f()\nexcept Empty as error:\n    assert str(error) == 'nothing'\n"
        "else:\n    assert False",
    ),
    "a value": ("total = 3 + 4", "assert total == 7"),
    "an array": (
        "import numpy as np\ndef f(n):\n    return np.arange(n) / 2",
        "import numpy as np\nassert np.allclose(f(3), [0, .5, 1]) and f(3).dtype == np.float64",
    ),
    "a set, a range and a dict with numbers for keys": (
        "def f():\n    return {1, 2}, range(3), {1: 'a', (2, 3): None}",
        "assert f() == ({1, 2}, range(3), {1: 'a', (2, 3): None})",
    ),
    "a class": (
        "class Stack:\n    def __init__(self):\n        self.items = []\n"
        "    def push(self, x):\n        self.items.append(x)\n"
        "    def pop(self):\n        return self.items.pop()\n"
        "    def __len__(self):\n        return len(self.items)",
        "s = Stack()\ns.push(1)\ns.push(2)\nassert len(s) == 2 and s.pop() == 2\n"
        "assert isinstance(s, Stack) and s.items == [1]",
    ),
    "arithmetic of a class": (
        "class V:\n    def __init__(self, x):\n        self.x = x\n"
        "    def __add__(self, other):\n        return V(self.x + other.x)",
        "assert (V(1) + V(2)).x == 3",
    ),
    "a class of a library's": (
        "from collections import UserDict\nclass Bag(UserDict):\n    pass\n"
        "def make():\n    b = Bag()\n    b['x'] = 1\n    return b",
        "from collections import UserDict\nb = make()\n"
        "assert isinstance(b, UserDict) and isinstance(b, Bag) and b['x'] == 1",
    ),
    "a generator": (
        "def count(n):\n    for i in range(n):\n        yield i",
        "assert list(count(4)) == [0, 1, 2, 3]\nassert next(count(2)) == 0",
    ),
    "a function that takes one": (
        "def twice(f, x):\n    return f(f(x))",
        "calls = []\ndef inc(x):\n    calls.append(x)\n    return x + 1\n"
        "assert twice(inc, 1) == 3 and calls == [1, 2]\n"
        "assert twice(lambda s: s + 'a', '') == 'aa'",
    ),
    "a function that returns one": (
        "def adder(n):\n    return lambda x: x + n",
        "assert adder(2)(3) == 5",
    ),
    "a test's function that calls the notebook's": (
        f"{SQUARE}\n\ndef apply(f, x):\n    return f(x)",
        "assert apply(lambda x: square(x) + 1, 3) == 10\nassert apply(square, 4) == 16",
    ),
    "arguments that are changed": (
        "def fill(xs, d, a):\n    xs.append(1)\n    d['k'] = xs\n    a[0] = 7",
        "import numpy as np\nxs, d, a = [], {}, np.zeros(2)\nfill(xs, d, a)\n"
        "assert xs == [1] and d == {'k': [1]} and a[0] == 7",
    ),
    "what it prints": (
        "def hello():\n    print('Hello')",
        "import io, contextlib\nout = io.StringIO()\nwith contextlib.redirect_stdout(out):\n"
        "    hello()\nassert out.getvalue() == 'Hello\\n'",
    ),
    "random numbers": (
        "import random\nimport numpy as np\n"
        "def draw():\n    return random.random(), np.random.rand()",
        "import random\nimport numpy as np\nrandom.seed(1)\nnp.random.seed(1)\n"
        "assert draw() == (0.13436424411240122, 0.417022004702574)\n"
        "np.random.seed(1)\nassert np.random.rand() == 0.417022004702574",
    ),
    "a name that the test takes away": (
        f"{SQUARE}\n\ndef both(x):\n    return square(x) + 1",
        "keep = square\ndel square\ntry:\n    both(1)\nexcept NameError:\n    pass\n"
        "else:\n    raise AssertionError('it does not use square')\nfinally:\n    square = keep\n"
        "assert both(2) == 5",
    ),
    "a name that the test replaces": (
        f"{SQUARE}\n\ndef both(x):\n    return square(x) + 1",
        "square = lambda x: 100\nassert both(1) == 101",
    ),
    "what it counts": (
        "count = 0\ndef step():\n    global count\n    count += 1",
        "step()\nstep()\nassert count == 2",
    ),
    "its documentation and parameters": (
        "def f(a, b=3):\n    'Adds.'\n    return a + b",
        "import inspect\nassert f.__doc__ == 'Adds.' and f.__name__ == 'f'\n"
        "assert str(inspect.signature(f)) == '(a, b=3)'",
    ),
    "dates and fractions": (
        "import datetime\nfrom fractions import Fraction\n"
        "def f():\n    return datetime.date(2024, 2, 29), Fraction(1, 3)",
        "import datetime\nfrom fractions import Fraction\n"
        "assert f() == (datetime.date(2024, 2, 29), Fraction(1, 3))",
    ),
    "polynomials": (
        "import numpy as np\ndef f(p):\n    return p.deriv()\ndef halve(p):\n    p.coef /= 2",
        "import numpy as np\nP = np.polynomial.Polynomial\np = P([4.0, 3.0, 2.0])\n"
        "assert f(p) == P([3.0, 4.0]) and f(p).coef[1] == 4\n"
        "assert halve(p) is None and list(p.coef) == [2.0, 1.5, 1.0]",
    ),
}


def in_one(grading, pairs):
    """Make one assignment of pairs of a solution and a test, each as a question of its own."""
    cells = [(answer(f"{what}: f", f), scored(what, test)) for what, (f, test) in pairs.items()]
    return grading(*(cell for pair in cells for cell in pair))


def test_what_a_test_does_is_hardened(grading):
    found = in_one(grading, HARDENED)
    assert found.reasons == dict.fromkeys(HARDENED, None)
    assert found.points() == dict.fromkeys(HARDENED, 1.0)
    wrong = {f"{what}: f": "pass" for what in HARDENED}
    assert found.points(wrong) == dict.fromkeys(HARDENED, 0.0)


RIGHT = {
    "a subclass of a list": (
        "def f():\n    return [1]",
        "assert f() == [1]",
        "class L(list):\n    pass\ndef f():\n    return L([1])",
    ),
    "a defaultdict": (
        "def f():\n    return {'a': 1}",
        "assert f() == {'a': 1}",
        "from collections import defaultdict\ndef f():\n    d = defaultdict(lambda: 0)\n"
        "    d['a'] += 1\n    return d",
    ),
    "a generator": (
        "def f():\n    return [1, 2]",
        "assert list(f()) == [1, 2]",
        "def f():\n    yield 1\n    yield 2",
    ),
    "one that adds in place": (
        "class V:\n    def __init__(self, x):\n        self.x = x\n"
        "    def __add__(self, o):\n        return V(self.x + o.x)",
        "v = V(1)\nv += V(2)\nassert v.x == 3",
        "class V:\n    def __init__(self, x):\n        self.x = x\n"
        "    def __iadd__(self, o):\n        self.x += o.x\n        return self",
    ),
    "an error of its own, below the one that is expected": (
        "class Bank(Exception):\n    pass\ndef f():\n    raise Bank('no')",
        "try:\n    f()\nexcept Bank:\n    pass\nelse:\n    assert False",
        "class Bank(Exception):\n    pass\nclass Empty(Bank):\n    pass\n"
        "def f():\n    raise Empty('no')",
    ),
    "an error of two kinds": (
        "def f():\n    raise ValueError",
        "try:\n    f()\nexcept ValueError:\n    pass\nelse:\n    assert False",
        "class E(ArithmeticError, ValueError):\n    pass\ndef f():\n    raise E",
    ),
    "one that returns its argument": (
        "def f(xs):\n    xs.append(1)\n    return xs",
        "xs = []\nassert f(xs) is xs",
        "def f(xs):\n    xs += [1]\n    return xs",
    ),
}


def test_right_answers_of_another_kind_pass(grading):
    found = in_one(grading, {what: (f, test) for what, (f, test, _) in RIGHT.items()})
    assert found.reasons == dict.fromkeys(RIGHT, None)
    others = {f"{what}: f": other for what, (_, _, other) in RIGHT.items()}
    assert found.points(others) == dict.fromkeys(RIGHT, 1.0)


# Wrong answers that pass where something is lost, or taken over, on the way to the test.
WRONG = {
    "rows that are one": (
        "def grid(n):\n    return [[0] * n for _ in range(n)]",
        "g = grid(2)\ng[0][0] = 1\nassert g == [[1, 0], [0, 0]]",
        "def grid(n):\n    return [[0] * n] * n",
    ),
    "no copy": (
        "def copy(xs):\n    return list(xs)",
        "a = [1]\nb = copy(a)\nb.append(2)\nassert a == [1]",
        "def copy(xs):\n    return xs",
    ),
    "a generator of the tests that is set": (
        "def square(x):\n    return x * x",
        "import random\nassert all(square(x) == x * x for x in [random.randint(2, 99)] * 3)",
        "import random\ndef square(x):\n    random.setstate((3, (0,) * 624 + (624,), None))\n"
        "    return 0",
    ),
    "a refusal that is caught": (
        "def square(x):\n    return x * x",
        "score = 1\ntry:\n    if square(3) != 9:\n        score = 0\n"
        "except Exception:\n    pass\nscore",
        "class Other:\n    pass\ndef square(x):\n    return Other()",
    ),
    "an end that is caught": (
        "def f():\n    raise ValueError",
        "try:\n    f()\nexcept:\n    pass\nelse:\n    assert False",
        "import os\ndef f():\n    os._exit(0)",
    ),
    "a name that both have": (
        "n = 3\ndef square(x):\n    return x * x",
        "n = 3\ngot = square(n)\nassert got == n ** 2",
        "n = 3\ndef square(x):\n    globals()['n'] = 0\n    return 0",
    ),
}


def test_what_is_wrong_stays_wrong(grading):
    def holds(what):
        solution, test, wrong = WRONG[what]
        found = grading(answer("f", solution), scored("t", test))
        assert found.reasons == {"t": None}
        assert found.points() == {"t": 1.0}
        assert found.points({"f": wrong}) == {"t": 0.0}

    require_each([(what,) for what in WRONG], holds)


# Tests that find out nothing by themselves, and so run beside the student's code.
BESIDE = {
    "it reads code": (
        "import inspect\nassert 'sum(' not in inspect.getsource(f)",
        "something else",
    ),
    "it reads compiled code": ("assert 'sum' not in f.__code__.co_names", "something else"),
    "it hides what is Python's own": (
        "def sum(*args):\n    raise AssertionError('no sum')\nassert f([1, 2]) == 3",
        "another meaning to sum",
    ),
    "it patches a module": (
        "import math\nkeep = math.fsum\nmath.fsum = None\nassert f([1, 2]) == 3\nmath.fsum = keep",
        "it changes math",
    ),
    "it is slow by itself": (
        "for i in range(20_000):\n    assert f([i]) == i",
        "more than a third of the limit",
    ),
}
ADDING = "def f(xs):\n    total = 0\n    for x in xs:\n        total += x\n    return total"


def test_a_test_that_would_find_out_nothing_by_itself_runs_beside_the_code(grading):
    def holds(what):
        test, reason = BESIDE[what]
        found = grading(answer("f", ADDING), scored("t", test), cell_seconds=3.0)
        assert reason in found.reasons["t"]
        result = found.grade()
        assert result.earned == 1.0
        assert result.questions[0].checks[0].cases[0].forgeable is True

    require_each([(what,) for what in BESIDE], holds)


def test_what_needs_a_test_beside_the_code_runs_there_too(grading):
    found = grading(
        answer("f", ADDING),
        scored("t", "import inspect\ndef want(xs):\n    return f(xs)\nassert inspect.getsource(f)"),
        scored("u", "assert f([1, 2]) == want([1, 2])"),
        scored("v", "assert f([1, 2]) == 3"),
    )
    assert found.reasons["v"] is None
    assert "it shares want with a test" in found.reasons["u"]
    assert found.points() == {"t": 1.0, "u": 1.0, "v": 1.0}


def test_what_a_test_beside_the_code_needs_is_no_secret_of_another(grading):
    found = grading(
        answer("f", ADDING),
        scored("t", "want = 3\nassert f([1, 2]) == want"),
        scored("u", "import inspect\nassert inspect.getsource(f) and f([3]) == want"),
        scored("v", "got = f([4])\nassert got == 4"),
        scored("w", "got = f([5])\nassert 'def' in inspect.getsource(f) and got == 5"),
    )
    assert found.reasons["v"] is None  # its own `got` is nobody else's
    assert "it shares want with a test" in found.reasons["t"]
    assert found.points() == {"t": 1.0, "u": 1.0, "v": 1.0, "w": 1.0}


def test_a_notebook_that_forgets_its_names_is_called_back_none_the_less(grading):
    found = grading(
        answer("a", "def apply(f):\n    return f(1)"),
        scored("t", "assert apply(lambda x: x + 1) == 2"),
        answer("b", "get_ipython().run_line_magic('reset', '-f')\ndef again(f):\n    return f(2)"),
        scored("u", "assert again(lambda x: x + 1) == 3"),
        scored("v", "assert again(lambda x: x - 1) == 1"),
    )
    assert found.reasons == dict.fromkeys("tuv")
    assert found.points() == dict.fromkeys("tuv", 1)


def test_a_notebook_that_ended_between_two_tests_is_run_again(grading):
    code = "def f():\n    return 1"
    ending = (
        "import os, threading, time\n"
        "def end():\n    time.sleep(0.2)\n    os._exit(0)\n"
        "def f():\n    threading.Thread(target=end).start()\n    return 1"
    )
    wait = "import time\nassert f() == 1\ntime.sleep(0.7)"
    found = grading(answer("a", code), scored("t", wait), scored("u", "assert f() == 1"))
    assert found.points({"a": ending}) == {"t": 1, "u": 1}


def test_a_loop_costs_its_tests_and_no_other(grading):
    found = grading(
        answer("f", ADDING),
        answer("g", "def g():\n    return 1"),
        scored("t", "assert f([1]) == 1"),
        scored("u", "assert g() == 1"),
        cell_seconds=1.5,
    )
    result = found.grade({"f": "def f(xs):\n    while True:\n        pass"})
    assert {q.id: q.earned for q in result.questions} == {"t": 0.0, "u": 1.0}
    case = result.questions[0].checks[0].cases[0]
    assert (case.verdict, case.message) == ("timed_out", "ran for more than 1.5 s")
    assert result.fault is None


def test_time_that_is_used_up_costs_what_is_left(grading):
    found = grading(
        answer("f", ADDING),
        *(scored(name, "assert f([1]) == 1") for name in "tuvw"),
        cell_seconds=1.0,
    )
    found.grader.limits = Limits(submission_seconds=2.0)
    result = found.grade({"f": "def f(xs):\n    while True:\n        pass"})
    assert result.fault is None
    assert {q.checks[0].cases[0].verdict for q in result.questions} == {"timed_out"}


def test_an_object_that_cannot_be_shown_breaks_nothing(grading):
    shown = (
        "class C:\n    n = 1\n    def __repr__(self):\n        return 'C'\ndef f():\n    return C()"
    )
    found = grading(answer("f", shown), scored("t", "s = f()\nassert s.n == 1, s"))
    for how in ("raise ValueError", "return 5", "import os; os._exit(1)"):
        wrong = (
            f"class C:\n    n = 2\n    def __repr__(self):\n        {how}\ndef f():\n    return C()"
        )
        result = found.grade({"f": wrong})
        assert result.fault is None
        assert result.earned == 0.0


# What forges its score with nbgrader; the tests below are those of an honest function.
FORGED = {
    "an object that equals all": (
        "class All:\n    def __eq__(self, other):\n        return True\n"
        "def square(x):\n    return All()"
    ),
    "an object whose arithmetic comes to nothing": (
        "class Zero:\n    def __sub__(self, other):\n        return 0\n"
        "    def __rsub__(self, other):\n        return 0\n"
        "    def __abs__(self):\n        return 0\ndef square(x):\n    return Zero()"
    ),
    "an object that says all is well": (
        "class Fine:\n    def all(self):\n        return True\n"
        "    def __array__(self, *args, **kw):\n        import numpy as np\n"
        "        return np.array(9)\n    def __getattr__(self, name):\n"
        "        return lambda *a: True\ndef square(x):\n    return Fine()"
    ),
    "patched comparisons": (
        "import numpy as np\nnp.allclose = np.isclose = lambda *a, **k: np.bool_(True)\n"
        "np.testing.assert_allclose = lambda *a, **k: None\ndef square(x):\n    return 0"
    ),
    "a patched shell": (
        "shell = get_ipython()\nshell.run_cell = lambda *a, **k: None\n"
        "empty = {'visit': lambda self, node: node.__class__([], [])}\n"
        "shell.ast_transformers.append(type('T', (), empty)())\n"
        "def square(x):\n    return 0"
    ),
    "another assert_equal": "def check(got, want):\n    pass\ndef square(x):\n    return 0",
    "builtins": (
        "import builtins\nbuiltins.abs = lambda x: 0\nbuiltins.isinstance = lambda *a: True\n"
        "def square(x):\n    return 0"
    ),
    "frames": (
        "import sys, gc\ndef square(x):\n    frame = sys._getframe()\n    while frame:\n"
        "        for value in frame.f_globals.values():\n"
        "            if isinstance(value, str) and 'assert' in value:\n                return 9\n"
        "        frame = frame.f_back\n"
        "    found = [o for o in gc.get_objects() if isinstance(o, str) and 'HIDDEN' in o]\n"
        "    return 9 if found else 0"
    ),
    "the end of the process": "import os\ndef square(x):\n    os._exit(0)",
    "an error that ends a cell quietly": "def square(x):\n    raise SystemExit(0)",
    "another interpreter of names": (
        "def square(x):\n    globals()['want'] = 0\n    return 0\nwant = 0"
    ),
    "an answer that binds names of the tests": (
        "def square(x):\n    names = {'want': 0, 'got': 9, 'check': {'$own': 0}, 'np': 0}\n"
        "    return _autograder_back({'say': 'value', 'value': 0, 'names': names,\n"
        "                             'lost': ['check', 'want'], 'changed': {'0': 0}})"
    ),
    "an answer of no form": (
        "def square(x):\n    return _autograder_back({'say': 'value', 'value': {'$frame': 1}})"
    ),
    "a question to the tests": (
        "def square(x):\n    ask = {'say': 'ask', 'op': 'get', 'on': 0, 'with': ['__globals__'],\n"
        "           'named': {}}\n    return _autograder_back(ask)['value']"
    ),
}
TESTS = (
    given("import numpy as np\ndef check(got, want):\n    assert got == want"),
    answer("square", SQUARE),
    scored("equal", "assert square(3) == 9"),
    scored("near", "assert abs(square(3) - 9) < 1e-9"),
    scored("numpy", "assert np.allclose(square(3), 9)\nnp.testing.assert_allclose(square(2), 4)"),
    scored("helper", "check(square(3), 9)"),
    scored("named", "want = 9\ngot = square(3)\nassert isinstance(got, int) and got == want"),
)


@pytest.fixture(scope="module")
def honest(servers):
    from tests.foreign.conftest import Grading

    found = Grading(servers, *TESTS)
    yield found
    found.grader.close()


def test_an_honest_answer_earns_all(honest):
    assert set(honest.reasons.values()) == {None}
    assert sum(honest.points().values()) == 5.0


@pytest.mark.parametrize("how", FORGED)
def test_a_forged_score_earns_nothing(honest, how):
    assert sum(honest.points({"square": FORGED[how]}).values()) == 0.0


def test_a_message_says_what_was_compared(honest):
    result = honest.grade({"square": FORGED["an object that equals all"]})
    case = result.questions[0].checks[0].cases[0]
    assert case.verdict == "failed"
    assert "returned an object of type All, where a value is compared (line 1" in case.message


def test_an_error_tells_where_the_students_code_raised(honest):
    result = honest.grade({"square": "def square(x):\n    return x / 0"})
    case = result.questions[0].checks[0].cases[0]
    assert case.verdict == "errored"
    assert case.place == "cell 2, line 2"
    assert case.message.startswith("ZeroDivisionError: division by zero (line 1 of the test)")


# What a student's side may say of an exception, where it is patched to say what it likes.
SAID = {
    "a line that is an object": "'SyntaxError', 'args': ['m', ('f', {'$object': {'number': 0, "
    "'kind': 'object', 'type': 'X', 'can': []}}, 1, 't')], 'place': ''",
    "a line that is a list": "'SyntaxError', 'args': ['', (None, [1], 1, 't')], 'place': ''",
    "a long place": "'ValueError', 'args': [], 'place': 'p' * 1_048_200",
    "a long name": "'ValueError', 'args': [], 'place': '', 'class': {'$object': {'number': 1, "
    "'kind': 'class', 'name': 'n' * 1_048_000, 'error': ['ValueError'], 'type': 'type'}}",
}


@pytest.mark.parametrize("what", SAID)
def test_what_is_said_of_an_exception_is_the_students_fault(honest, what):
    said = f"{{'say': 'raised', 'text': '', 'type': {SAID[what]}}}"
    patch = (
        "import autograder.foreign.inside.answering as answering\n"
        f"answering.answer = lambda namespace, request: {said}\n{SQUARE}"
    )
    result = honest.grade({"square": patch})
    assert result.fault is None
    assert result.earned == 0.0
