import math
from types import FunctionType

import numpy as np
import pytest

from autograder import assert_close, assert_equal, assert_that, case, check
from autograder.artefacts.results import Blank, Verdict
from autograder.authoring.checks import case_rng
from autograder.errors import (
    CheckFailure,
    HarnessError,
    NotImplementedYet,
    StudentError,
    StudentKilled,
    StudentTimeout,
)
from autograder.grading.cases import MAX_MESSAGE, ReferenceSession, run_case
from autograder.sandbox.protocol.messages import InProcessSession

RIGHT = "def f(x):\n    return 2 * x"
UNUSABLE = "the check cannot use what the code returned"


def names(source):
    names = {}
    exec(source, names)
    return names


def run(student=RIGHT, body=None, reference=RIGHT, session=None, **options):
    def compare(student, reference, rng, **parameters):
        x = rng.normal(size=3)
        assert_close(student.f(x), reference.f(x))

    given = body or compare  # anew, as cases are noted at the function
    anew = FunctionType(given.__code__, given.__globals__, closure=given.__closure__)
    checked = check("q", points=1, **options)(case("a", hidden=True)(anew))
    return run_case(
        checked,
        checked.cases[0],
        session or InProcessSession(names(student)),
        ReferenceSession(names(reference)),
        lambda: case_rng(b"", "hw", "check", "a"),
    )


def raising(error):
    class Session:
        def seed(self, number):
            pass

        def get(self, name):
            raise error

    return Session()


def test_the_reference_itself_passes():
    result = run()
    assert (result.name, result.hidden, result.verdict) == ("a", True, Verdict.PASSED)
    assert (result.message, result.margin) == (None, 0.0)
    assert result.seconds >= 0


def test_a_mismatch_is_failed_with_its_message_and_margin():
    result = run("def f(x):\n    return 2 * x + 1e-6")
    assert result.verdict is Verdict.FAILED
    assert result.message.startswith("value: 3 of 3 values differ; largest at ")
    assert 1 < result.margin < 1e5


IN_SINGLE = "def f(x):\n    return ((x.astype('float32') + 10) * 2 - 20){back}"


@pytest.mark.parametrize("back", ["", ".astype('float64')"])
def test_where_precision_is_graded_the_message_says_so(back):
    strict = run(IN_SINGLE.format(back=back), precision="strict")
    assert strict.message.endswith(
        "; it is near: this question asks for double precision throughout"
    )
    assert "double precision" not in run(IN_SINGLE.format(back=back)).message


@pytest.mark.parametrize(
    "student",
    [
        "def f(x):\n    return 2 * x + 1e-2",
        "def f(x):\n    return x[:2]",
        "def f(x):\n    return x * float('inf')",
    ],
)
def test_what_is_far_off_is_no_matter_of_precision(student):
    result = run(student, precision="strict")
    assert result.verdict is Verdict.FAILED
    assert "double precision" not in result.message


def test_single_precision_that_is_wanted_is_no_matter_of_double():
    def compare(student, reference, rng):
        x = rng.normal(size=3).astype("float32")
        assert_close(student.f(x), reference.f(x))

    result = run(
        "import numpy as np\ndef f(x):\n    return x * np.float32(2.0001)",
        compare,
        precision="strict",
    )
    assert result.verdict is Verdict.FAILED
    assert "double precision" not in result.message


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (StudentError("f is not defined in the notebook"), Verdict.ERRORED),
        (StudentTimeout("ran for more than 3 s"), Verdict.TIMED_OUT),
        (StudentKilled("ran out of memory"), Verdict.KILLED),
        (HarnessError("the fork server is gone"), Verdict.BROKEN),
    ],
)
def test_the_type_of_an_error_is_the_verdict(error, verdict):
    result = run(session=raising(error))
    assert (result.verdict, result.message) == (verdict, str(error))


