"""The smallest inputs that fail: found when all verdicts are fixed, on which nothing else hangs."""

import msgspec
import numpy as np
import pytest

from autograder.artefacts.bundle import Cell, pack_bundle, read_bundle
from autograder.artefacts.results import Verdict, dump_result, load_result
from autograder.compiler.manifest import cases_of
from autograder.errors import HarnessError
from autograder.grading import runner, smallest
from autograder.grading.last_call import LastCall
from autograder.grading.oracle import load_bundle_oracle, load_oracle
from autograder.grading.runner import Grader
from autograder.sandbox.limits import Limits

LIMITS = Limits(cell_seconds=20, call_seconds=10, submission_seconds=120)
IMPORT = (
    "from autograder import arrays, assert_close, assert_that, check, domain, matches_reference"
)
DOUBLE = """\
double_is_right = matches_reference(
    "double", points=2, x=arrays("n m"), sizes={"n": (1, 6), "m": (2, 6)}, name="double_is_right"
)
"""
TRIPLE = DOUBLE.replace("double", "triple").replace(
    "points=2", 'points=3, reveal=True, given=["double"]'
)
WRONG_AT_ZERO = "def {}(x):\n    return {} * x + 1.0 * (x == 0)"
ANSWERS = {
    "double": "def double(x):\n    return 2 * x",
    "triple": "def triple(x):\n    return 3 * x",
}


@pytest.fixture(scope="module")
def bundle(bundle_content, tmp_path_factory):
    """The tiny assignment with a domain for each of its checks; that of `triple` reveals."""
    manifest, cells, release, reference = bundle_content
    texts = {1: IMPORT, 3: DOUBLE, 4: TRIPLE}
    cells = tuple(
        Cell(one.kind, one.number, texts.get(i, one.source)) for i, one in enumerate(cells)
    )
    checks = load_oracle(cells, reference, "tiny", "tiny.py").checks
    questions = tuple(
        msgspec.structs.replace(
            question,
            checks=tuple(
                msgspec.structs.replace(entry, cases=cases_of(checks[entry.name]))
                for entry in question.checks
            ),
        )
        for question in manifest.questions
    )
    manifest = msgspec.structs.replace(manifest, questions=questions)
    path = tmp_path_factory.mktemp("bundle") / "tiny.bundle"
    path.write_bytes(pack_bundle(manifest, cells, release, reference))
    return read_bundle(path)


@pytest.fixture(scope="module")
def grader(bundle):
    with Grader(bundle, load_bundle_oracle(bundle), b"secret", LIMITS) as grader:
        yield grader


@pytest.fixture
def patient(monkeypatch):
    """As much time as is wanted: this machine may be busy with other tests."""
    for name in ("SECONDS", "ALL_SECONDS", "AGAIN_SECONDS", "CALL_SECONDS"):
        monkeypatch.setattr(smallest, name, 60.0)


@pytest.fixture
def grade(grader, submit):
    def grade(before=(), after=(), **answers):
        answers = ANSWERS | answers
        return grader.grade("ada", submit(answers, before, after), lambda: "2026-11-20T02:10:40Z")

    return grade


def cases(result, question):
    return [c for q in result.questions if q.id == question for k in q.checks for c in k.cases]


def kept(result):
    """The smallest inputs of a result, by question, and whether they are revealed."""
    return {
        question.id: (case.smallest, case.revealed is True)
        for question in result.questions
        for case in cases(result, question.id)
        if case.smallest is not msgspec.UNSET
    }


def fixed(result):
    """All of a result but the smallest inputs, and how long cases took."""
    table = msgspec.to_builtins(result)
    for question in table["questions"]:
        for check in question["checks"]:
            for case in check["cases"]:
                for key in ("seconds", "smallest", "revealed"):
                    case.pop(key, None)
    return table


def test_a_hidden_case_is_kept_with_its_smallest_inputs_and_revealed_where_the_check_says(
    patient, grade
):
    wrong = {name: WRONG_AT_ZERO.format(name, n) for name, n in (("double", 2), ("triple", 3))}
    result = grade(**wrong)
    assert kept(result) == {
        "double": ("double(np.array([[0.0, 0.0]]))", False),
        "triple": ("triple(np.array([[0.0, 0.0]]))", True),
    }
    for question in wrong:
        assert {c.verdict for c in cases(result, question)} == {Verdict.PASSED, Verdict.FAILED}
        (case,) = [c for c in cases(result, question) if c.smallest is not msgspec.UNSET]
        assert case.hidden
        assert case.call is msgspec.UNSET
        assert case.verdict is Verdict.FAILED
    assert load_result(dump_result(result)) == result


