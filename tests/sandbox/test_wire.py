import collections
import enum
import math

import msgspec
import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder.authoring.layouts import LAYOUTS, has_layout, laid_out, layout_of
from autograder.authoring.subject import Proxy, RemoteId
from autograder.errors import WireError
from autograder.sandbox.protocol import kinds as protocol
from autograder.sandbox.protocol import wire
from autograder.sandbox.protocol.kinds import (
    FROM_SESSION,
    Callback,
    Loaded,
    Message,
    Value,
    Watched,
    encode,
)
from autograder.sandbox.protocol.packed import (
    Array,
    Integer,
    Items,
    Mapping,
    Packed,
    Reference,
)
from autograder.sandbox.protocol.wire import Packer, require_plain, unpack

DTYPES = st.sampled_from(sorted(wire.DTYPES))
ARRAYS = DTYPES.flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0))
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**200), 2**200),
    st.floats(),
    st.complex_numbers(allow_nan=True),
    st.text(),
    st.binary(),
    ARRAYS,
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(st.text(), inner, max_size=4),
    ),
    max_leaves=10,
)


def refuse(value):
    raise AssertionError(f"{value!r} became an object")


def sent(value, keep=refuse, resolve=refuse):
    """Return a value after its way over the wire."""
    packer = Packer(keep)
    message = Value(packer.pack(value)).with_bodies(packer.bodies)
    header, bodies = encode(message)
    received = FROM_SESSION.decode(header, [bytearray(body) for body in bodies])
    return unpack(received.value, received.bodies, resolve)


def assert_same(got, want):
    assert type(got) is type(want)
    if isinstance(want, (list, tuple)):
        assert len(got) == len(want)
        for g, w in zip(got, want, strict=True):
            assert_same(g, w)
    elif isinstance(want, dict):
        assert list(got) == list(want)
        for key in want:
            assert_same(got[key], want[key])
    elif isinstance(want, (np.ndarray, np.generic)):
        assert (got.dtype, got.shape) == (want.dtype, want.shape)
        assert got.tobytes() == want.tobytes()
    elif isinstance(want, float):
        assert got == want or (math.isnan(got) and math.isnan(want))
        assert math.copysign(1, got) == math.copysign(1, want) or math.isnan(want)
    elif isinstance(want, complex):
        assert_same([got.real, got.imag], [want.real, want.imag])
    else:
        assert got == want


@given(VALUES)
def test_every_value_that_may_cross_comes_out_as_it_went_in(value):
    assert_same(sent(value), value)


@given(DTYPES)
def test_a_numpy_scalar_stays_a_numpy_scalar(dtype):
    assert_same(sent(np.ones((), dtype)[()]), np.ones((), dtype)[()])


@pytest.mark.parametrize("requires_grad", [False, True])
@pytest.mark.parametrize("shape", [(), (0,), (2, 3)])
@pytest.mark.parametrize(
    "dtype", ["bfloat16", "float16", "float32", "float64", "complex64", "int64", "uint8", "bool"]
)
def test_a_tensor_keeps_dtype_shape_and_whether_it_requires_a_gradient(dtype, shape, requires_grad):
    tensor = torch.ones(shape, dtype=getattr(torch, dtype))
    if requires_grad and not (tensor.is_floating_point() or tensor.is_complex()):
        requires_grad = False
    got = sent(tensor.requires_grad_(requires_grad))
    assert (got.dtype, got.shape, got.requires_grad) == (tensor.dtype, shape, requires_grad)
    assert torch.equal(got, tensor)


def test_a_view_a_transpose_and_big_endian_bytes_cross_by_value():
    array = np.arange(12.0).reshape(3, 4)
    for view in (array.T, array[::2, ::-1], array.astype(">f8"), np.asfortranarray(array)):
        got = sent(view)
        assert np.array_equal(got, view)
        assert got.dtype == np.float64
    assert torch.equal(sent(torch.arange(6.0).reshape(2, 3).T), torch.arange(6.0).reshape(2, 3).T)
    assert torch.equal(sent(torch.ones(2, dtype=torch.complex64).conj()), torch.ones(2) + 0j)


def test_what_arrives_is_writable_and_nobody_elses():
    array = np.ones(3)
    got, twin = sent([array, array])
    got[0] = 5.0
    assert array.tolist() == twin.tolist() == [1.0, 1.0, 1.0]