def test_an_assertion_of_the_check_is_a_mismatch():
    def body(student, reference, rng):
        assert student.f(1) == 3

    result = run(body=body)
    assert result.verdict is Verdict.FAILED
    assert result.message.startswith("the check's assertion does not hold") or "== 3" in (
        result.message  # pytest rewrites the assertion of this file
    )


def test_a_bare_assertion_gets_words():
    def body(student, reference, rng):
        raise AssertionError

    assert run(body=body).message == "the check's assertion does not hold"


@pytest.mark.parametrize("value", ["None", "'text'", "{}", "object()", "[]"])
def test_a_value_that_the_check_cannot_use_fails_and_the_check_is_not_blamed(value):
    def body(student, reference, rng):
        assert student.f(np.ones(3)).mean() == reference.f(np.ones(3)).mean()

    result = run(f"def f(x):\n    return {value}", body=body)
    assert result.verdict in (Verdict.FAILED, Verdict.ERRORED)


def test_the_words_for_a_value_that_cannot_be_used_name_the_error():
    def body(student, reference, rng):
        student.f(1) + reference.f(1)

    result = run("def f(x):\n    return None", body=body)
    assert result.verdict is Verdict.FAILED
    assert result.message.startswith(f"{UNUSABLE} (TypeError: unsupported operand")


def test_a_check_that_raises_with_the_reference_too_is_broken():
    def body(student, reference, rng):
        student.f(1)
        raise ZeroDivisionError("of the check")

    result = run(body=body)
    assert result.verdict is Verdict.BROKEN
    assert result.message == "the check raised ZeroDivisionError: of the check"


def test_a_reference_that_raises_is_broken_and_never_the_students_error():
    result = run(reference="def f(x):\n    raise ValueError('of the reference')")
    assert result.verdict is Verdict.BROKEN
    assert "the reference: ValueError: of the reference" in result.message


def test_a_reference_without_the_name_is_broken():
    assert run(reference="").verdict is Verdict.BROKEN


def test_a_pure_check_fails_where_an_argument_is_changed():
    student = "def f(x):\n    x *= 2\n    return x"
    assert run(student).verdict is Verdict.PASSED
    result = run(student, pure=True)
    assert result.verdict is Verdict.FAILED
    assert result.message == "f changed its argument `x` in place; work on a copy"


def test_a_margin_that_is_not_finite_is_none():
    assert run("def f(x):\n    return x * float('nan')").margin is None


def test_a_margin_is_the_largest_of_all_comparisons():
    def body(student, reference, rng):
        for error in (0.0, 0.5, 0.25):
            assert_close(1.0 + error, 1.0, rtol=0, atol=1)

    assert run(body=body).margin == pytest.approx(0.5)


def test_a_check_without_numbers_has_no_margin():
    assert run(body=lambda student, reference, rng: None).margin is None


def test_a_message_is_bounded():
    result = run(f"def f(x):\n    raise ValueError('x' * {10 * MAX_MESSAGE})")
    assert result.verdict is Verdict.ERRORED
    assert len(result.message) <= MAX_MESSAGE


def test_the_students_own_random_numbers_are_the_same_in_every_run():
    drawn = []
    for _ in range(2):

        def body(student, reference, rng):
            drawn.append(student.f(1))

        run("import numpy as np\ndef f(x):\n    return np.random.rand()", body)
    assert drawn[0] == drawn[1]


def test_the_parameters_of_a_case_are_the_same_for_every_student():
    seen = []

    def body(student, reference, rng, sizes):
        seen.append(list(sizes))
        sizes.append(math.pi)

    checked = check("q", points=1)(case("a", hidden=True, sizes=[1, 2])(body))
    for _ in range(2):
        session = InProcessSession({})
        run_case(checked, checked.cases[0], session, ReferenceSession({}), lambda: None)
    assert seen == [[1, 2], [1, 2]]