def test_a_visible_case_is_kept_with_smaller_inputs_where_its_call_is_long(patient, grade):
    result = grade(double="def double(x):\n    return 2 * x + (x.shape[0] > 2)")
    visible = [c for c in cases(result, "double") if not c.hidden and c.verdict != "passed"]
    assert visible
    ((text, revealed),) = kept(result).values()
    assert not revealed, "what is visible needs no leave"
    x = eval(text, {"np": np, "double": lambda x: x})
    np.testing.assert_array_equal(x, np.ones((3, 2)))
    assert text in [case.smallest for case in visible]


@pytest.mark.parametrize(
    "answer", [ANSWERS["double"], "def double(x):\n    raise NotImplementedError"]
)
def test_what_passes_or_is_not_answered_has_none(grade, answer):
    result = grade(double=answer)
    assert kept(result) == {}
    assert b"smallest" not in dump_result(result)


DEADLY = ["os._exit(0)", "os.kill(os.getpid(), 9)", "time.sleep(1000)", "bytearray(2**50)"]
NASTY = [
    *DEADLY,
    "os.kill(os.getppid(), 9)",
    "raise SystemExit",
    "raise KeyError('nothing')",
    "return [x] * 100_000",
    "return object()",
    "return 'x' * 2**20",
    "[os.fork() for _ in range(5)]",
]


ASKED_AGAIN = """\
import os, time
asked = []

def double(x):
    asked.append(x)
    if os.path.exists("done") and len(asked) > {after}:
        {what}
    return 2 * x + 1.0 * (x == 0)
"""


def leave_a_mark(notebook):
    open("done", "w").close()


@pytest.mark.parametrize("after", [0, 2])
@pytest.mark.parametrize("what", NASTY)
def test_code_that_acts_up_when_nothing_counts_any_more_changes_nothing(
    monkeypatch, grade, what, after
):
    """It may know, as it sees inputs that are simple: here a file tells it."""
    find, answer = smallest.find_smallest, ASKED_AGAIN.format(what=what, after=after)

    def told(oracle, runs, notebook, *args):
        with notebook.check() as session:
            session.apply(leave_a_mark, (), {})
        find(oracle, runs, notebook, *args)

    monkeypatch.setattr(runner, "find_smallest", lambda *_: None)
    expected = grade(double=answer)
    assert expected.earned < 5.0
    monkeypatch.setattr(runner, "find_smallest", told)
    result = grade(double=answer)
    assert fixed(result) == fixed(expected)
    if after == 0 and what in DEADLY:
        assert kept(result) == {}, "it did act up"
    assert grade().earned == 5.0, "the next submission is graded as ever"


def test_a_fault_of_our_own_there_changes_nothing_either(monkeypatch, grader, grade):
    def fail(*_):
        raise HarnessError("the fork server is gone")

    wrong = WRONG_AT_ZERO.format("double", 2)
    expected, server = grade(double=wrong), grader._fork_server
    assert kept(expected)
    with monkeypatch.context() as patch:
        patch.setattr(runner, "find_smallest", fail)
        result = grade(double=wrong)
    assert (fixed(result), kept(result)) == (fixed(expected), {})
    assert grade(double=wrong).fault is None
    assert grader._fork_server is not server, "whatever was wrong with it"


@pytest.mark.parametrize("begin", ["if", "while"])
def test_a_reference_that_cannot_take_a_simpler_input_stops_nothing(
    patient, monkeypatch, bundle, submit, begin
):
    """Here ones, which no case has: it raises, or never ends, also when it is put to the test."""
    then = {"if": "raise ValueError", "while": "pass"}[begin]
    double = f"def double(x):\n    {begin} (x == 1).all():\n        {then}\n    return 2 * x"
    if begin == "while":
        monkeypatch.setattr(smallest, "CALL_SECONDS", 0.5)
        monkeypatch.setattr(runner, "RERUN_SECONDS", 60.0)
    reference = bundle.reference["reference/multiples.py"].replace(
        "def double(x):\n    return 2 * x", double
    )
    changed = msgspec.structs.replace(
        bundle, reference={**bundle.reference, "reference/multiples.py": reference}
    )
    answers = ANSWERS | {"double": "def double(x):\n    return 3 * x"}
    with Grader(changed, load_bundle_oracle(changed), b"secret", LIMITS) as grader:
        result = grader.grade("ada", submit(answers), lambda: "2026-11-20T02:10:40Z")
    assert result.fault is None
    assert {c.verdict for c in cases(result, "double")} == {Verdict.FAILED, Verdict.PASSED}
    ((text, _),) = kept(result).values()
    x = eval(text, {"np": np, "double": lambda x: x})
    assert not (x == 1).all()
    assert (x != 0).any(), "those are doubled and trebled alike"


UNSOUND = """\
@check("double", points=2, pure=True)
@domain(x=arrays("n m"), sizes={"n": (1, 6), "m": (2, 6)})
def double_is_right(student, reference, rng, x):
    got = student.double(x)
    assert_that(got.shape == x.shape and not (x == 1).all(), "the shape of x")
"""