def test_two_arrays_in_one_body_do_not_alias():
    packed = Items([Array("numpy", "uint8", (2,), 0)] * 2, False)
    try:
        one, two = unpack(packed, [bytearray(b"ab")], refuse)
    except WireError:
        return
    one[0] = 0
    assert two.tolist() == [97, 98]


def test_a_lone_surrogate_is_replaced():
    assert sent("a\ud800b") == "a?b"
    assert sent({"\ud800": 1}) == {"?": 1}


class Subarray(np.ndarray):
    def __eq__(self, other):
        return True

    __hash__ = None


class Number(int):
    def __int__(self):
        return 4

    __index__ = __int__


class Text(str):
    def __str__(self):
        return "a lie"

    def isidentifier(self):
        return True


class Ratio(float):
    def __float__(self):
        return 9.0


class Pair(complex):
    real = 9.0


class Raw(bytes):
    def __bytes__(self):
        return b"a lie"


class Table(dict):
    def items(self):
        return [("a", "lie")]


class Row(list):
    def __iter__(self):
        return iter(["a lie"])


class Level(enum.IntEnum):
    HIGH = 3


class Letter(str, enum.Enum):  # noqa: UP042 - as students write it
    B = "B"


Point = collections.namedtuple("Point", "x y")


@pytest.mark.parametrize(
    ("value", "want"),
    [
        (np.str_("B"), "B"),
        (np.array(list("AB"))[1], "B"),
        (np.bytes_(b"B"), b"B"),
        (Letter.B, "B"),
        (Text("B\ud800"), "B?"),
        (Level.HIGH, 3),
        (Number(3), 3),
        (Number(2**70), 2**70),
        (Ratio(0.5), 0.5),
        (Pair(1, 2), 1 + 2j),
        (Raw(b"x"), b"x"),
        (Row([1, Level.HIGH]), [1, 3]),
        (Point(1, 2.0), (1, 2.0)),
        (Table(x=1), {"x": 1}),
        (collections.OrderedDict(x=Letter.B), {"x": "B"}),
        (collections.defaultdict(int, x=1), {"x": 1}),
        ({np.str_("x"): 1, Letter.B: 2}, {"x": 1, "B": 2}),
        (np.True_, np.True_),
        (np.float64(2), np.float64(2)),
        (np.complex128(2), np.complex128(2)),
    ],
)
def test_an_instance_of_a_subclass_crosses_as_what_it_is_whatever_it_says(value, want):
    assert_same(sent(value), want)


@pytest.mark.parametrize(
    "value",
    [
        object(),
        ...,
        len,
        np.array([object()]),
        np.array(["a"]),
        np.zeros(1, "datetime64[s]"),
        np.zeros(1, [("a", "f8")]),
        np.zeros((1,) * 9),
        {1: 2},
        {"a", "b"},
        {3: Letter.B},
        torch.zeros(2).to_sparse(),
        torch.zeros((1,) * 9),
        np.longdouble(1),
    ],
)
def test_anything_else_becomes_a_proxy(value):
    kept = []

    def keep(given):
        kept.append(given)
        return RemoteId(7, "it")

    assert sent(value, keep, resolve=lambda r: (r.number, r.type_name)) == (7, "it")
    assert kept == [value] or kept[0] is value


def test_a_proxy_goes_back_by_its_number():
    remote = Proxy(None, RemoteId(3, "Net"), "net")
    assert sent([remote], resolve=lambda r: r) == [Reference(3, "Net")]


def test_a_subclass_of_an_array_arrives_as_a_plain_array():
    assert type(sent(np.zeros(2).view(Subarray))) is np.ndarray


def nested(depth):
    value = 0
    for _ in range(depth):
        value = [value]
    return value


def test_nesting_is_bounded_on_both_sides():
    assert_same(sent(nested(wire.MAX_DEPTH)), nested(wire.MAX_DEPTH))
    with pytest.raises(WireError, match="nested deeper than 32"):
        Packer(refuse).pack(nested(wire.MAX_DEPTH + 1))
    packed = None
    for _ in range(wire.MAX_DEPTH + 1):
        packed = Items([packed], False)
    with pytest.raises(WireError, match="nested deeper than 32"):
        unpack(packed, [], refuse)


def test_a_value_that_holds_itself_is_refused():
    value = []
    value.append(value)
    with pytest.raises(WireError, match="nested deeper"):
        Packer(refuse).pack(value)


