"""Values cross a socket, into a session's host and back, as what they were."""

import threading
import time
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from autograder.sandbox.inside.host import Host
from autograder.sandbox.limits import MB
from autograder.sandbox.protocol import wire
from autograder.sandbox.protocol.channel import Channel
from autograder.sandbox.protocol.kinds import FROM_GRADER, FROM_SESSION, Callback
from autograder.sandbox.protocol.messages import MessageSession
from autograder.sandbox.protocol.wire import Packer, unpack

NUMPY_DTYPES = sorted(wire.DTYPES)
ANY_DTYPE = st.sampled_from(NUMPY_DTYPES)
TORCH_DTYPES = [
    *(torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64),
    *(torch.bfloat16, torch.float16, torch.float32, torch.float64),
    *(torch.complex64, torch.complex128),
]
SHAPES = st.lists(st.integers(0, 3), max_size=4).map(tuple)
LAYOUTS = {
    "as it is": lambda a: a,
    "transposed": lambda a: (
        a.T if isinstance(a, np.ndarray) else a.permute(tuple(range(a.ndim))[::-1])
    ),
    "every other": lambda a: a[..., ::2] if a.ndim else a,
    "repeated": lambda a: (
        np.broadcast_to(a, (2, *a.shape)) if isinstance(a, np.ndarray) else a.expand(2, *a.shape)
    ),
    "a part": lambda a: a[1:] if a.ndim else a,
}
ARRAY_LAYOUTS = LAYOUTS | {
    "backwards": lambda a: a[::-1] if a.ndim else a,
    "by columns": np.asfortranarray,
    "big-endian": lambda a: a.astype(a.dtype.newbyteorder(">")),
    "read-only": lambda a: np.frombuffer(a.tobytes(), a.dtype).reshape(a.shape),
    "unaligned": lambda a: np.frombuffer(b"x" + a.tobytes(), a.dtype, offset=1).reshape(a.shape),
}


@st.composite
def raw_arrays(draw, dtypes=ANY_DTYPE):
    """An array of any bits: NaN of every kind, infinities, numbers that are not normal."""
    dtype, shape = np.dtype(draw(dtypes)), draw(SHAPES)
    size = int(np.prod(shape)) * dtype.itemsize
    data = bytearray(draw(st.binary(min_size=size, max_size=size)))
    if dtype.kind == "b":
        data = bytearray(byte & 1 for byte in data)
    return np.frombuffer(data, dtype).reshape(shape)


@st.composite
def arrays(draw):
    return draw(st.sampled_from(list(ARRAY_LAYOUTS.values())))(draw(raw_arrays()))


@st.composite
def tensors(draw):
    dtype = draw(st.sampled_from(TORCH_DTYPES))
    plain = {torch.bfloat16: "int16"}.get(dtype, str(dtype).removeprefix("torch."))
    tensor = torch.from_numpy(draw(raw_arrays(st.just(plain))))
    tensor = tensor.view(dtype) if dtype == torch.bfloat16 else tensor
    if dtype.is_complex and draw(st.booleans()):
        tensor = tensor.conj()
        if draw(st.booleans()):
            tensor = tensor.imag  # whose bits are negated when they are looked at
    if tensor.dtype.is_floating_point or tensor.dtype.is_complex:
        kind = draw(st.sampled_from(["a constant", "a parameter", "a result"]))
        tensor = tensor if kind == "a constant" else tensor.clone().requires_grad_()
        tensor = tensor.clone() if kind == "a result" else tensor
    return draw(st.sampled_from(list(LAYOUTS.values())))(tensor)


NUMPY_SCALARS = ANY_DTYPE.flatmap(
    lambda dtype: (
        raw_arrays(st.just(dtype)).filter(lambda a: a.size).map(lambda a: a.reshape(-1)[0])
    )
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.complex_numbers(),
    st.text(max_size=5),
    st.binary(max_size=5),
    NUMPY_SCALARS,
    arrays(),
    tensors(),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.text(max_size=3), inner, max_size=3),
    ),
    max_leaves=8,
)


