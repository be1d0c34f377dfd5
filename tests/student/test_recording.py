import math

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from autograder.artefacts.bundle import Cell
from autograder.artefacts.recording import dump_recording, load_recording
from autograder.authoring.checks import case_rng
from autograder.authoring.subject import Subject
from autograder.errors import HarnessError, SourceError
from autograder.grading.oracle import load_oracle
from autograder.student.recording import ReplaySession, record

HEAD = """
import numpy as np
from autograder import assert_close, assert_equal, case, check

def f(x, y=None, **more):
    return 2 * np.asarray(x)

class Model:
    size = 3
    def scaled(self, x):
        return self.size * x

def make():
    return Model()

def total(notebook, x):
    return float(np.sum(notebook.f(x)))

LIMIT = {limit}

@check("f", points=1)
@case("one", n=2)
@case("two", n=3)
@case("secret", n=4, hidden=True)
def f_is_right(student, reference, rng, n):
    x = rng.normal(size=n)
    assert_close(student.f(x), reference.f(x))

@check("f", points=1, device="cuda")
@case("one")
def on_a_gpu(student, reference, rng):
    rng.normal()

@check("f", points=0)
@case("all")
def everything(student, reference, rng):
    model = reference.make()
    assert_close(student.make().scaled(2.0), model.scaled(2.0))
    assert_equal(student.make().size, reference.make().size)
    assert_close(student.apply(total, [1.0]), reference.apply(total, [1.0]))
    assert_equal(student.LIMIT, reference.LIMIT)
"""


def oracle(limit="3", more=""):
    source = HEAD.replace("{limit}", limit) + more
    return load_oracle([Cell("given", 1, source)], {}, "hw", "hw.py")


def replies(recording, check="f_is_right", case="one"):
    return Subject(ReplaySession(recording.replies[check][case]))


@pytest.fixture(scope="module")
def recorded():
    return dump_recording(record(oracle(), "hw"), {})


def drawn(n, case="one", check="f_is_right"):
    return case_rng(b"", "hw", check, case).normal(size=n)


def test_a_recording_holds_the_visible_cases_only_and_none_for_a_gpu(recorded):
    recording = load_recording(recorded)
    assert recording.assignment == "hw"
    assert {name: list(cases) for name, cases in recording.replies.items()} == {
        "f_is_right": ["one", "two"],
        "everything": ["all"],
    }
    assert b"secret" not in recorded


def test_the_same_oracle_gives_the_same_bytes(recorded):
    assert dump_recording(record(oracle(), "hw"), {}) == recorded


def test_a_reply_is_the_references_value_for_the_inputs_of_a_release(recorded):
    reference = replies(load_recording(recorded))
    assert reference.f(drawn(2)).tolist() == (2 * drawn(2)).tolist()


def test_objects_attributes_helpers_and_names_are_replayed(recorded):
    reference = replies(load_recording(recorded), "everything", "all")
    assert reference.make().scaled(2.0) == 6.0
    assert reference.make().size == 3
    assert reference.apply(total, [1.0]) == 2.0
    assert reference.LIMIT == 3


def total(notebook, x):
    raise AssertionError("a replay runs nothing")


def test_what_is_replayed_is_fresh_and_writable_each_time(recorded):
    recording = load_recording(recorded)
    first = replies(recording).f(drawn(2))
    first[:] = 0
    assert replies(recording).f(drawn(2)).tolist() == (2 * drawn(2)).tolist()


NO_REPLY = r"^the recording has no reply to what this case asks; it can only be graded$"


@pytest.mark.parametrize(
    "ask",
    [
        lambda r: r.g,
        lambda r: r.f(drawn(2) + 1e-3),
        lambda r: r.f(drawn(2)[::-1]),
        lambda r: r.f(drawn(3)),
        lambda r: r.f(drawn(2), 1.0),
        lambda r: r.f(drawn(2), y=1.0),
        lambda r: r.f.name,
        lambda r: r.apply(total, drawn(2)),
        lambda r: [r.f(drawn(2)), r.f(drawn(2))],
    ],
)
def test_a_call_that_was_not_recorded_is_refused(recorded, ask):
    with pytest.raises(HarnessError, match=NO_REPLY):
        ask(replies(load_recording(recorded)))