def test_the_number_of_items_is_bounded():
    with pytest.raises(WireError, match="more than 100000 items"):
        Packer(refuse).pack([0] * (wire.MAX_ITEMS + 1))


def test_integers_are_bounded_on_both_sides():
    for sign in (1, -1):
        assert sent(sign * (2**wire.MAX_INTEGER_BITS - 1)) == sign * (2**wire.MAX_INTEGER_BITS - 1)
        with pytest.raises(WireError, match="more than 65536 bits"):
            sent(sign * 2**wire.MAX_INTEGER_BITS)
    for digits in ("f" * 20_000, "", "nothing", "0xg"):
        with pytest.raises(WireError, match="an integer"):
            unpack(Integer(digits), [], refuse)


HOSTILE_ARRAYS = [
    Array("numpy", "float64", (2,), 0),  # 16 bytes in 8
    Array("numpy", "float64", (-1,), 0),
    Array("numpy", "float64", (-1, -1), 0),
    Array("numpy", "float64", (2**62, 0), 0),
    Array("numpy", "float64", (2**70, 0), 0),
    Array("numpy", "uint8", (0, 2**40, 2**40), 0),
    Array("numpy", "float64", (2**61,), 0),
    Array("numpy", "float64", (1,) * 9, 0),
    Array("numpy", "float64", (1,), 1),
    Array("numpy", "float64", (1,), -1),
    Array("numpy", "object", (1,), 0),
    Array("numpy", "O", (1,), 0),
    Array("numpy", "<f8,<f8", (1,), 0),
    Array("numpy", "bfloat16", (4,), 0),
    Array("numpy", "", (1,), 0),
    Array("torch", "qint8", (8,), 0),
    Array("pickle", "float64", (1,), 0),
    Array("", "float64", (1,), 0),
]


@pytest.mark.parametrize("packed", HOSTILE_ARRAYS)
def test_an_array_that_is_not_what_its_header_says_is_refused(packed):
    for body in (bytearray(8), bytearray(0)):
        with pytest.raises(WireError):
            unpack(packed, [body], refuse)
        with pytest.raises(WireError):
            require_plain(Items([None, packed], False), [body])


def test_a_truth_value_is_one_of_two_bytes():
    array, body = Array("numpy", "bool", (2,), 0), bytearray(b"\x02\x00")
    with pytest.raises(WireError):
        unpack(array, [body], refuse)
    with pytest.raises(WireError):
        require_plain(array, [body])


def test_what_is_sent_on_unread_is_plain_and_keeps_its_bodies():
    packer = Packer(refuse)
    value = {"a": [1, 2.5, None, b"x", 1j, 2**80, ()], "b": (np.ones(3), torch.ones(2))}
    packed = packer.pack(value)
    require_plain(packed, packer.bodies)
    found = unpack(packed, [bytearray(body) for body in packer.bodies], refuse)
    assert found["a"] == value["a"]
    assert torch.equal(found["b"][1], torch.ones(2))


@pytest.mark.parametrize(
    ("packed", "says"),
    [
        (Mapping({"a": Items([Reference(3, "Net")], True)}), "an object of type Net"),
        (Items([Array("numpy", "uint8", (2,), 0)] * 2, False), "without its body"),
        (Items([None] * 150_000, False), "more than 100000 items"),
        (Integer("f" * 20_000), "an integer"),
    ],
)
def test_what_is_not_plain_is_not_sent_on(packed, says):
    with pytest.raises(WireError, match=says):
        require_plain(packed, [bytearray(2)])
    nest = None
    for _ in range(40):
        nest = Items([nest], False)
    with pytest.raises(WireError, match="nested deeper"):
        require_plain(nest, [])


def packed_in(message):
    """Return the packed values of a message, whatever it is."""
    return [
        *([message.value] if isinstance(message, (Value, Watched)) else []),
        *getattr(message, "args", []),
        *getattr(message, "named", {}).values(),
    ]


def received(header, bodies=()):
    """Return what a receiver makes of a header: a list of values or a WireError."""
    try:
        message = FROM_SESSION.decode(header, [bytearray(body) for body in bodies])
        return [unpack(v, message.bodies, lambda r: r) for v in packed_in(message)]
    except WireError as error:
        return error


@given(st.binary(max_size=200))
def test_random_bytes_are_a_wire_error_or_a_message(header):
    received(header)


