"""A rehearsal of both sides: a fork server that imports this module has run a test of ours.

What a process has not run yet costs it several times as much: the interpreter fits code to what
it meets, libraries look up what they keep, and a fork gets pages of its own for all that. So the
first test of each student took 4 ms more.
"""

import os
from contextlib import suppress
from typing import Any

from autograder.foreign.inside import answering, testing
from autograder.foreign.inside.answering import BACK
from autograder.foreign.inside.requests import ANSWER, RUN, names_request
from autograder.foreign.inside.testing import ASK
from autograder.sandbox.inside.host import Host
from autograder.sandbox.protocol.kinds import (
    FROM_GRADER,
    Apply,
    Callback,
    Give,
    Message,
    Value,
    encode,
)
from autograder.sandbox.protocol.wire import Packer, unpack

__all__ = ["rehearse"]

NOTEBOOK = """
def add(x, by=1):
    "Add."
    return x + by


def both(x, *, key):
    return x, key
"""
NAMES = ["add", "both"]
TEST = """
import numpy as np
from numpy.testing import assert_allclose

assert add(3) == 4 and add(2.5, by=2) == 4.5 and isinstance(add("x", "y"), str)
assert_allclose(add(np.arange(3.0)), [1.0, 2.0, 3.0])
assert both([1, 2.0], key={"a": None, "b": (True,)}) == ([1, 2.0], {"a": None, "b": (True,)})
try:
    add(None)
except TypeError:
    pass
else:
    raise AssertionError
"""


def rehearse() -> None:
    """Run a test of ours on code of ours in this process, on the way that those of a course go.

    Raises:
        RuntimeError: it did not pass.
    """
    former = os.environ.copy()
    notebook: dict[str, Any] = {"__name__": "__main__"}
    exec(NOTEBOOK, notebook)
    students, tests = Host(notebook), Host({"__name__": "__main__"})

    def nobody(message: Message) -> Message:
        raise RuntimeError("nobody was to be asked")

    def relay(message: Message) -> Message:
        assert isinstance(message, Callback)
        request = Apply("answer", ANSWER, message.args).with_bodies(message.bodies)
        return _sent(students, request, nobody)

    try:
        _sent(students, Give([BACK]), nobody)
        _sent(tests, Give([ASK]), nobody)
        pack = Packer(_refuse).pack
        meant = _sent(students, Apply("answer", ANSWER, [pack(names_request(NAMES))]), nobody)
        about = [TEST, NAMES, [], ["call"], "<rehearsal>", True, TEST]
        said_of_names = meant.value if isinstance(meant, Value) else None
        reply = _sent(tests, Apply("run", RUN, [*map(pack, about), said_of_names]), relay)
        said = unpack(reply.value, reply.bodies, _refuse) if isinstance(reply, Value) else reply
        if not isinstance(said, dict) or "error" in said:
            raise RuntimeError(f"the rehearsal did not pass: {said}")
    finally:
        testing._tests = answering._answering = None
        os.environ.clear()
        os.environ.update(former)


def _sent(host: Host, message: Message, ask: Any) -> Message:
    """Return what a host answers to a message that has come to it as it comes to a session."""
    header, bodies = encode(message)
    return host.handle(FROM_GRADER.decode(header, [memoryview(bytearray(b)) for b in bodies]), ask)


def _refuse(value: object) -> Any:
    raise TypeError(f"an object of type {type(value).__name__}")


with suppress(Exception):  # then the first test is slower, and no worse
    rehearse()
