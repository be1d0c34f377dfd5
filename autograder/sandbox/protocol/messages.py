"""Sessions over messages: a check's calls become requests, replies become values."""

import functools
import inspect
import linecache
import os
import textwrap
from collections.abc import Callable, Sequence
from types import CodeType
from typing import Any, TypeVar

from autograder.authoring.layouts import are_kept
from autograder.authoring.subject import Helper, RemoteId
from autograder.errors import (
    HarnessError,
    NotImplementedYet,
    StudentError,
    StudentKilled,
    UnsendableArgument,
    WireError,
)
from autograder.sandbox.inside.host import Host
from autograder.sandbox.inside.sameness import same
from autograder.sandbox.protocol.callbacks import Callbacks
from autograder.sandbox.protocol.helper_imports import imports_of
from autograder.sandbox.protocol.kinds import (
    FROM_GRADER,
    FROM_SESSION,
    Apply,
    Attribute,
    Call,
    Callback,
    Get,
    Give,
    Hears,
    Message,
    Missing,
    Raised,
    Seed,
    Value,
    Watched,
    encode,
)
from autograder.sandbox.protocol.packed import Packed, Reference
from autograder.sandbox.protocol.wire import Packer, unpack

__all__ = ["MISSING", "InProcessSession", "MessageSession", "Reply"]

Reply = TypeVar("Reply", Value, Watched)
MAX_TEXT = 2000
MISSING = "{} is not defined in the notebook"
MAX_NAME = 40  # of a parameter, as a message tells it
OUT_OF_TURN = "the session answered out of turn"