@given(VALUES, st.data())
def test_a_damaged_message_is_a_wire_error_or_another_message(value, data):
    packer = Packer(refuse)
    message = Callback("f", [packer.pack(value)], {"a": None})
    header, bodies = encode(message.with_bodies(packer.bodies))
    damaged = bytearray(header)
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(header) - 1))] = data.draw(st.integers(0, 255))
    received(bytes(damaged[: data.draw(st.integers(0, len(header)))]), bodies)
    received(bytes(damaged), bodies)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(), st.text()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["type", "items", "frozen", "kind", "dtype", "shape", "body", "x"]),
            inner,
            max_size=5,
        ),
    ),
)
TAGGED = st.one_of(
    st.builds(
        lambda kind, dtype, shape, body: {
            "type": "array",
            "kind": kind,
            "dtype": dtype,
            "shape": shape,
            "body": body,
        },
        st.sampled_from(["numpy", "scalar", "torch", "parameter", "x"]),
        st.sampled_from([*sorted(wire.DTYPES), "bfloat16", "object", ""]),
        st.lists(st.sampled_from([0, 1, 2, 8, -1, 2**31, 2**62, 2**64 - 1]), max_size=9),
        st.integers(-1, 2),
    ),
    st.builds(lambda digits: {"type": "integer", "digits": digits}, st.text(max_size=5)),
    st.builds(lambda items: {"type": "items", "items": items, "frozen": True}, st.lists(JSON)),
    JSON,
)


HUGE_AND_EMPTY = {
    "type": "array",
    "kind": "numpy",
    "dtype": "float64",
    "shape": [0, 2**62],
    "body": 0,
}


CALLBACK = b"\x82\xa4kind\xa8callback"  # and one more pair
MESSAGES = [*Loaded.__subclasses__(), *Message.__subclasses__()]
MESSAGES.remove(Loaded)


@given(st.lists(TAGGED, max_size=3), st.lists(st.sampled_from([b"", b"\1", b"12345678"])))
@example([HUGE_AND_EMPTY], [b""])
def test_a_hostile_header_is_a_wire_error_or_a_value(values, bodies):
    received(msgspec.msgpack.encode({"kind": "callback", "name": "f", "args": values}), bodies)


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"\xc1",
        msgspec.msgpack.encode({"kind": "value", "value": 1, "verdict": "passed"}),
        msgspec.msgpack.encode({"kind": "verdict", "value": "passed"}),
        msgspec.msgpack.encode({"kind": "value"}),
        msgspec.msgpack.encode({"kind": 3}),
        msgspec.msgpack.encode({"kind": "watched", "value": 1, "args": 3, "named": {}}),
        msgspec.msgpack.encode({"kind": "watched", "value": 1, "args": [], "named": {1: 2}}),
        msgspec.msgpack.encode({"kind": "raised", "type": "KeyError", "text": 1}),
        msgspec.msgpack.encode({"kind": "raised", "type": None}),
        msgspec.msgpack.encode({"kind": "cell", "number": 1.5}),
        msgspec.msgpack.encode({"kind": "cell", "number": 2**70 % 2**64, "line": 1}),
        msgspec.msgpack.encode({"kind": "done", "touched": 1}),
        msgspec.msgpack.encode({"kind": "done", "kept": [1]}),
        msgspec.msgpack.encode({"text": "no kind"}),
        msgspec.msgpack.encode({"kind": "value", "value": {"type": "pickle", "data": b""}}),
        msgspec.msgpack.encode({"kind": "value", "value": {"type": "complex", "real": 1.0}}),
        msgspec.msgpack.encode({"kind": "value", "value": [1]}),
        msgspec.msgpack.encode({"kind": "value", "value": 1, "bodies": [1]}),
        msgspec.msgpack.encode({"kind": "value", "value": 1, "__dict__": {"bodies": [1]}}),
        msgspec.msgpack.encode(["value"]),
        CALLBACK + b"\xa4args\xdd\xff\xff\xff\xff",  # four thousand million values
        CALLBACK + b"\xa5named\xdf\xff\xff\xff\xff",
        CALLBACK + b"\xa4name\xdb\xff\xff\xff\xffx",
        CALLBACK + b"\xa4name\xa2\xff\xff",  # no UTF-8
        CALLBACK + b"\xa4args" + b"\x91" * 100_000,
        CALLBACK + b"\xa4args\x91\x81\x80\x01",  # a map as a key
        CALLBACK + b"\xa4args\x91\xc7\x0c\xff" + b"\xff" * 12,  # no date
    ],
)
def test_a_header_that_is_no_message_is_refused(header):
    with pytest.raises(WireError):
        FROM_SESSION.decode(header, [])


