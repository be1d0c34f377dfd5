"""A channel: messages in length-prefixed frames over a stream socket, with a deadline."""

import socket
import struct
import time
from typing import Any

from autograder.errors import WireError
from autograder.sandbox.wire import Message, decode, encode

__all__ = ["Channel", "ChannelClosed", "ChannelTimeout"]

MAX_HEADER = 1 << 20
MAX_BODIES = 4096
_PREFIX = struct.Struct("<II")
_LENGTH = struct.Struct("<Q")


class ChannelClosed(Exception):
    """The other end is gone."""


class ChannelTimeout(Exception):
    """The other end did not answer before the deadline."""


class Channel:
    """One end of a stream socket that speaks messages.

    Args:
        stream: a connected stream socket; the channel owns it.
        max_bytes: the most bytes that the bodies of one message may have.
    """

    def __init__(self, stream: socket.socket, max_bytes: int) -> None:
        self._stream, self.max_bytes = stream, max_bytes

    @classmethod
    def pair(cls, max_bytes: int) -> tuple["Channel", socket.socket]:
        """Return a channel and the socket of its other end."""
        ours, theirs = socket.socketpair()
        return cls(ours, max_bytes), theirs

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
        if sum(len(body) for body in bodies) > self.max_bytes:
            raise WireError(f"a value of more than {self.max_bytes >> 20} MB")
        prefix = _PREFIX.pack(len(header), len(bodies))
        lengths = b"".join(_LENGTH.pack(len(body)) for body in bodies)
        self._write(prefix + lengths + header, deadline)
        for body in bodies:
            self._write(body, deadline)

    def receive(self, deadline: float | None = None) -> Message:
        """Return the next message.

        Raises:
            WireError: what came is no message.
            ChannelClosed: the other end is gone.
            ChannelTimeout: nothing whole came before the deadline.
        """
        length, count = _PREFIX.unpack(self._read(_PREFIX.size, deadline))
        if length > MAX_HEADER or count > MAX_BODIES:
            raise WireError(f"a header of {length} bytes with {count} bodies")
        lengths = [
            size for (size,) in _LENGTH.iter_unpack(self._read(_LENGTH.size * count, deadline))
        ]
        if sum(lengths) > self.max_bytes:
            raise WireError(f"bodies of {sum(lengths)} bytes")
        header = bytes(self._read(length, deadline))
        return decode(header, [self._read(size, deadline) for size in lengths])

    def send_socket(self, passed: socket.socket) -> None:
        """Pass a socket to the other end, which must ask for it with `receive_socket`."""
        try:
            socket.send_fds(self._stream, [b"s"], [passed.fileno()])
        except OSError:
            raise ChannelClosed from None

    def receive_socket(self) -> socket.socket:
        """Return a socket that the other end passed."""
        _, descriptors, _, _ = socket.recv_fds(self._stream, 1, 1)
        if not descriptors:
            raise ChannelClosed
        return socket.socket(fileno=descriptors[0])

    def fileno(self) -> int:
        """Return the socket's file descriptor."""
        return self._stream.fileno()

    def close(self) -> None:
        """Close this end."""
        self._stream.close()

    def _write(self, data: Any, deadline: float | None) -> None:
        self._set_timeout(deadline)
        try:
            self._stream.sendall(data)
        except TimeoutError:
            raise ChannelTimeout from None
        except OSError:
            raise ChannelClosed from None

    def _read(self, size: int, deadline: float | None) -> bytearray:
        data = bytearray(size)
        view, done = memoryview(data), 0
        while done < size:
            self._set_timeout(deadline)
            try:
                count = self._stream.recv_into(view[done:])
            except TimeoutError:
                raise ChannelTimeout from None
            except OSError:
                raise ChannelClosed from None
            if not count:
                raise ChannelClosed
            done += count
        return data

    def _set_timeout(self, deadline: float | None) -> None:
        if deadline is None:
            self._stream.settimeout(None)
            return
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise ChannelTimeout
        self._stream.settimeout(remaining)