@pytest.mark.parametrize("value", [object(), [0.0] * 120_000], ids=["an object", "too many items"])
def test_a_value_that_cannot_be_passed_on_to_the_reference_is_the_students_miss(value):
    @check("f", points=1)
    @case("hidden", hidden=True)
    def passes_on(student, reference, rng):
        assert_close(reference.double([student.x, student.x]), [2.0, 2.0])

    names = {"double": lambda pair: [2 * v for v in pair], "x": 1.0}
    result = run_case(
        passes_on,
        passes_on.cases[0],
        InProcessSession({"x": value}),
        ReferenceSession(names),
        np.random.default_rng,
    )
    assert result.verdict in (Verdict.FAILED, Verdict.ERRORED)


def answered(source):
    """Run a check that reads three answers, and tells each apart in its own way."""

    def body(student, reference, rng):
        assert_that(isinstance(student.answer, bool), "answer: give True or False")
        assert_close(student.number, reference.number, what="number")
        assert_that(float(student.other) == 1.0, "another thing")

    return run(f"{ANSWERS}\n{source}", body, ANSWERS)


ANSWERS = "answer, number, other = True, 1.0, 1.0"


@pytest.mark.parametrize("name", ["answer", "number", "other"])
@pytest.mark.parametrize("empty", ["...", "None", "''", "' '"])
def test_a_value_that_was_never_answered_is_said_to_be_so(name, empty):
    result = answered(f"{name} = {empty}")
    assert result.verdict is Verdict.FAILED
    assert (result.message, result.blank) == (f"{name}: not answered yet", Blank.VALUE)


LETTERS = ["A", "B", "C"]
BYTES = {"forward": 8, "reverse": 16}


def letters(student, reference, rng):
    assert_equal(student.letters, reference.letters, what="letters")


def called_otherwise(student, reference, rng):
    assert_equal(student.letters, reference.letters, what="the three choices")


def known_letters(student, reference, rng):
    assert_that(all(one in ("A", "B", "C") for one in student.letters), "give letters")


def a_list_of_texts(student, reference, rng):
    given = student.letters
    assert_that(isinstance(given, list) and all(isinstance(o, str) for o in given), "words")


def joined(student, reference, rng):
    assert_that("".join(student.letters).lower() == "abc", "wrong")


def numbers(student, reference, rng):
    assert_close(student.sizes, reference.sizes, what="sizes")


def sizes_called_otherwise(student, reference, rng):
    assert_close(student.sizes, reference.sizes, what="bytes of each mode")


def sizes_in_words(student, reference, rng):
    given = student.sizes
    assert_that(isinstance(given, dict), "sizes is not a dict")
    assert_that(all(isinstance(size, int) for size in given.values()), "give whole numbers")


def a_sum(student, reference, rng):
    assert_that(sum(student.sizes.values()) == 24, "wrong")


def methods(student, reference, rng):
    assert_that(student.letter.strip().upper() == "B", "wrong")


def a_call(student, reference, rng):
    assert_that(student.letter(3) == 4, "wrong")


@pytest.mark.parametrize(
    ("body", "source", "where"),
    [
        *(
            (body, f"letters = {value}", f"{what}{place}")
            for body, what in [
                (letters, "letters"),
                (called_otherwise, "the three choices"),
                (known_letters, "letters"),
                (a_list_of_texts, "letters"),
                (joined, "letters"),
            ]
            for value, place in [("['A', ..., 'C']", "[1]"), ("...", "")]
        ),
        (letters, "letters = [...]", "letters[0]"),
        (joined, "letters = [..., ..., ...]", "letters"),
        (known_letters, "letters = [None, '']", "letters"),
        *(
            (body, f"sizes = {value}", f"{what}{place}")
            for body, what in [
                (numbers, "sizes"),
                (sizes_called_otherwise, "bytes of each mode"),
                (sizes_in_words, "sizes"),
                (a_sum, "sizes"),
            ]
            for value, place in [("{'forward': 8, 'reverse': ...}", "['reverse']"), ("...", "")]
        ),
        (numbers, "sizes = {'forward': ...}", "sizes['forward']"),
        (sizes_in_words, "sizes = {'forward': ..., 'reverse': ...}", "sizes"),
        (methods, "letter = ...", "letter"),
        (a_call, "letter = ...", "letter"),
    ],
)
def test_what_is_not_answered_is_said_to_be_so_whatever_reads_it(body, source, where):
    right = f"letters, sizes, letter = {LETTERS}, {BYTES}, 'b'"
    result = run(f"{right}\n{source}", body, right)
    assert (result.verdict, result.blank) == (Verdict.FAILED, Blank.VALUE)
    assert result.message == f"{where}: not answered yet"