@pytest.mark.parametrize("kind", sorted(kind.__name__ for kind in MESSAGES))
def test_each_end_hears_only_what_the_other_may_say(kind):
    """No session asks its grader, and none speaks as a fork server."""
    heard = {
        "FROM_SESSION": "Callback Cell Done Forked Lost Missing OnDevice Raised Ran Reaped "
        "Refused Step Threads Unavailable Value Watched",
        "FROM_GRADER": "Apply Attribute Call Fork Get Give Raised Reap Run Seed Value",
        "FROM_CALLER": "Callback",
        "FROM_REFERENCE": "Raised Value",
        "FROM_OWNER": "End Start",
        "FROM_FORK_SERVER": "Ended Failed Ready Started Unavailable",
    }
    for end, kinds in heard.items():
        header = msgspec.msgpack.encode({"kind": kind.lower(), "no field of any": 1})
        with pytest.raises(WireError) as error:
            getattr(protocol, end).decode(header, [])
        assert ("Invalid value" in str(error.value)) is (kind not in kinds.split()), end


def test_bodies_come_behind_messages_with_values_only():
    header, _ = encode(protocol.Ran())
    with pytest.raises(WireError, match="bodies behind a message that has none"):
        FROM_SESSION.decode(header, [bytearray(1)])


def test_a_deeply_nested_header_is_refused():
    header = CALLBACK + b"\xa4args\x91"
    item = b"\x83\xa4type\xa5items\xa6frozen\xc2\xa5items\x91"
    for depth in (100, 900, 5_000):
        assert isinstance(received(header + item * depth + b"\xc0"), WireError)


def arrived(value, layouts=True, keep=True):
    """Return a value as a session gets it, or where ``layouts`` is false as the grader does."""
    packer = Packer(refuse, layouts=keep)
    packed = packer.pack(value)
    header = msgspec.msgpack.decode(msgspec.msgpack.encode(packed), type=Packed)
    return unpack(header, [bytearray(b) for b in packer.bodies], refuse, layouts=layouts)


@given(ARRAYS, st.sampled_from(list(LAYOUTS)))
def test_an_array_arrives_in_a_session_as_it_lies_here(array, layout):
    sent_one = laid_out(array, layout)
    found = arrived([sent_one])[0]
    np.testing.assert_array_equal(found, array)
    assert found.dtype.newbyteorder("=") == array.dtype.newbyteorder("=")
    assert layout_of(found) == layout_of(sent_one)
    if has_layout(layout, array.shape, array.dtype.newbyteorder("=").str):
        assert layout_of(found) == layout


@given(ARRAYS, st.sampled_from(list(LAYOUTS)), st.booleans())
def test_an_array_lies_in_rows_where_no_layout_is_kept_or_the_grader_gets_it(array, layout, keep):
    found = arrived({"a": laid_out(array, layout)}, layouts=not keep, keep=keep)["a"]
    np.testing.assert_array_equal(found, array)
    assert layout_of(found) == ""
    assert found.flags.writeable
    assert found.dtype.isnative


@pytest.mark.parametrize("layout", ["", "strided", "columns"])
@pytest.mark.parametrize("grad", [False, True])
def test_a_tensor_arrives_as_it_lies_and_stays_a_leaf(layout, grad):
    tensor = laid_out(torch.arange(6.0).reshape(2, 3), layout).requires_grad_(grad)
    found = arrived(tensor)
    assert layout_of(found) == layout
    assert (found.requires_grad, found.is_leaf) == (grad, True)
    assert torch.equal(found, tensor)
    assert layout_of(arrived(tensor, layouts=False)) == ""


@pytest.mark.parametrize("kind", ["numpy", "scalar", "torch", "parameter"])
def test_a_layout_that_a_session_makes_up_is_not_looked_at(kind):
    shape = () if kind == "scalar" else (1,)
    made_up = Array(kind, "float64", shape, 0, "upside down")
    found = unpack(made_up, [bytearray(8)], refuse)
    assert layout_of(np.asarray(found) if kind == "scalar" else found) == ""
    with pytest.raises(WireError, match="an array of layout 'upside down'"):
        unpack(made_up, [bytearray(8)], refuse, layouts=True)
