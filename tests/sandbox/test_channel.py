import os
import socket
import struct
import threading
import time

import numpy as np
import pytest
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
from autograder.sandbox.protocol.kinds import (
    FROM_SESSION,
    Callback,
    Missing,
    Raised,
    Ran,
    Value,
    encode,
)

MAX_BYTES = 1 << 20


@pytest.fixture
def pair():
    ours, theirs = Channel.pair(MAX_BYTES, FROM_SESSION)
    yield ours, theirs
    ours.close()
    theirs.close()


def soon(seconds=0.05):
    return time.monotonic() + seconds


def framed(header, *bodies):
    lengths = b"".join(struct.pack("<Q", len(body)) for body in bodies)
    filled = b"".join(body + bytes(-len(body) % ALIGNMENT) for body in bodies)
    return struct.pack("<II", len(header), len(bodies)) + lengths + header + filled


def test_messages_arrive_in_order_with_their_bodies(pair):
    ours, theirs = pair
    other = Channel(theirs, MAX_BYTES, FROM_SESSION)
    for number in range(3):
        ours.send(Value(number).with_bodies([b"x" * number, memoryview(b"")]))
    for number in range(3):
        message = other.receive(soon(5))
        assert (message.value, message.bodies) == (number, [bytearray(b"x" * number), b""])


def test_a_message_larger_than_the_buffer_of_the_socket_arrives(pair):
    ours, theirs = pair
    body = os.urandom(MAX_BYTES)
    sender = threading.Thread(target=ours.send, args=(Value(0).with_bodies([body]),))
    sender.start()
    assert Channel(theirs, MAX_BYTES, FROM_SESSION).receive(soon(10)).bodies == [body]
    sender.join()


def test_bodies_are_writable_aligned_and_share_no_byte(pair):
    ours, theirs = pair
    sizes = [0, 1, 15, 16, 17, 100, 1 << 17]
    message = Value(0).with_bodies([bytes(size) for size in sizes])
    Channel(theirs, MAX_BYTES, FROM_SESSION).send(message)
    bodies = [np.frombuffer(body, np.uint8) for body in ours.receive(soon(5)).bodies]
    for number, body in enumerate(bodies):
        body[:] = number
    for number, body in enumerate(bodies):
        assert body.size == sizes[number]
        assert body.ctypes.data % ALIGNMENT == 0
        assert (body == number).all()


def test_a_question_is_asked_back_by_the_way_that_a_request_came(pair):
    ours, theirs = pair
    other = Channel(theirs, MAX_BYTES, FROM_SESSION)

    def answer():
        assert other.receive() == Missing("request")
        reply = other.ask(Callback("double", [21]))
        other.send(Value(reply.value))

    thread = threading.Thread(target=answer)
    thread.start()
    ours.send(Missing("request"))
    assert ours.receive(soon(5)) == Callback("double", [21])
    ours.send(Value(42))
    assert ours.receive(soon(5)) == Value(42)
    thread.join()


def test_a_peer_that_says_nothing_is_waited_for_until_the_deadline(pair):
    began = time.monotonic()
    with pytest.raises(ChannelTimeout):
        pair[0].receive(soon(0.1))
    assert 0.09 <= time.monotonic() - began < 5


def test_a_deadline_that_has_passed_is_a_timeout_at_once(pair):
    with pytest.raises(ChannelTimeout):
        pair[0].receive(soon(-1))
    with pytest.raises(ChannelTimeout):
        pair[0].send(Ran(), soon(-1))


@pytest.mark.parametrize("frame", [framed(b"x" * 10_000), framed(b"x", bytes(10_000))])
def test_a_peer_that_dribbles_bytes_does_not_move_the_deadline(pair, frame):
    ours, theirs = pair
    stop = threading.Event()

    def dribble():
        for byte in frame:
            if stop.wait(0.01):
                return
            theirs.send(bytes([byte]))

    thread = threading.Thread(target=dribble)
    thread.start()
    began = time.monotonic()
    with pytest.raises(ChannelTimeout):
        ours.receive(soon(0.2))
    assert time.monotonic() - began < 5
    stop.set()
    thread.join()


def test_a_peer_that_does_not_read_is_a_timeout(pair):
    with pytest.raises(ChannelTimeout):
        pair[0].send(Value(0).with_bodies([bytes(MAX_BYTES)]), soon())


def test_a_closed_peer_is_said_to_be_closed(pair):
    ours, theirs = pair
    theirs.close()
    with pytest.raises(ChannelClosed):
        ours.receive(soon(5))
    with pytest.raises(ChannelClosed):
        ours.send(Ran())
    with pytest.raises(ChannelClosed):
        ours.send_socket(theirs if theirs.fileno() >= 0 else ours._stream)


@pytest.mark.parametrize("left", [1, 7, 50, len(framed(b"x" * 100, bytes(100))) - 1])
def test_a_message_cut_short_is_a_closed_peer(pair, left):
    ours, theirs = pair
    theirs.sendall(framed(b"x" * 100, bytes(100))[:left])
    theirs.close()
    with pytest.raises(ChannelClosed):
        ours.receive(soon(5))