@pytest.mark.parametrize("value", ["[]", "{}", "['A', '', 'D']", "['A', None]", "'D'"])
def test_an_empty_list_and_a_partly_empty_one_are_answers(value):
    right = f"letters = {LETTERS}"
    result = run(f"letters = {value}", letters, right)
    assert (result.verdict, result.blank) == (Verdict.FAILED, None)


@pytest.mark.parametrize(
    ("value", "place"),
    [("...", ""), ("[..., 1.0, 2.0]", "[0]"), ("[[0.0], [...]]", "[1][0]")],
)
def test_a_function_that_returns_dots_has_no_answer_yet(value, place):
    result = run(f"def f(x):\n    return {value}")
    assert (result.message, result.blank) == (f"value{place}: not answered yet", Blank.VALUE)


@pytest.mark.parametrize("message", ["answer: give a text", "give a text", "other: give a text"])
def test_what_is_not_answered_does_not_hang_on_the_words_that_say_so(message):
    def first(student, reference, rng):
        assert_that(isinstance(student.other, float), "give a number")
        assert_that(isinstance(student.answer, str), message)

    def last(student, reference, rng):
        answer, number = student.answer, student.number
        assert_that(answer != number, message)
        assert_that(number == 2.0, message)

    source = "answer, number, other = None, 1.0, 1.0"
    assert run(source, first, ANSWERS).message == "answer: not answered yet"
    wrong = run(source, last, ANSWERS)
    assert (wrong.message, wrong.blank) == (message, None)


@pytest.mark.parametrize(("what", "blank"), [("answer", Blank.VALUE), ("number", None)])
def test_a_mismatch_says_itself_which_value_it_is_about(what, blank, monkeypatch):
    monkeypatch.setattr(CheckFailure, "__str__", lambda self: "reworded")

    def body(student, reference, rng):
        values = {"answer": student.answer, "number": student.number}
        assert_equal(values[what], "B", what=what)

    assert run("answer, number = None, 1.0", body, ANSWERS).blank is blank


def test_a_stub_is_no_answer_yet_whatever_words_say_so(monkeypatch):
    def reworded(self, place=None):
        StudentError.__init__(self, "nothing there", place)

    monkeypatch.setattr(NotImplementedYet, "__init__", reworded)
    result = run("def f(x):\n    raise NotImplementedError")
    assert (result.verdict, result.message) == (Verdict.ERRORED, "nothing there")
    assert result.blank is Blank.STUB


def test_a_case_knows_where_in_the_notebook_its_code_raised():
    code = compile("def f(x):\n    return {}[x.size]", "<cell 3>", "exec")
    names = {}
    exec(code, names)
    result = run(session=InProcessSession(names))
    assert (result.said, result.place) == ("KeyError: 3", "cell 3, line 2")
    assert result.message == "KeyError: 3 (cell 3, line 2)"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("answer = 'yes'", "answer: give True or False"),
        ("number = 2.0; unread = None", "number: 2, expected 1"),
        ("other = 'x'", UNUSABLE),
        ("other = 2.0", "another thing"),
    ],
)
def test_a_wrong_answer_keeps_the_message_of_its_check(wrong, message):
    result = answered(wrong)
    assert result.message.startswith(message)