class MessageSession:
    """A `Session` whose every method is one request and its reply.

    Args:
        ask: sends a request and returns the reply; raises `StudentError` if there is none.
    """

    def __init__(self, ask: Callable[[Message], Message]) -> None:
        self._ask = ask
        self._callbacks: Callbacks | None = None

    def get(self, name: str) -> Any:
        """Return the value of a name in the notebook."""
        return self._value(Get(name))

    def attribute(self, target: int, name: str) -> Any:
        """Return an attribute of an object."""
        return self._value(Attribute(target, name))

    def call(
        self, target: int, args: tuple[Any, ...], kwargs: dict[str, Any], watch: bool
    ) -> tuple[Any, tuple[int | str, ...]]:
        """Call an object; return its value and, if watched, which arguments it changed."""
        packed, named, bodies = _packed(args, kwargs)
        request = Call(target, packed, named, watch).with_bodies(bodies)
        if not watch:
            return self._value(request), ()
        reply = self._send(request, Watched)
        if len(reply.args) != len(args):
            raise StudentKilled(OUT_OF_TURN)
        # As they were sent and as they came back: what came is looked at, and not turned into
        # values that nobody needs.
        pairs = zip(request.args, reply.args, strict=True)
        changed: list[int | str] = [
            i for i, pair in enumerate(pairs) if not same(*pair, request.bodies, reply.bodies)
        ]
        for key, sent in request.named.items():
            if not same(sent, reply.named.get(key), request.bodies, reply.bodies):
                changed.append(key)
        names = _names(reply.parameters[: len(args)])
        return _unpacked(reply.value, reply.bodies), tuple(
            names.get(which, which) if isinstance(which, int) else which for which in changed
        )

    def apply(self, helper: Helper, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a helper beside the notebook's code; its source is shipped as text."""
        packed, named, bodies = _packed(args, kwargs)
        request = Apply(helper.__name__, _source_of(helper), packed, named)
        return self._value(request.with_bodies(bodies))

    def seed(self, number: int) -> None:
        """Seed the session's own generators of random numbers."""
        self._send(Seed(number), Value)

    def give(self, callbacks: Callbacks) -> None:
        """Put callbacks in place of functions of the notebook, from now on."""
        self._callbacks = None
        self._send(Give(list(callbacks.names)), Value)
        self._callbacks = callbacks

    def _send(self, request: Message, wanted: type[Reply]) -> Reply:
        """Return the reply to a request, which must be of this type.

        Raises:
            StudentError: it tells of an error, or is no reply to this.
        """
        reply = self._reply_to(request)
        if isinstance(reply, wanted):
            return reply
        if isinstance(reply, Missing):
            name = request.name if isinstance(request, Get) else reply.name[:MAX_TEXT]
            raise StudentError(self._missing(name) if name.isidentifier() else MISSING.format(name))
        if not isinstance(reply, Raised):
            raise StudentKilled(OUT_OF_TURN)
        kind, text, place = (said[:MAX_TEXT] for said in (reply.type, reply.text, reply.place))
        kind = kind or "an error"
        if kind == "NotImplementedError":
            raise NotImplementedYet(place)
        if kind == "MemoryError":
            raise StudentKilled("ran out of memory", place)
        raise StudentError(f"{kind}: {text}" if text else kind, place)

    def _missing(self, name: str) -> str:
        """Return what there is to say of a name that is not defined."""
        return MISSING.format(name)

    def _reply_to(self, request: Message) -> Message:
        """Return the reply to a request, after answering the callbacks that come before it."""
        if self._callbacks is None:
            return self._ask(request)
        self._callbacks.begin()
        reply = self._ask(request)
        while isinstance(callback := reply, Callback):
            answer = self._answer(callback)
            try:
                reply = self._ask(answer)
            except UnsendableArgument:
                text = f"{callback.name}: the reference's value is too large to be given"
                reply = self._ask(Raised("ValueError", text))
        self._callbacks.require_time()
        return reply

    def _answer(self, callback: Callback) -> Value | Raised:
        if self._callbacks is None:
            raise StudentKilled(OUT_OF_TURN)
        return self._callbacks.answer(callback)

    def _value(self, request: Message) -> Any:
        """Return the value that is the reply to a request."""
        reply = self._send(request, Value)
        return _unpacked(reply.value, reply.bodies)


class InProcessSession(MessageSession):
    """A session on a namespace of this process, for code that is trusted.

    Every value goes through the wire's form and back, so that it behaves as a sandboxed session
    does: arguments are copies, and only values return.

    Args:
        namespace: what the code behind it defined.
        host: makes what answers about it.
    """

    def __init__(
        self, namespace: dict[str, Any], host: Callable[[dict[str, Any]], Host] = Host
    ) -> None:
        super().__init__(self._ask_host)
        self._host = host(namespace)

    def processes(self) -> tuple[int, ...] | None:
        """Return the number of this process."""
        return (os.getpid(),)

    def _ask_host(self, request: Message) -> Message:
        reply = self._host.handle(_carried(request, FROM_GRADER), self._ask_back)
        return _carried(reply, FROM_SESSION)

    def _ask_back(self, callback: Message) -> Message:
        arrived = _carried(callback, FROM_SESSION)
        assert isinstance(arrived, Callback)
        return _carried(self._answer(arrived), FROM_GRADER)


def _carried(message: Message, hears: Hears) -> Message:
    """Return a message as it arrives at the other end of a channel."""
    header, bodies = encode(message)
    return hears.decode(header, [bytearray(body) for body in bodies])


def _source_of(helper: Helper) -> str:
    """Return the text that defines a helper: a function by ``def``, which is shipped as text.

    What it uses of the imports around it comes before.
    """
    source = _source_at(getattr(helper, "__code__", None))
    if not source.lstrip().startswith(("def ", "@")):
        raise HarnessError(
            f"the source of helper {helper!r} cannot be read; define it with def in a cell"
        )
    return "".join(imports_of(helper)) + source


@functools.cache
def _source_at(code: CodeType | None) -> str:
    """Return the text of a code object: a helper inside a check is a new function each time.

    As `inspect.getsource` finds it, without its look through all that is imported.
    """
    lines = linecache.getlines(code.co_filename) if code else []
    if code is None or len(lines) < code.co_firstlineno:
        return ""
    return textwrap.dedent("".join(inspect.getblock(lines[code.co_firstlineno - 1 :])))


def _packed(
    args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[list[Packed], dict[str, Packed], list[Any]]:
    """Return arguments as they travel, and their bodies."""
    packer = Packer(_refuse, are_kept())
    try:
        packed = [packer.pack(arg) for arg in args]
        named = {key: packer.pack(value) for key, value in kwargs.items()}
    except WireError as error:
        raise UnsendableArgument(f"an argument of a check cannot be sent: {error}") from None
    return packed, named, packer.bodies


def _refuse(value: object) -> RemoteId:
    raise WireError(f"an object of type {type(value).__name__}")


def _handle(reference: Reference) -> RemoteId:
    return RemoteId(reference.number, reference.type_name[:100])


def _unpacked(packed: Packed, bodies: list[Any]) -> Any:
    """Return the value of what a session sent; whatever is wrong with it is the session's fault."""
    try:
        return unpack(packed, bodies, _handle)
    except (WireError, MemoryError, ValueError, OverflowError, RuntimeError) as error:
        text = str(error)[:MAX_TEXT]
        raise StudentKilled(f"the session sent a malformed value: {text}") from None


def _names(parameters: Sequence[str]) -> dict[int, str]:
    """Return the names of parameters by their places, as the session says them: plain, or none."""
    return {
        place: name
        for place, name in enumerate(parameters)
        if len(name) <= MAX_NAME and name.isascii() and name.isidentifier()
    }
