import ctypes
import dataclasses
import faulthandler
import os
import time

import msgspec
import numpy as np
import pytest

from autograder import assert_close, case, check
from autograder.artefacts.bundle import Cell, read_bundle
from autograder.artefacts.results import CaseResult, Verdict
from autograder.authoring.checks import case_rng
from autograder.errors import StudentKilled, StudentTimeout
from autograder.grading import case_runs
from autograder.grading import substitutes as module
from autograder.grading.cases import ReferenceSession, run_against, run_case
from autograder.grading.last_call import LastCall
from autograder.grading.oracle import load_bundle_oracle
from autograder.grading.runner import Grader
from autograder.grading.substitutes import ReferenceProcess, run_given, wants_given
from autograder.records.words import student_words
from autograder.sandbox.limits import Limits
from autograder.sandbox.protocol import callbacks
from autograder.sandbox.protocol.kinds import Callback, Raised
from autograder.sandbox.protocol.messages import InProcessSession
from autograder.sandbox.protocol.packed import Array, Integer, Items, Reference
from autograder.sandbox.protocol.wire import Packer, unpack

NOTE = "passes with the reference's double in place of yours"


def forever(x):
    while True:
        pass


def huge_number(x):
    return 3 ** (10**10)  # no signal of Python's interrupts this


def crash(x):
    faulthandler.disable()
    ctypes.string_at(0)


