import contextlib
import math
import random
import sys
from collections import Counter as Tally
from math import sqrt
from types import ModuleType

import msgspec
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as layers

from autograder.authoring.subject import RemoteId
from autograder.errors import (
    HarnessError,
    NotImplementedYet,
    StudentError,
    StudentKilled,
    WireError,
)
from autograder.sandbox.inside.host import CELL_FILE
from autograder.sandbox.protocol import wire
from autograder.sandbox.protocol.helper_imports import imports_of
from autograder.sandbox.protocol.kinds import FROM_SESSION, Ran, Ready, Value, Watched, encode
from autograder.sandbox.protocol.messages import InProcessSession, MessageSession
from autograder.sandbox.protocol.packed import Array, Integer, Items, Mapping, Reference

CODE = """
import numpy as np
kept = []

def f(x):
    kept.append(x)
    return x

def later():
    raise NotImplementedError("your turn")

def hungry():
    raise MemoryError

def wrong():
    return [][1]

def silent():
    raise KeyError

def leave():
    raise SystemExit

class Loud(Exception):
    def __str__(self):
        raise self

def loud():
    raise Loud

def deep(x):
    return deep(x)

def cyclic():
    a = []
    a.append(a)
    return a

def many():
    return list(range(200_000))

def sparse(x):
    return {1: x}
"""


@pytest.fixture
def names():
    names = {}
    exec(compile(CODE, f"{CELL_FILE}2>", "exec"), names)
    return names


@pytest.fixture
def session(names):
    return InProcessSession(names)


def call(session, name, *args, watch=False, **kwargs):
    return session.call(session.get(name).number, args, kwargs, watch)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("later", "not implemented yet (cell 2, line 10)"),
        ("wrong", "IndexError: list index out of range (cell 2, line 16)"),
        ("silent", "KeyError (cell 2, line 19)"),
        ("leave", "SystemExit (cell 2, line 22)"),
        ("loud", "Loud: (its message cannot be shown) (cell 2, line 29)"),
        ("cyclic", "WireError: a value nested deeper than 32"),
        ("many", "WireError: a value of more than 100000 items; an array holds any number"),
    ],
)
def test_an_error_of_the_students_code_says_what_and_where(session, name, message):
    with pytest.raises(StudentError) as caught:
        call(session, name)
    assert str(caught.value) == message
    assert type(caught.value) in (StudentError, NotImplementedYet)


def test_endless_recursion_is_the_students_error(session):
    with pytest.raises(StudentError, match=r"^RecursionError"):
        call(session, "deep", 1)


def test_memory_that_runs_out_is_a_limit(session):
    with pytest.raises(StudentKilled, match=r"^ran out of memory \(cell 2, line 13\)$"):
        call(session, "hungry")


def test_a_missing_name_is_said(session):
    with pytest.raises(StudentError, match=r"^nothing is not defined in the notebook$"):
        session.get("nothing")


def test_arguments_arrive_writable_and_are_nobody_elses(session, names):
    x = np.ones(3)
    got, _ = call(session, "f", x)
    (kept,) = names["kept"]
    kept[0] = 2.0
    got[1] = 3.0
    assert (x.tolist(), kept.tolist(), got.tolist()) == (
        [1.0, 1.0, 1.0],
        [2.0, 1.0, 1.0],
        [1.0, 3.0, 1.0],
    )


def test_an_object_comes_back_as_a_proxy_also_inside_a_value(session):
    assert isinstance(session.get("f"), RemoteId)
    assert call(session, "sparse", 1)[0].type_name == "dict"


def test_a_proxy_that_no_subject_owns_is_no_argument(session):
    with pytest.raises(HarnessError, match="cannot be sent"):
        call(session, "f", session.get("np"))


LONG = [pytest.param(2 ** (1 << 17), id="long")]  # its digits may not be printed


@pytest.mark.parametrize("value", [object(), {1: 2}, np.array([None]), *LONG])
def test_an_argument_that_may_not_cross_is_the_authors_fault(session, value):
    with pytest.raises(HarnessError, match=r"^an argument of a check cannot be sent: "):
        call(session, "f", value)
    with pytest.raises(HarnessError, match=r"^an argument of a check cannot be sent: "):
        call(session, "f", x=value)