def test_the_last_place_of_an_input_may_differ_from_platform_to_platform(recorded):
    reference = replies(load_recording(recorded))
    assert reference.f(drawn(2) * (1 + 1e-14)).tolist() == (2 * drawn(2)).tolist()


ASK = """
@check("f", points=0)
@case("a")
def asks(student, reference, rng):
    reference.same({argument})

def same(x):
    return 1
"""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("'relu'", "'tanh'"),
        ("{'w': 1.5}", "{'w': 2.5}"),
        ("{'w': np.ones(3)}", "{'w': np.zeros(3)}"),
        ("{'a': 1, 'b': 2}", "{'a': 2, 'b': 1}"),
        ("[1.0, 2.0]", "[2.0, 1.0]"),
        ("None", "'none'"),
        ("True", "False"),
        ("b'ab'", "b'ba'"),
    ],
)
def test_a_reply_is_given_to_its_own_argument_only(one, other):
    recording = record(oracle(more=ASK.replace("{argument}", one)), "hw")
    names = {"np": np}
    assert replies(recording, "asks", "a").same(eval(one, names)) == 1
    with pytest.raises(HarnessError, match=NO_REPLY):
        replies(recording, "asks", "a").same(eval(other, names))


@pytest.mark.parametrize(
    "argument",
    [
        torch.ones(2, requires_grad=True),
        torch.ones(2, dtype=torch.bfloat16),
        torch.ones(2, dtype=torch.complex64).conj(),
        2**2000,
        math.nan,
        np.array([math.inf]),
        np.zeros(0),
        [[1.0], [1.0, 2.0]],
        {"p": torch.ones(1, requires_grad=True)},
    ],
    ids=range(9),
)
def test_every_argument_that_may_cross_can_be_recorded_and_replayed(argument):
    built = oracle(more="ARGUMENT = None\n" + ASK.replace("{argument}", "ARGUMENT"))
    built.namespace["ARGUMENT"] = argument
    recording = record(built, "hw")
    assert replies(recording, "asks", "a").same(argument) == 1


def round_trip(value):
    built = oracle()
    built.namespace["LIMIT"] = value
    recording = record(built, "hw")
    (reply,) = [r for r in recording.replies["everything"]["all"] if r.asked == "get LIMIT"]
    return ReplaySession((reply,)).get("LIMIT")


@given(
    st.recursive(
        st.one_of(
            st.none(),
            st.booleans(),
            st.integers(),
            st.floats(allow_nan=False),
            st.text(),
            st.binary(),
            st.complex_numbers(allow_nan=False),
        ),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=5,
    )
)
@example(math.inf)
@example([1.0, -math.inf])
def test_every_value_is_replayed_as_it_was(value):
    assert round_trip(value) == value


@pytest.mark.parametrize("value", [math.nan, complex(math.nan, 1.0), [math.nan]])
def test_nan_is_replayed_as_nan(value):
    assert repr(round_trip(np.array(value))) == repr(np.array(value))


def test_a_number_that_is_nan_stays_a_number():
    more = "def g():\n    return float('nan')\n" + ASK.replace("same({argument})", "g()")
    recording = record(oracle(more=more), "hw")
    assert math.isnan(replies(recording, "asks", "a").g())


def test_a_check_that_the_reference_does_not_pass_is_the_authors_fault():
    more = (
        "@check('f', points=0)\n@case('a')\n"
        "def wrong(student, reference, rng):\n    assert_close(student.f(1.0), 3.0)\n"
    )
    with pytest.raises(SourceError) as caught:
        record(oracle(more=more), "hw")
    assert str(caught.value).startswith(
        "check wrong, case 'a': the reference does not pass: value: 2, expected 3"
    )


@given(st.binary(max_size=60))
def test_bytes_that_are_no_recording_are_said_to_be_damaged(data):
    with pytest.raises(HarnessError, match=r"^recording\.json is damaged"):
        load_recording(data)


def test_a_recording_with_an_unknown_field_is_damaged(recorded):
    with pytest.raises(HarnessError, match="damaged"):
        load_recording(recorded.replace(b'"schema"', b'"scheme"'))
