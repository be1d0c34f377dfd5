"""Whatever bytes a session sends, its grader gets a value or one of three errors, in bounds."""

import struct
import threading
import time
import tracemalloc
from contextlib import suppress

import msgspec
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from autograder.errors import WireError
from autograder.sandbox.protocol.channel import (
    ALIGNMENT,
    MAX_BODIES,
    MAX_HEADER,
    Channel,
    ChannelClosed,
    ChannelTimeout,
)
from autograder.sandbox.protocol.kinds import FROM_SESSION, Callback, encode
from autograder.sandbox.protocol.packed import Array, Reference
from autograder.sandbox.protocol.wire import Packer, unpack

MAX_BYTES = 1 << 20
BOUND = 64 << 20  # of memory, for whatever is received: a header of 1 MB may hold a million items
ITEM = {"type": "items", "items": [], "frozen": False}


def frame(header, *bodies, lengths=None):
    sizes = [len(body) for body in bodies] if lengths is None else lengths
    filled = b"".join(body + bytes(-len(body) % ALIGNMENT) for body in bodies)
    prefix = struct.pack("<II", len(header), len(sizes)) + struct.pack(f"<{len(sizes)}Q", *sizes)
    return prefix + header + filled


def array(**changes):
    plain = {"type": "array", "kind": "numpy", "dtype": "float64", "shape": [1], "body": 0}
    return plain | changes


def message(*values, **fields):
    return msgspec.msgpack.encode({"kind": "callback", "name": "f", "args": values} | fields)


def received(data):
    """Return the values of every message in bytes, and the error behind them."""
    ours, theirs = Channel.pair(MAX_BYTES, FROM_SESSION)

    def send():
        with theirs, suppress(OSError):  # they are not all read
            theirs.sendall(data)

    thread = threading.Thread(target=send)
    thread.start()
    values = []
    try:
        while True:
            got = ours.receive(time.monotonic() + 30)
            packed = [*getattr(got, "args", []), *getattr(got, "named", {}).values()]
            values.append([unpack(value, got.bodies, lambda r: r) for value in packed])
    except (WireError, ChannelClosed, ChannelTimeout) as error:
        return values, error
    finally:
        ours.close()
        thread.join()


def nested(depth):
    value = None
    for _ in range(depth):
        value = ITEM | {"items": [value]}
    return value