def total(notebook, x):
    return float(np.sum(x)) + len(notebook.kept)


def test_a_helper_is_shipped_by_its_source(session):
    assert session.apply(total, (np.ones(3),), {}) == 3.0


def with_imports(notebook, x):
    def inside():
        return sqrt(x) + layers.relu(torch.tensor(-1.0)).item()

    return [math.floor(inside()), Tally("aab")["a"], random.random() < 1]


def test_a_helper_sees_what_is_imported_around_it(session):
    assert imports_of(with_imports) == [
        "from collections import Counter as Tally\n",
        "import torch.nn.functional as layers\n",
        "import math\n",
        "import random\n",
        "from math import sqrt\n",
        "import torch\n",
    ]
    assert session.apply(with_imports, (9.0,), {}) == [3, 2, True]


def beside_it(notebook):
    return OUT_OF_TURN + notebook.kept


def test_what_a_helper_does_not_see_is_said_with_what_to_do(session):
    assert imports_of(beside_it) == []
    with pytest.raises(
        StudentError, match=r"name 'OUT_OF_TURN' is not defined in helper beside_it"
    ):
        session.apply(beside_it, (), {})


softmax_loss = None  # the reference's, in a source notebook


def of_the_reference(notebook):
    return softmax_loss


def test_what_no_session_has_is_not_imported(monkeypatch):
    answers = ModuleType("reference.layers")
    answers.softmax_loss = lambda: 0
    answers.softmax_loss.__module__, answers.softmax_loss.__name__ = (
        answers.__name__,
        "softmax_loss",
    )
    monkeypatch.setitem(sys.modules, answers.__name__, answers)
    monkeypatch.setitem(globals(), "softmax_loss", answers.softmax_loss)
    assert imports_of(of_the_reference) == []
    monkeypatch.setitem(globals(), "softmax_loss", answers)
    assert imports_of(of_the_reference) == []


def test_a_helper_without_a_source_is_the_authors_fault(session):
    with pytest.raises(HarnessError, match=r"cannot be read; define it with def in a cell$"):
        session.apply(len, (), {})


OUT_OF_TURN = "^the session answered out of turn$"


@pytest.mark.parametrize(
    "reply",
    [
        Ran(),
        Watched(1, [], {}),
        Ready(1),
    ],
)
def test_a_reply_out_of_turn_ends_the_session(reply):
    with pytest.raises(StudentKilled, match=OUT_OF_TURN):
        MessageSession(lambda _: reply).get("x")


@pytest.mark.parametrize(
    "reply", [Value(1), Watched(1, [], {}), Watched(1, [1], {}), Watched(1, [1] * 3, {})]
)
def test_a_watched_call_whose_arguments_do_not_come_back_ends_the_session(reply):
    session = MessageSession(lambda _: reply)
    with pytest.raises(StudentKilled, match=OUT_OF_TURN):
        session.call(0, (1, 2), {}, True)


def test_an_argument_that_came_back_as_another_object_is_changed():
    session = MessageSession(lambda _: Watched(1, [Reference(3, "x")], {}))
    assert session.call(0, (np.ones(2),), {}, True) == (1, (0,))


def test_a_malformed_value_ends_the_session():
    session = MessageSession(lambda _: Value(Array("numpy", "float64", (2**61,), 0)))
    with pytest.raises(StudentKilled, match=r"^the session sent a malformed value: "):
        session.get("x")


LONG_LIST = Items([None] * 150_000, False)
UNSENDABLE = [
    LONG_LIST,
    Integer("f" * 16_388),
    Integer("no digits"),
    Array("numpy", "float64", (1,), 7),
    Array("numpy", "float64", (1,), -1),
    Array("x", "y", (), 0),
    Reference(2**63, "x" * 10_000),
]


@pytest.mark.parametrize("lie", UNSENDABLE, ids=lambda lie: type(lie).__name__)
def test_what_cannot_be_an_argument_that_came_back_is_a_changed_argument(lie):
    sent = (np.ones(1), [1.0], {"a": 1})
    for place in range(3):
        after = [Array("numpy", "float64", (1,), 0), Items([1.0], False)]
        after.append(Mapping({"a": 1}))
        after[place] = lie
        reply = Watched(1.0, after, {}).with_bodies([bytearray(np.ones(1).tobytes())])
        changed = MessageSession(lambda _, reply=reply: reply).call(0, sent, {}, True)[1]
        assert changed == (place,)


