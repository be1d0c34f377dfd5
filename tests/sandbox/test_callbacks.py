import time

import numpy as np
import pytest

from autograder.authoring.subject import RemoteId
from autograder.errors import StudentKilled, StudentTimeout, UnsendableArgument
from autograder.sandbox.protocol import callbacks as module
from autograder.sandbox.protocol.callbacks import Callbacks
from autograder.sandbox.protocol.kinds import Callback, Get, Give, Raised, Value
from autograder.sandbox.protocol.messages import InProcessSession, MessageSession
from autograder.sandbox.protocol.wire import Packer, unpack

CODE = """
def double(x):
    return 99

def triple(x):
    return x + double(x)

def both(x, n):
    return [double(x) for _ in range(n)]

def caught(x):
    try:
        return double(x)
    except BaseException as error:
        return f"{type(error).__name__}: {error}"

class Thing:
    @property
    def doubled(self):
        return double(21)

thing = Thing()
"""


def reference(callback, until):
    """Answer as a reference process does."""
    (x,) = (unpack(value, callback.bodies, None) for value in callback.args)
    packer = Packer(None)
    if isinstance(x, str):
        return Raised("TypeError", "no text")
    return Value(packer.pack(2 * x)).with_bodies(packer.bodies)


def given(answer=reference, seconds=10.0):
    return Callbacks(["double"], answer, seconds)


@pytest.fixture
def session():
    names = {}
    exec(CODE, names)
    return InProcessSession(names)


def call(session, name, *args):
    return session.call(session.get(name).number, args, {}, False)[0]


def test_the_students_own_function_is_called_until_another_is_given(session):
    assert call(session, "triple", 1) == 100
    session.give(given())
    assert call(session, "triple", 1) == 3
    assert call(session, "triple", np.ones(2)).tolist() == [3.0, 3.0]


def test_what_was_used_is_known(session):
    callbacks = given()
    session.give(callbacks)
    assert callbacks.used == set()
    call(session, "triple", 1)
    assert callbacks.used == {"double"}


def test_a_call_that_the_reference_refuses_is_no_use(session):
    callbacks = given()
    session.give(callbacks)
    assert call(session, "caught", "a") == "TypeError: no text"
    assert callbacks.used == set()


def test_the_function_is_also_given_to_an_attribute_and_a_helper(session):
    def asks(notebook):
        return notebook.double(4)

    session.give(given())
    assert session.attribute(session.get("thing").number, "doubled") == 42
    assert session.apply(asks, (), {}) == 8
    assert session.call(session.get("double").number, (3,), {}, True) == (6, ())


def test_each_case_may_be_given_anew(session):
    for _ in range(2):
        callbacks = given()
        session.give(callbacks)
        assert call(session, "triple", 1) == 3
        assert callbacks.used == {"double"}


def says(*replies):
    """Return a session that says these things, whatever it is asked, and what it was asked."""
    waiting, asked = list(replies), []

    def ask(message):
        asked.append(message)
        return waiting.pop(0)

    return MessageSession(ask), asked


VALUE = Value(7)
CALL = Callback("double", [4])


def test_a_reply_may_come_behind_any_number_of_callbacks():
    session, asked = says(VALUE, CALL, CALL, VALUE)
    session.give(given())
    assert session.get("x") == 7
    assert asked == [Give(["double"]), Get("x"), Value(8), Value(8)]


def test_a_callback_where_nothing_is_given_ends_the_session():
    session, asked = says(CALL)
    with pytest.raises(StudentKilled, match=r"^the session answered out of turn$"):
        session.get("x")
    assert len(asked) == 1


def test_a_callback_as_the_reply_to_giving_ends_the_session():
    session, asked = says(CALL)
    with pytest.raises(StudentKilled, match=r"^the session answered out of turn$"):
        session.give(given())
    assert len(asked) == 1


@pytest.mark.parametrize("name", ["", "triple", "Double", "double ", "__import__", "x" * 10_000])
def test_a_callback_to_anything_else_ends_the_session(name):
    session, asked = says(VALUE, Callback(name, [1]))
    session.give(given())
    with pytest.raises(StudentKilled, match=r"^the session called back what it is not given$"):
        session.get("x")
    assert len(asked) == 2


def test_callbacks_are_counted_over_a_case():
    count = module.MAX_CALLBACKS
    session, asked = says(VALUE, *([CALL] * (count // 2) + [VALUE]) * 2, CALL)
    session.give(given())
    assert [session.get("x"), session.get("x")] == [7, 7]
    with pytest.raises(StudentKilled, match=rf"more than {count} times"):
        session.get("x")
    assert len(asked) == 1 + 3 + count


def test_the_limit_is_on_a_request_with_all_its_callbacks():
    def slow(callback, until):
        time.sleep(0.06)
        return VALUE

    session, asked = says(VALUE, *[CALL] * 100)
    session.give(given(slow, seconds=0.1))
    with pytest.raises(StudentTimeout, match=r"^ran for more than 0.1 s$"):
        session.get("x")
    assert len(asked) < 6


def test_a_reply_that_comes_too_late_by_callbacks_is_a_timeout():
    def slow(callback, until):
        time.sleep(0.15)
        return VALUE

    session, _ = says(VALUE, CALL, VALUE)
    session.give(given(slow, seconds=0.1))
    with pytest.raises(StudentTimeout):
        session.get("x")


def test_the_clock_starts_with_each_request():
    session, _ = says(*[VALUE] * 5)
    session.give(given(seconds=0.1))
    for _ in range(4):
        time.sleep(0.04)
        assert session.get("x") == 7


def test_an_answer_too_large_for_the_wire_is_an_error_of_the_call():
    asked = []

    def ask(message):
        asked.append(message)
        if len(asked) == 2:
            return CALL
        if len(asked) == 3:
            raise UnsendableArgument("an argument of a check cannot be sent")
        return VALUE

    session = MessageSession(ask)
    session.give(given())
    assert session.get("x") == 7
    assert asked[3] == Raised(
        "ValueError", "double: the reference's value is too large to be given"
    )


def test_a_proxy_of_the_session_is_nothing_to_the_grader(session):
    session.give(given())
    assert call(session, "caught", None).startswith("TypeError")
    assert isinstance(session.get("thing"), RemoteId)