HOSTILE = {
    "nothing": b"",
    "a header of no bytes": struct.pack("<II", 0, 0),
    "a header of four thousand million bytes": struct.pack("<II", 2**32 - 1, 0),
    "four thousand million bodies": struct.pack("<II", 1, 2**32 - 1) + b"x",
    "a body of seven terabytes": frame(message(array()), lengths=[7 << 40]),
    "bodies whose sum is nothing": frame(message(array()), lengths=[2**63, 2**63]),
    "a body that does not come": frame(message(array()), lengths=[MAX_BYTES]),
    "an array of seven terabytes": frame(message(array(shape=[7 << 37])), bytes(8)),
    "an array of two to the 64th bytes": frame(message(array(shape=[2**61])), b""),
    "an array as large as a number can say": frame(message(array(shape=[2**64 - 1] * 8)), b""),
    "an empty array that is too large": frame(message(array(shape=[2**64 - 1, 0])), b""),
    "an array of a million dimensions": frame(message(array(shape=[1] * 200_000)), bytes(8)),
    "a body for two arrays": frame(message(array(), array()), bytes(8)),
    "a body for two arrays in a list": frame(message(ITEM | {"items": [array()] * 2}), bytes(8)),
    "a body that is not there": frame(message(array(body=1)), bytes(8)),
    "the body before the first": frame(message(array(body=-1)), bytes(8)),
    "a dtype with objects": frame(message(array(dtype="object")), bytes(8)),
    "a dtype of a megabyte": frame(message(array(dtype="x" * 1_000_000)), bytes(8)),
    "a kind of a megabyte": frame(message(array(kind="x" * 1_000_000)), bytes(8)),
    "an integer of a megabyte": frame(message({"type": "integer", "digits": "f" * 1_000_000})),
    "a header in a message": frame(message(bodies=[1])),
    "a way back in a message": frame(message(back=[1])),
    "thirty-three lists": frame(message(nested(33))),
    "ten thousand lists": frame(message(nested(200)).replace(b"\xc0", b"\xc1")),
    "more text than a header holds": frame(message(name="x" * MAX_HEADER)),
    "more bodies than there may be": frame(message(), *[b""] * (MAX_BODIES + 1)),
    "truth values that are neither": frame(message(array(dtype="bool")), b"\x02"),
    "not quite UTF-8": frame(b"\x82\xa4kind\xa6raised\xa4type\xa2\xff\xff"),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_frame_is_an_error_within_bounds(data):
    tracemalloc.start()
    try:
        values, error = received(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert values == []
    assert peak < BOUND
    assert len(str(error)) < 1000


LAVISH = {
    "very many of nothing": frame(message(*[None] * 200_000)),
    "as many lists as a header holds": frame(message(*[ITEM] * 30_000)),
    "bodies that no array names": frame(message(array()), bytes(8), bytes(MAX_BYTES - 100), b""),
    "as many bodies as there may be": frame(message(), *[b"x"] * MAX_BODIES),
    "a text as long as may be": frame(message(name="x" * 1_000_000)),
    "thirty-two lists": frame(message(nested(32))),
}


@pytest.mark.parametrize("data", LAVISH.values(), ids=LAVISH)
def test_a_lavish_frame_is_a_value_within_bounds(data):
    tracemalloc.start()
    try:
        values, error = received(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(values) == 1
    assert isinstance(error, ChannelClosed)
    assert peak < BOUND


@given(st.binary(max_size=300))
def test_random_bytes_are_values_or_an_error(data):
    received(data)


@given(st.binary(max_size=100), st.lists(st.binary(max_size=20), max_size=3))
def test_a_random_header_is_a_value_or_an_error(header, bodies):
    received(frame(header, *bodies))


packer = Packer(None)
VALUES = [
    *(1, 2.5, "text", b"bytes", None, 3j, 2**70, (1, [2]), {"a": {"b": 1}}),
    *(np.arange(6.0).reshape(2, 3), np.float32(1), np.array(True), np.zeros((0, 2), "int8")),
    *(torch.ones(2, dtype=torch.bfloat16), torch.ones(1, requires_grad=True)),
]
CALLBACK = Callback("x", [packer.pack(value) for value in VALUES], {"y": Reference(3, "Net")})
VALID = frame(encode(CALLBACK)[0], *map(bytes, packer.bodies))
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["replace", "flip", "insert", "remove", "cut", "double"]),
        st.integers(0, len(VALID) - 1),
        st.integers(0, 255),
    ),
    min_size=1,
    max_size=4,
)


def changed(data, changes):
    data = bytearray(data)
    for what, at, byte in changes:
        at = min(at, len(data) - 1)
        if at < 0:
            break
        if what == "replace":
            data[at] = byte
        elif what == "flip":
            data[at] ^= 1 << (byte % 8)
        elif what == "insert":
            data[at:at] = bytes([byte])
        elif what == "remove":
            del data[at : at + 1 + byte % 9]
        elif what == "cut":
            del data[at:]
        else:
            data[at:at] = data[at : at + 1 + byte]
    return bytes(data)


@given(CHANGES)
def test_a_damaged_frame_is_another_value_or_an_error(changes):
    received(changed(VALID, changes))


@given(CHANGES)
def test_bytes_behind_a_frame_do_not_change_it(changes):
    values, _ = received(VALID + changed(VALID, changes))
    assert str(values[0]) == str(received(VALID)[0][0])


def test_a_tensor_for_a_grader_without_torch_is_an_error(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    with pytest.raises(WireError, match="no torch"):
        unpack(Array("torch", "float32", (1,), 0), [bytearray(4)], None)