def hungry(x):
    return np.ones(module.MAX_MEMORY // 4).sum()


def custom(x):
    class OfItsOwn(LookupError):
        pass

    raise OfItsOwn("the words")


REFERENCE = {
    "double": lambda x: 2 * x,
    "large": lambda x: np.ones((module.MAX_ANSWER >> 3) + 1),
    "object": lambda x: object(),
    "wrong": lambda x: x["no"]["way"],
    "where": lambda x: os.getpid(),
    "leave": lambda x: os._exit(3),
    **{f.__name__: f for f in (forever, huge_number, crash, hungry, custom)},
}


@pytest.fixture
def reference():
    with ReferenceProcess(REFERENCE) as reference:
        yield reference


def ask(reference, name, *args, seconds=20.0):
    packer = Packer(None)
    values = [packer.pack(arg) for arg in args]
    message = Callback(name, values).with_bodies(packer.bodies)
    reply = reference.answer(message, time.monotonic() + seconds)
    if isinstance(reply, Raised):
        return reply.type, reply.text
    return unpack(reply.value, reply.bodies, None)


def test_the_reference_is_called_in_a_process_of_its_own(reference):
    assert ask(reference, "double", np.arange(3)).tolist() == [0, 2, 4]
    assert ask(reference, "where", 1) == ask(reference, "where", 1) != os.getpid()


@pytest.mark.parametrize(
    ("name", "raised", "text"),
    [
        ("wrong", "TypeError", "'int' object is not subscriptable"),
        ("hungry", "MemoryError", "Unable to allocate"),
        ("custom", "LookupError", "the words"),
        ("large", "ValueError", "large returns a value of more than 64 MB"),
        ("object", "TypeError", "returns an object of type object, which cannot be given"),
    ],
)
def test_what_it_raises_is_told_by_one_of_pythons_own_names(reference, name, raised, text):
    got = ask(reference, name, 1)
    assert got[0] == raised
    assert got[1].startswith(text)
    assert "Traceback" not in got[1]
    assert ask(reference, "double", 2) == 4


def test_a_proxy_is_no_argument(reference):
    message = Callback("double", [Reference(0, "x" * 10_000)])
    reply = reference.answer(message, time.monotonic() + 20)
    assert reply.type == "TypeError"
    assert len(reply.text) < 200


def nested(depth):
    value = None
    for _ in range(depth):
        value = Items([value], False)
    return value


@pytest.mark.parametrize(
    "value",
    [
        nested(40),
        Array("numpy", "float64", (7 << 37,), 0),
        Array("numpy", "float64", (1,), 1),
        Array("numpy", "object", (1,), 0),
        Integer("f" * 100_000),
    ],
)
def test_what_is_no_value_is_told_as_an_error(reference, value):
    message = Callback("double", [value]).with_bodies([bytearray(8)])
    reply = reference.answer(message, time.monotonic() + 20)
    assert reply.type == "Exception"
    assert ask(reference, "double", 2) == 4


def test_an_answer_that_was_not_waited_for_is_nobody_elses(reference, monkeypatch):
    def barks(self, deadline=None):
        raise TimeoutError("the watchdog's")

    assert ask(reference, "double", 1) == 2  # in a process that is not patched
    with monkeypatch.context() as patch:
        patch.setattr(module.Channel, "receive", barks)
        with pytest.raises(TimeoutError):
            ask(reference, "double", 100)
    assert ask(reference, "double", 2) == 4


@pytest.mark.parametrize("name", ["forever", "huge_number"])
def test_a_call_that_lasts_too_long_is_killed(reference, name):
    with pytest.raises(StudentTimeout, match=f"too long in the reference's {name}"):
        ask(reference, name, 1, seconds=0.3)
    assert ask(reference, "double", 2) == 4


@pytest.mark.parametrize("name", ["crash", "leave"])
def test_arguments_that_end_the_process_end_nothing_else(reference, name):
    with pytest.raises(StudentKilled, match=f"its arguments ended the reference's {name}"):
        ask(reference, name, 1)
    assert ask(reference, "double", 2) == 4


def test_nothing_is_left_of_the_process():
    before = os.listdir("/proc/self/fd")
    with ReferenceProcess(REFERENCE) as reference:
        process = ask(reference, "where", 1)
    assert not os.path.exists(f"/proc/{process}")
    assert os.listdir("/proc/self/fd") == before
    with ReferenceProcess(REFERENCE):  # that nobody asked
        pass


def names(source):
    names = {}
    exec(source, names)
    return names


RIGHT = names("def double(x):\n    return 2 * x\ndef triple(x):\n    return 3 * x")


@check("triple", points=1, given=["double"])
@case("a")
@case("b", hidden=True)
def triples(student, reference, rng):
    x = rng.normal(size=3)
    assert_close(student.triple(x), reference.triple(x))


def results(source, again=True):
    first, second = InProcessSession(names(source)), InProcessSession(names(source))

    def run(case, student):
        rng = lambda: case_rng(b"", "hw", "check", case.name)  # noqa: E731
        return run_case(triples, case, student, ReferenceSession(RIGHT), rng)

    found = {c.name: run(c, first) for c in triples.cases}
    failed = [c for c in triples.cases if wants_given(triples, found[c.name])]
    second_run = run_given(triples, failed, second, RIGHT, 5.0, lambda c: run(c, second))
    return found, {result.name: result for result in second_run}


def test_what_fails_by_a_mistake_in_the_given_function_passes_with_the_reference():
    first, second = results(
        "def double(x):\n    return x\ndef triple(x):\n    return x + double(x)"
    )
    assert {r.verdict for r in first.values()} == {Verdict.FAILED}
    for name, result in second.items():
        assert (result.verdict, result.message, result.given) == (Verdict.PASSED, NOTE, True)
        assert result.margin < 1 < first[name].margin
    assert set(second) == {"a", "b"}


@pytest.mark.parametrize(
    "source",
    [
        "def triple(x):\n    return double(x)",
        "def triple(x):\n    return 4 * x",
        "def triple(x):\n    return x + double(object())",
        "def triple(x):\n    return x + double(x, x)",
        "def triple(x):\n    return x + triple_of_x",
        "def triple(x):\n    return [double(x) for _ in range(200)]",
        "def double(x):\n    return x",
        "calls = []\ndef triple(x):\n    calls.append(1)\n    return x",
    ],
)
def test_what_is_wrong_in_itself_keeps_its_first_result(source, monkeypatch):
    monkeypatch.setattr(callbacks, "MAX_CALLBACKS", 100)
    first, second = results(source)
    assert {r.verdict for r in first.values()} <= {Verdict.FAILED, Verdict.ERRORED}
    assert second == {}


def test_what_passes_the_second_time_without_a_call_passes_by_luck():
    source = "import itertools\nturn = itertools.count()\nturns = [4, 4]\n"
    source += "def triple(x):\n    return (turns.pop() if turns else 3) * x\n"
    namespace = names(source)
    session = InProcessSession(namespace)
    namespace["turns"].clear()

    def run(case):
        rng = lambda: case_rng(b"", "hw", "check", case.name)  # noqa: E731
        return run_case(triples, case, session, ReferenceSession(RIGHT), rng)

    assert run(triples.cases[0]).verdict is Verdict.PASSED
    assert list(run_given(triples, triples.cases, session, RIGHT, 5.0, run)) == []


@check("triple", points=1, given=["double", "large", "wrong"])
@case("a", hidden=True)
def of_three(student, reference, rng):
    pass


@pytest.mark.parametrize("called", [{"double"}, {"wrong"}, {"double", "large", "wrong"}])
def test_the_note_does_not_tell_which_of_the_given_functions_were_called(called, monkeypatch):
    class Used(module.Callbacks):
        def __init__(self, *args):
            super().__init__(*args)
            self.used = called

    monkeypatch.setattr(module, "Callbacks", Used)
    passed = CaseResult("a", True, Verdict.PASSED, 0.0)
    run = lambda _: passed  # noqa: E731
    (found,) = run_given(of_three, of_three.cases, InProcessSession({}), RIGHT, 5.0, run)
    assert found.given
    assert found.message == "passes with the reference's double, large and wrong in place of yours"


def test_a_note_on_many_functions_names_none():
    many = dataclasses.replace(of_three, given=("a", "b", "c", "d"))
    said = "passes with the reference's answers to the questions before in place of yours"
    assert module.note(many) == said


def test_a_check_that_breaks_the_second_time_is_broken():
    def run(case):
        return CaseResult(case.name, case.hidden, Verdict.BROKEN, 0.0, message="ours")

    session = InProcessSession({})
    found = list(run_given(triples, triples.cases, session, RIGHT, 5.0, run))
    assert [r.verdict for r in found] == [Verdict.BROKEN] * 2


@pytest.mark.parametrize("verdict", list(Verdict))
def test_only_a_miss_of_a_check_that_is_given_something_is_run_again(verdict):
    result = CaseResult("a", False, verdict, 0.0)
    assert wants_given(triples, result) == (verdict in (Verdict.FAILED, Verdict.ERRORED))

    @check("triple", points=1)
    @case("a", hidden=True)
    def plain(student, reference, rng):
        pass

    assert not wants_given(plain, result)


# What follows is graded in sessions; `triple` is given `double`.

LIMITS = Limits(cell_seconds=2.0, call_seconds=2.0, submission_seconds=60.0)
MISTAKE = "def double(x):\n    return 2 * x + 1"
BUILT = "def triple(x):\n    return x + double(x)"


@pytest.fixture(scope="module")
def grader(bundle_path):
    bundle = read_bundle(bundle_path)
    cells = tuple(
        msgspec.structs.replace(
            c, source=c.source.replace("points=3", "points=3, given=['double']")
        )
        for c in bundle.source
    )
    bundle = msgspec.structs.replace(bundle, source=cells)
    with Grader(bundle, load_bundle_oracle(bundle), b"secret", LIMITS) as grader:
        yield grader


@pytest.fixture
def grade(grader, submit):
    def grade(triple=BUILT, double=MISTAKE, **cells):
        data = submit({"double": double, "triple": triple}, **cells)
        result = grader.grade("ada", data)
        return [check for q in result.questions for check in q.checks], result.earned

    return grade


def verdicts(check):
    return [case.verdict for case in check.cases]


PASSED, FAILED = [Verdict.PASSED] * 2, [Verdict.FAILED] * 2


@pytest.mark.parametrize(
    "double", [MISTAKE, "def double(x):\n    raise NotImplementedError", "x = 1"]
)
def test_an_earlier_mistake_costs_no_later_points(grade, double):
    (first, second), earned = grade(double=double)
    assert Verdict.PASSED not in verdicts(first)
    assert verdicts(second) == PASSED
    assert earned == 3.0
    assert [case.message for case in second.cases] == [NOTE, NOTE]
    assert all(case.margin is not None and case.margin < 1 for case in second.cases)
    words = [student_words(case, 1, None) for case in second.cases]
    assert [w.message for w in words] == [NOTE, NOTE]


def test_what_passes_by_itself_is_not_run_again(grade, monkeypatch):
    monkeypatch.setattr(case_runs, "run_given", None)
    (first, second), earned = grade(double="def double(x):\n    return 2 * x")
    assert (verdicts(first), verdicts(second), earned) == (PASSED, PASSED, 5.0)
    assert [case.message for case in second.cases] == [None, None]


@pytest.fixture
def runs(monkeypatch):
    """Return a list of what is run: check, whether the case is hidden, whether with callbacks."""
    runs = []

    def noted(oracle, check, case, student, *args, **options):
        session = student._session if isinstance(student, LastCall) else student
        runs.append((check.name, case.hidden, session._callbacks is not None))
        return run_against(oracle, check, case, student, *args, **options)

    monkeypatch.setattr(case_runs, "run_against", noted)
    return runs


def test_what_is_given_answers_behind_all_other_runs(grade, runs):
    grade()
    assert [given for *_, given in runs] == sorted(given for *_, given in runs)
    assert [r for r in runs if r[2]] == [("triple_is_right", h, True) for h in (False, True)]
    plain = [hidden for _, hidden, given in runs if not given]
    assert plain == sorted(plain)


def test_checks_are_run_again_in_their_order(bundle_path, submit, runs):
    bundle = read_bundle(bundle_path)
    (text,) = [c.source for c in bundle.source if "triple_is_right" in c.source]
    text = text.replace("points=3", "points=3, given=['double']")
    cells = [*bundle.source[:-1]]
    names = ["triple_is_right", "other", "last"]
    for number, name in enumerate(names, 5):
        cells.append(Cell("check", number, text.replace("triple_is_right", name)))
    bundle = msgspec.structs.replace(bundle, source=tuple(cells))
    with Grader(bundle, load_bundle_oracle(bundle), b"secret", LIMITS) as grader:
        grader.grade("ada", submit({"double": MISTAKE, "triple": BUILT}))
    again = [name for name, hidden, given in runs if given and not hidden]
    assert again == names


def test_each_run_finds_the_notebooks_own_state(grade):
    counting = "count = []\ndef triple(x):\n    count.append(1)\n"
    counting += "    return x + double(x) + len(count) - 1"
    (_, second), _ = grade(counting)
    # In the first run of each session alone is nothing counted.
    assert verdicts(second) == PASSED


KEEPS = """
import numpy as np
kept = "kept.npy"

def double(x):
    import os
    if os.path.exists(kept):
        return np.load(kept)
    np.save("input.npy", x)
    return x

def triple(x):
    import os
    if os.path.exists("input.npy"):
        np.save(kept, double(np.load("input.npy")))
    return x + double(x)
"""


def test_what_a_callback_told_helps_no_check_of_the_given_function(grade):
    (first, _), _ = grade(KEEPS, "x = 1")
    assert Verdict.PASSED not in verdicts(first)


HOSTILE = {
    "a million calls": "def triple(x):\n    for _ in range(10**6):\n        double(x)\n"
    "    return 3 * x + 1",
    "calls without end": "def triple(x):\n    while True:\n        try:\n            double(x)\n"
    "        except BaseException:\n            pass",
    "an object": "def triple(x):\n    return double(object())",
    "no number": "def triple(x):\n    return double({})",
    "too much memory": "def triple(x):\n    return double([[0] * 1000] * 1000)",
    "a child's call": "import os\ndef triple(x):\n    if os.fork() == 0:\n        double(x)\n"
    "        os._exit(0)\n    os.wait()\n    return x",
}


@pytest.mark.parametrize("triple", HOSTILE.values(), ids=HOSTILE)
def test_whatever_a_notebook_calls_earns_nothing_and_harms_nobody(
    grade, grader, monkeypatch, triple
):
    with monkeypatch.context() as patch:
        patch.setattr(grader, "_limits", dataclasses.replace(LIMITS, call_seconds=0.25))
        (_, second), earned = grade(triple)
    assert Verdict.PASSED not in verdicts(second)
    assert Verdict.BROKEN not in verdicts(second)
    assert earned == 0.0
    assert grade()[1] == 3.0


FORGED = """
import os, struct
from autograder.sandbox.protocol.kinds import Callback, encode

def say(message):
    for name in os.listdir("/proc/self/fd"):
        try:
            if os.readlink(f"/proc/self/fd/{name}").startswith("socket:"):
                header, _ = encode(message)
                os.write(int(name), struct.pack("<II", len(header), 0) + header)
        except OSError:
            pass

def triple(x):
    say(Callback("NAME", [1]))
    return 3 * x
"""


@pytest.mark.parametrize("name", ["double", "triple", "eval"])
def test_a_callback_without_a_call_ends_the_run(grade, name):
    (_, second), _ = grade(FORGED.replace("NAME", name))
    assert verdicts(second) == [Verdict.KILLED] * 2
    assert [c.message for c in second.cases] == ["the session answered out of turn"] * 2


LATER = """
import threading, time

def triple(x):
    def later():
        for _ in range(50):
            try:
                double(x)
            except RuntimeError:
                pass
            time.sleep(0.001)
    threading.Thread(target=later, daemon=True).start()
    return x + double(x)
"""


def test_a_thread_that_calls_on_behind_the_reply_changes_nothing(grade):
    (_, second), earned = grade(LATER)
    assert (verdicts(second), earned) == (PASSED, 3.0)


def test_threads_of_a_call_may_call(grade):
    pool = (
        "from concurrent.futures import ThreadPoolExecutor\nimport numpy as np\ndef triple(x):\n"
        "    with ThreadPoolExecutor(4) as pool:\n"
        "        return x + np.array(list(pool.map(double, x)))"
    )
    assert grade(pool)[1] == 3.0


def test_a_notebook_that_is_run_anew_for_each_check_is_given_the_same(grade):
    thread = "import threading, time\nthreading.Thread(target=time.sleep, args=(99,)).start()"
    (_, second), earned = grade(after=[thread])
    assert (verdicts(second), earned) == (PASSED, 3.0)


def test_the_count_of_calls_is_for_each_case(grade, monkeypatch):
    monkeypatch.setattr(callbacks, "MAX_CALLBACKS", 30)
    many = "def triple(x):\n    for _ in range(20):\n        double(1)\n"
    (_, second), _ = grade(many + "    return x + double(x)")
    assert verdicts(second) == PASSED
