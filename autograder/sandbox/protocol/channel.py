"""A channel: messages in length-prefixed frames over a stream socket, with a deadline.

A frame is the lengths of the header and of the list of bodies, the length of each body, the
header, and the bodies, each filled up to a multiple of `ALIGNMENT`. Bodies of any size travel as
bytes, copied once on each side: measured, that costs a grader less than a sealed memfd, and it
never has to hold a file that a student's code has made.
"""

import os
import select
import socket
import struct
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np

from autograder.errors import WireError
from autograder.sandbox.protocol.kinds import Hears, Message, Unavailable, encode

__all__ = ["Channel", "ChannelClosed", "ChannelTimeout", "expect"]

MAX_HEADER = 1 << 20
MAX_BODIES = 4096
ALIGNMENT = 16  # of each body in the memory of its receiver, as arrays want it
MAX_REASON = 500  # characters of what was received, as an error quotes it
M = TypeVar("M", bound=Message)
SMALL = 1 << 16  # bytes of bodies that are faster sent and received together
_PREFIX = struct.Struct("<II")
_DESCRIPTOR = struct.Struct("i")


class ChannelClosed(Exception):
    """The other end is gone."""


class ChannelTimeout(Exception):
    """The other end did not answer before the deadline."""


class Channel:
    """One end of a stream socket that speaks messages.

    Args:
        stream: a connected stream socket that blocks; the channel owns it.
        max_bytes: the most bytes that the bodies of one message may have.
        hears: what the other end may say.
    """

    def __init__(self, stream: socket.socket, max_bytes: int, hears: Hears) -> None:
        self._stream, self.max_bytes, self._hears = stream, max_bytes, hears

    @classmethod
    def pair(cls, max_bytes: int, hears: Hears) -> tuple["Channel", socket.socket]:
        """Return a channel and the socket of its other end."""
        ours, theirs = socket.socketpair()
        return cls(ours, max_bytes, hears), theirs

    def send(self, message: Message, deadline: float | None = None) -> None:
        """Send a message.

        Args:
            message: whose bodies may not exceed the channel's limit.
            deadline: a time of `time.monotonic`; None waits for ever.

        Raises:
            WireError: the message is too large.
            ChannelClosed: the other end is gone.
            ChannelTimeout: the other end does not read.
        """
        header, bodies = encode(message)
        if len(header) > MAX_HEADER or len(bodies) > MAX_BODIES:
            raise WireError("a value of too many parts; an array holds any number")
        lengths = [len(body) for body in bodies]
        if sum(lengths) > self.max_bytes:
            raise WireError(f"a value of more than {self.max_bytes >> 20} MB")
        if deadline is not None and time.monotonic() >= deadline:
            raise ChannelTimeout
        parts = [
            _PREFIX.pack(len(header), len(bodies)),
            _lengths(len(bodies)).pack(*lengths),
            header,
        ]
        for body, length in zip(bodies, lengths, strict=True):
            parts += (body, bytes(_filled(length) - length))
        if sum(lengths) <= SMALL:
            parts = [b"".join(parts)]
        for part in parts:
            view, waits = memoryview(part), False
            while view:
                sent = self._do(self._stream.send, view, select.POLLOUT, deadline, waits)
                view, waits = view[sent:], True

    def receive(self, deadline: float | None = None) -> Message:
        """Return the next message; its bodies are writable and nobody else's.

        Raises:
            WireError: what came is no message.
            ChannelClosed: the other end is gone.
            ChannelTimeout: nothing whole came before the deadline.
        """
        length, count = _PREFIX.unpack(self._read(_PREFIX.size, deadline, waits=True))
        if not 0 < length <= MAX_HEADER or count > MAX_BODIES:
            raise WireError(f"a header of {length} bytes with {count} bodies")
        table = _lengths(count)
        head = self._read(table.size + length, deadline)
        lengths = table.unpack_from(head)
        if sum(lengths) > self.max_bytes:
            raise WireError(f"bodies of {sum(lengths)} bytes")
        bodies = self._read_bodies(lengths, deadline)
        return self._hears.decode(memoryview(head)[table.size :], bodies)

    def ask(self, message: Message) -> Message:
        """Send a message and return the next one, however long it takes."""
        self.send(message)
        return self.receive()

    def send_socket(self, passed: socket.socket) -> None:
        """Pass a socket to the other end, which must ask for it with `receive_socket`."""
        try:
            socket.send_fds(self._stream, [b"s"], [passed.fileno()])
        except OSError:
            raise ChannelClosed from None

    def receive_socket(self) -> socket.socket:
        """Return a socket that the other end passed."""
        room = socket.CMSG_LEN(_DESCRIPTOR.size)  # for one; the kernel closes others
        _, ancillary, _, _ = self._stream.recvmsg(1, room, socket.MSG_CMSG_CLOEXEC)
        if not ancillary:
            raise ChannelClosed
        (descriptor,) = _DESCRIPTOR.unpack(ancillary[0][2])
        try:
            return socket.socket(fileno=descriptor)
        except OSError:  # it is no socket
            os.close(descriptor)
            raise ChannelClosed from None

    def is_silent(self) -> bool:
        """Return whether the other end is there, as far as is known, and has said nothing."""
        poll = select.poll()
        poll.register(self._stream, select.POLLIN)
        return not poll.poll(0)

    def fileno(self) -> int:
        """Return the socket's file descriptor."""
        return self._stream.fileno()

    def close(self) -> None:
        """Close this end."""
        self._stream.close()

    def _read(self, size: int, deadline: float | None, waits: bool = False) -> bytes | bytearray:
        """Return so many bytes.

        Nothing is read beyond them: what else was sent stays in order with passed sockets.
        Descriptors that came with them are closed by the kernel, as none is asked for.

        Args:
            size: how many, at least one.
            deadline: as in `receive`.
            waits: whether they are most likely not there yet.
        """
        data: bytes = self._do(self._stream.recv, size, select.POLLIN, deadline, waits)
        if len(data) == size:
            return data
        whole = bytearray(data)
        while len(whole) < size:
            left = size - len(whole)
            whole += self._do(self._stream.recv, left, select.POLLIN, deadline, waits=True)
        return whole

    def _read_bodies(self, lengths: Sequence[int], deadline: float | None) -> list[Any]:
        """Return bodies in memory of their own, which is untouched where no bytes come."""
        size = sum(map(_filled, lengths))
        whole = memoryview(bytearray(size) if size <= SMALL else np.empty(size, np.uint8).data)
        left, waits = whole, False
        while left:
            count = self._do(self._receive_into, left, select.POLLIN, deadline, waits)
            left, waits = left[count:], True
        bodies, at = [], 0
        for length in lengths:
            bodies.append(whole[at : at + length])
            at += _filled(length)
        return bodies

    def _receive_into(self, view: memoryview, flags: int) -> int:
        return self._stream.recv_into(view, 0, flags)

    def _do(
        self,
        call: Callable[[Any, int], Any],
        argument: Any,
        event: int,
        deadline: float | None,
        waits: bool,
    ) -> Any:
        """Return what a system call on the stream returns, which is never nothing.

        Args:
            call: gets the argument and flags.
            argument: its own.
            event: for which `select.poll` waits.
            deadline: as in `receive`.
            waits: whether to wait first: without it, the deadline is not looked at.
        """
        flags = 0 if deadline is None else socket.MSG_DONTWAIT
        while True:
            if waits and deadline is not None:
                self._wait(event, deadline)
            try:
                done = call(argument, flags)
            except BlockingIOError:
                waits = True
                continue
            except TimeoutError:  # the watchdog's, and no end of the stream
                raise
            except OSError:
                raise ChannelClosed from None
            if not done:
                raise ChannelClosed
            return done

    def _wait(self, event: int, deadline: float) -> None:
        """Wait until the stream can be read or written, or for the deadline."""
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise ChannelTimeout
        if self._stream.fileno() < 0:
            raise ChannelClosed
        poll = select.poll()
        poll.register(self._stream, event)
        poll.poll(remaining * 1000)


@lru_cache(maxsize=64)
def _lengths(count: int) -> struct.Struct:
    return struct.Struct(f"<{count}Q")


def _filled(size: int) -> int:
    """Return the length of a body with what fills it up."""
    return size + -size % ALIGNMENT


def expect(channel: Channel, kind: type[M], deadline: float) -> M:
    """Return the next message, which must be of this type.

    Raises:
        WireError: it is not; so do all errors of `Channel.receive`.
    """
    message = channel.receive(deadline)
    if isinstance(message, kind):
        return message
    if isinstance(message, Unavailable):  # what a student's code says so is untimely, too
        raise WireError(message.reason[:MAX_REASON])
    raise WireError(f"{type(message).__name__}, where {kind.__name__} was to come")