def test_no_input_is_kept_on_which_the_check_fails_the_reference_too(patient, bundle, submit):
    source = [
        Cell(c.kind, c.number, UNSOUND if c.source == DOUBLE else c.source) for c in bundle.source
    ]
    changed = msgspec.structs.replace(bundle, source=tuple(source))
    answers = ANSWERS | {"double": "def double(x):\n    return x[0]"}
    with Grader(changed, load_bundle_oracle(changed), b"secret", LIMITS) as grader:
        ((text, _),) = kept(grader.grade("ada", submit(answers))).values()
    assert text == "double(np.array([[0.0, 0.0]]))", "ones are simpler"


class Counted(LastCall):
    """Counts the calls of all."""

    all_calls = 0

    def call(self, *args):
        Counted.all_calls += 1
        return super().call(*args)


@pytest.mark.parametrize(("most", "seconds"), [(5, 60.0), (200, 60.0), (200, 0.0)])
def test_the_calls_of_a_student_s_code_are_few(patient, monkeypatch, grade, most, seconds):
    monkeypatch.setattr(smallest, "CALLS", most)
    monkeypatch.setattr(smallest, "SECONDS", seconds)
    monkeypatch.setattr(smallest, "LastCall", Counted)
    monkeypatch.setattr(Counted, "all_calls", 0)
    result = grade(double=WRONG_AT_ZERO.format("double", 2))
    assert kept(result), "the smallest so far"
    first_and_last = 2
    assert Counted.all_calls >= first_and_last
    assert Counted.all_calls <= (most + 1 if seconds else first_and_last)


SEEN = """\
import os

def double(x):
    if not x.flags.c_contiguous:
        open("hidden", "w").close()  # no visible case has such an array
    least = 5 if os.path.exists("hidden") else 2
    return 2 * x + (x.shape[0] > least)
"""


def test_what_a_student_reads_is_found_where_no_hidden_input_was_seen(patient, grade):
    ((text, _),) = kept(grade(double=SEEN)).values()
    assert eval(text, {"np": np, "double": np.shape}) == (3, 2), "by the file it would be 6"


COUNTED = """\
calls = 0

def double(x):
    global calls
    calls += 1
    return 2 * x + {}
"""


def test_code_that_keeps_count_is_kept_with_what_fails_at_first_sight_or_not_at_all(patient, grade):
    ((text, _),) = kept(grade(double=COUNTED.format("(x == 0) * (calls == 1)"))).values()
    x = eval(text, {"np": np, "double": lambda x: x})
    assert (x == 0).any()
    assert kept(grade(double=COUNTED.format("(x == 0) * (calls > 1)"))) == {}
    later = "(calls > 1 or (x != x.round()).any())"  # what is simple fails, but not at first sight
    assert kept(grade(double=COUNTED.format(later))) == {}


def test_a_notebook_that_is_run_for_each_session_is_not_run_for_this(patient, grade):
    thread = "import threading, time\nthreading.Thread(target=time.sleep, args=[60]).start()"
    result = grade(before=[thread], double=WRONG_AT_ZERO.format("double", 2))
    assert Verdict.FAILED in [c.verdict for c in cases(result, "double")]
    assert kept(result) == {}


def test_nor_is_one_that_takes_long(monkeypatch, grade):
    monkeypatch.setattr(smallest, "AGAIN_SECONDS", 0.0)
    assert kept(grade(double=WRONG_AT_ZERO.format("double", 2))) == {}


def test_a_check_that_counts_where_it_stands_is_not_looked_at_elsewhere(patient, grade):
    wrong = WRONG_AT_ZERO.format("double", 2)
    result = grade(after=["def double(x):\n    return x + 7"], double=wrong)
    assert {c.verdict for c in cases(result, "double")} == {Verdict.PASSED, Verdict.FAILED}
    assert kept(result) == {}


def test_what_a_check_is_given_is_given_here_too(patient, grade):
    triple = "def triple(x):\n    return x + double(x) + 1.0 * (x == 0)"
    found = kept(grade(double="def double(x):\n    return 5 * x", triple=triple))
    assert found["triple"] == ("triple(np.array([[0.0, 0.0]]))", True)


def test_one_case_of_a_check_is_enough_and_five_of_a_submission(patient, monkeypatch, grade):
    wrong = {name: WRONG_AT_ZERO.format(name, n) for name, n in (("double", 2), ("triple", 3))}
    result = grade(**wrong)
    failed = [c for name in wrong for c in cases(result, name) if c.verdict is Verdict.FAILED]
    assert len(failed) > 2 == len(kept(result))
    monkeypatch.setattr(smallest, "MOST_CASES", 1)
    assert list(kept(grade(**wrong))) == ["double"]