def essence(value):
    """Return all that must be the same at the other end, down to the bits."""
    if isinstance(value, (list, tuple)):
        return type(value), [essence(item) for item in value]
    if isinstance(value, dict):
        return dict, [(key, essence(item)) for key, item in value.items()]
    if isinstance(value, torch.Tensor):
        plain = value.detach().resolve_conj().resolve_neg()
        plain = plain.view(torch.int16) if value.dtype == torch.bfloat16 else plain
        return torch.Tensor, value.dtype, value.shape, value.requires_grad, plain.numpy().tobytes()
    if isinstance(value, (np.ndarray, np.generic)):
        native = value.astype(value.dtype.newbyteorder("="))
        return type(value), native.dtype, value.shape, native.tobytes()
    if isinstance(value, (float, complex)):
        return type(value), np.array(value).tobytes()
    return type(value), value


def refuse(value):
    raise AssertionError(f"{value!r} became an object")


@contextmanager
def connected():
    """Give both ends of a channel."""
    ours, theirs = Channel.pair(64 * MB, FROM_SESSION)
    other = Channel(theirs, 64 * MB, FROM_GRADER)
    try:
        yield ours, other
    finally:
        ours.close()
        other.close()


def crossed(*values):
    """Return values from the other end of a socket."""
    packer = Packer(refuse)
    packed = [packer.pack(value) for value in values]
    message = Callback("f", packed).with_bodies(packer.bodies)
    with connected() as (ours, theirs):
        thread = threading.Thread(target=theirs.send, args=(message, soon()))
        thread.start()
        received = ours.receive(soon())
        thread.join()
    return [unpack(value, received.bodies, refuse) for value in received.args]


def soon():
    return time.monotonic() + 60


@given(VALUES)
def test_a_value_crosses_a_socket_as_what_it_was(value):
    (got,) = crossed(value)
    assert essence(got) == essence(value)


@given(VALUES, st.booleans())
def test_a_value_goes_into_a_session_and_comes_back_as_what_it_was(value, watch):
    host = Host({"same": lambda x: x})
    with connected() as (ours, theirs):

        def ask(request):
            ours.send(request, soon())
            theirs.send(host.handle(theirs.receive(), theirs.ask))
            return ours.receive(soon())

        session = MessageSession(ask)
        got, changed = session.call(session.get("same").number, (value,), {}, watch)
    assert (essence(got), changed) == (essence(value), ())


@given(arrays())
def test_what_arrives_can_be_written_to_and_shares_nothing(array):
    one, two = crossed(array, array)
    assert one.flags.writeable
    assert one.flags.aligned
    assert not np.shares_memory(one, two)


LARGE = {
    "float64": lambda: np.random.default_rng(1).normal(size=50 * MB // 8),
    "rows and columns": lambda: np.arange(50 * MB // 8.0).reshape(-1, 1024).T,
    "big-endian": lambda: np.arange(50 * MB // 4).astype(">i4"),
    "bool": lambda: np.resize(np.array([True, False, False]), 50 * MB),
    "complex64": lambda: np.full(50 * MB // 8, 1 - 2j, np.complex64),
    "bfloat16": lambda: torch.arange(50 * MB // 2).to(torch.bfloat16).requires_grad_(),
    "many": lambda: [np.full(MB, i, np.uint8) for i in range(50)],
}


@pytest.mark.parametrize("value", LARGE.values(), ids=LARGE)
def test_fifty_megabytes_cross_as_what_they_were(value):
    value = value()
    (got,) = crossed(value)
    assert essence(got) == essence(value)


NAMES = ["longlong", "ulonglong", "intc", "intp", "bool_", "half", "csingle", "cdouble"]


@pytest.mark.parametrize("name", NAMES)
def test_a_dtype_by_another_name_is_the_same_dtype(name):
    array = np.ones(2, getattr(np, name))
    (got,) = crossed(array)
    assert got.dtype == array.dtype