def test_an_array_comes_back_even_where_the_value_claims_its_body():
    body = bytearray(np.ones(1).tobytes())
    packed = Array("numpy", "float64", (1,), 0)
    session = MessageSession(lambda _: Watched(packed, [packed], {}).with_bodies([body]))
    assert session.call(0, (np.ones(1),), {}, True) == (np.ones(1), ())


@pytest.mark.parametrize(
    ("said", "which"),
    [
        (["w", "grad"], "grad"),
        (["w", "grad"] * 1000, "grad"),
        (["w"], 1),
        ([], 1),
        (["w", "gr\u202ead"], 1),
        (["w", "two words"], 1),
        (["w", "g" * 41], 1),
        (["w", "`"], 1),
    ],
)
def test_a_changed_argument_has_the_name_that_the_session_says_if_it_is_a_plain_one(said, which):
    session = MessageSession(lambda _: Watched(1.0, [1, 2], {}, said))
    assert session.call(0, (1, 3), {}, True)[1] == (which,)


@given(st.data())
def test_no_reply_that_is_damaged_is_anything_but_the_sessions_fault(data):
    args, named = (np.arange(3.0), [1, "a", 2.5], 2**70), {"x": {"y": (None, 1j, b"b")}}
    packer = wire.Packer(None)
    value, after = packer.pack([np.ones(2), True]), [packer.pack(arg) for arg in args]
    back = {key: packer.pack(value) for key, value in named.items()}
    header = bytearray(encode(Watched(value, after, back, ["a", "b"]))[0])
    for _ in range(data.draw(st.integers(0, 4))):
        place = data.draw(st.integers(0, len(header) - 1))
        header[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
    try:
        reply = FROM_SESSION.decode(bytes(header), [bytearray(body) for body in packer.bodies])
    except WireError:  # which the channel takes for the session's end
        return
    with contextlib.suppress(StudentError):
        MessageSession(lambda _: reply).call(0, args, named, True)


def nested(depth):
    value = None
    for _ in range(depth):
        value = {"type": "items", "items": [value], "frozen": False}
    return value


PACKED = st.one_of(
    st.none(),
    st.text(),
    st.floats(),
    st.integers(0, 60).map(nested),
    st.builds(
        lambda shape: {
            "type": "array",
            "kind": "numpy",
            "dtype": "float64",
            "shape": shape,
            "body": 0,
        },
        st.lists(st.integers(-1, 2**62), max_size=3),
    ),
)
NAMES = st.one_of(st.text(), st.just("MemoryError"))
REPLIES = st.one_of(
    st.fixed_dictionaries({"kind": st.just("value"), "value": PACKED}),
    st.fixed_dictionaries(
        {
            "kind": st.just("watched"),
            "value": PACKED,
            "args": st.lists(PACKED, max_size=2),
            "named": st.dictionaries(st.sampled_from(["a", "b"]), PACKED),
        },
        optional={"parameters": st.lists(st.text(), max_size=3)},
    ),
    st.fixed_dictionaries({"kind": st.just("missing"), "name": st.text()}),
    st.fixed_dictionaries(
        {"kind": st.just("raised"), "type": NAMES}, optional={"text": st.text(), "place": NAMES}
    ),
    st.fixed_dictionaries({"kind": st.just("cell"), "number": st.integers(-(2**63), 2**63 - 1)}),
)


@given(REPLIES, st.sampled_from([b"", b"12345678"]), st.booleans())
def test_no_reply_raises_anything_but_an_error_of_the_student(reply, body, watch):
    bodies = [bytearray(body)] if reply["kind"] in ("value", "watched") else []
    message = FROM_SESSION.decode(msgspec.msgpack.encode(reply), bodies)
    session = MessageSession(lambda _: message)
    with contextlib.suppress(StudentError):
        session.call(0, (1.0,), {"a": np.ones(2)}, watch)


def test_a_session_in_this_process_tells_floats_apart_bit_by_bit(session):
    value, changed = call(session, "f", -0.0, watch=True)
    assert math.copysign(1, value) == -1
    assert changed == ()