@pytest.mark.parametrize(
    "data",
    [
        struct.pack("<II", MAX_HEADER + 1, 0),
        struct.pack("<II", 2**32 - 1, 0),
        struct.pack("<II", 1, MAX_BODIES + 1),
        struct.pack("<II", 0, 0),
        struct.pack("<IIQ", 1, 1, MAX_BYTES + 1) + b"x",
        struct.pack("<IIQ", 1, 1, 7 << 40) + b"x",
        struct.pack("<IIQ", 1, 1, 2**64 - 1) + b"x",
        struct.pack("<IIQQ", 1, 2, 2**63, 2**63) + b"x",  # whose sum is 0 in 64 bits
        struct.pack("<IIQQ", 1, 2, MAX_BYTES, 1) + b"x",
        framed(b"\xc1"),
    ],
)
def test_a_false_length_is_refused_before_a_body_is_read(pair, data):
    ours, theirs = pair
    theirs.sendall(data)
    with pytest.raises(WireError):
        ours.receive(soon(5))


@given(st.binary(max_size=100))
def test_random_bytes_end_in_nothing_but_the_channels_own_errors(data):
    ours, theirs = Channel.pair(MAX_BYTES, FROM_SESSION)
    theirs.sendall(data)
    theirs.close()
    with pytest.raises((WireError, ChannelClosed)):
        receive_all(ours)
    ours.close()


def receive_all(channel):
    while True:
        channel.receive(soon(5))


def test_a_message_too_large_is_refused_before_a_byte_of_it_is_sent(pair):
    ours, theirs = pair
    for message in (
        Value(0).with_bodies([bytes(MAX_BYTES), b"1"]),
        Raised("x" * MAX_HEADER),
        Value(0).with_bodies([b""] * (MAX_BODIES + 1)),
    ):
        with pytest.raises(WireError, match="a value of"):
            ours.send(message)
    theirs.setblocking(False)
    with pytest.raises(BlockingIOError):
        theirs.recv(1)


def test_the_words_of_the_refusal_name_the_limit(pair):
    with pytest.raises(WireError, match=r"^a value of more than 1 MB$"):
        pair[0].send(Value(0).with_bodies([np.zeros(MAX_BYTES + 1, np.uint8).data]))


def test_a_socket_is_passed_to_the_other_end(pair):
    ours, theirs = pair
    one, two = socket.socketpair()
    other = Channel(theirs, MAX_BYTES, FROM_SESSION)
    ours.send(Ran())
    ours.send_socket(one)
    assert other.receive(soon(5)) == Ran()
    with other.receive_socket() as passed:
        passed.sendall(b"through")
    one.close()
    assert two.recv(100) == b"through"
    assert two.recv(100) == b""
    two.close()


def test_a_byte_without_a_socket_is_a_closed_channel(pair):
    ours, theirs = pair
    theirs.sendall(b"s")
    with pytest.raises(ChannelClosed):
        ours.receive_socket()


def open_descriptors():
    return sorted(os.listdir("/proc/self/fd"))


@pytest.fixture
def foreign():
    """Descriptors that a student's code might send in place of a socket or beside a message."""
    read, write = os.pipe()
    memory = os.memfd_create("foreign")
    descriptors = [
        read,
        write,
        memory,
        os.open("/", os.O_RDONLY),
        os.open("/dev/zero", os.O_RDWR),
    ]
    yield descriptors
    for descriptor in descriptors:
        os.close(descriptor)


def test_what_is_no_socket_is_not_taken_for_one_and_closed(pair, foreign):
    ours, theirs = pair
    before = open_descriptors()
    for descriptor in foreign:
        socket.send_fds(theirs, [b"s"], [descriptor])
        with pytest.raises(ChannelClosed):
            ours.receive_socket()
    assert open_descriptors() == before


def test_a_passed_socket_is_not_inherited_and_others_beside_it_are_closed(pair, foreign):
    ours, theirs = pair
    before = open_descriptors()
    socket.send_fds(theirs, [b"s"], [theirs.fileno(), *foreign])
    with ours.receive_socket() as passed:
        assert not os.get_inheritable(passed.fileno())
        assert len(open_descriptors()) == len(before) + 1
    assert open_descriptors() == before


HEADER = encode(Value("x" * 20))[0]
FRAME = framed(HEADER, b"first", b"second" * 10)


@pytest.mark.parametrize("at", range(len(FRAME)))
def test_descriptors_that_come_with_any_byte_are_closed(pair, foreign, at):
    ours, theirs = pair
    before = open_descriptors()
    theirs.sendall(FRAME[:at]) if at else None
    socket.send_fds(theirs, [FRAME[at : at + 1]], foreign)
    theirs.sendall(FRAME[at + 1 :])
    assert ours.receive(soon(5)).bodies == [b"first", b"second" * 10]
    assert open_descriptors() == before


def test_as_many_descriptors_as_may_be_sent_are_closed(pair, foreign):
    ours, theirs = pair
    before = open_descriptors()
    for _ in range(20):
        socket.send_fds(theirs, [FRAME], foreign * 50)
        ours.receive(soon(5))
    assert open_descriptors() == before
