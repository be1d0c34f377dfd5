"""The line from a session back to its grader, on which a notebook calls what it is given.

It runs next to the student's code and so is not to be trusted, as the host.
"""

import builtins
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from autograder.authoring.subject import RemoteId
from autograder.sandbox.protocol.kinds import Callback, Message, Raised, Value
from autograder.sandbox.protocol.packed import Reference
from autograder.sandbox.protocol.wire import Packer, unpack

__all__ = ["Line"]

Ask = Callable[[Message], Message]


class Line:
    """Open while a request of the grader runs, for one call at a time."""

    def __init__(self) -> None:
        self._free = threading.Lock()
        self._ask: Ask | None = None
        self._process = 0

    @contextmanager
    def open(self, ask: Ask) -> Iterator[None]:
        """Let the code of the block, and threads that it starts, call back.

        Args:
            ask: sends a message and returns its reply.
        """
        self._ask, self._process = ask, os.getpid()
        try:
            yield
        finally:
            with self._free:  # a thread's call ends before the reply to the request
                self._ask = None

    def function(self, name: str) -> Callable[..., Any]:
        """Return what stands for a function of the notebook and calls back instead."""

        def given(*args: Any, **kwargs: Any) -> Any:
            def refuse(value: object) -> RemoteId:
                kind = type(value).__name__
                raise TypeError(f"{name} is given, and takes values only, no object of type {kind}")

            packer = Packer(refuse)
            values = [packer.pack(arg) for arg in args]
            named = {key: packer.pack(arg) for key, arg in kwargs.items()}
            return self._call(Callback(name, values, named).with_bodies(packer.bodies))

        given.__name__ = given.__qualname__ = name
        return given

    def _call(self, callback: Callback) -> Any:
        if self._process not in (0, os.getpid()):  # its messages would mix with those of this one
            raise RuntimeError(f"{callback.name} is given, and cannot be called by a child process")
        with self._free:
            if self._ask is None:
                raise RuntimeError(f"{callback.name} is given while a check calls, and not later")
            reply = self._ask(callback)
        if isinstance(reply, Raised):
            raise _error(reply)
        assert isinstance(reply, Value)
        return unpack(reply.value, reply.bodies, _no_object)


def _error(reply: Raised) -> Exception:
    """Return the exception that the reference raised, if it is one of Python's own."""
    kind = getattr(builtins, reply.type, None)
    if isinstance(kind, type) and issubclass(kind, Exception):
        try:
            return kind(reply.text)
        except TypeError:  # it wants more than a text
            pass
    return RuntimeError(f"{reply.type}: {reply.text}")


def _no_object(reference: Reference) -> Any:
    raise TypeError(f"an object of type {reference.type_name} was given")
