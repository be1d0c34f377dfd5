"""Sessions over messages: a check's calls become requests, replies become values."""

import functools
import inspect
import textwrap
from collections.abc import Callable
from types import CodeType
from typing import Any

from autograder.authoring.subject import Handle, Helper
from autograder.errors import (
    HarnessError,
    NotImplementedYet,
    StudentError,
    StudentKilled,
    UnsendableArgument,
    WireError,
)
from autograder.sandbox.callbacks import CALLBACK, Callbacks
from autograder.sandbox.host import Host
from autograder.sandbox.sameness import same
from autograder.sandbox.wire import (
    Items,
    Mapping,
    Message,
    Packed,
    Packer,
    Reference,
    decode,
    encode,
    unpack,
)

__all__ = ["MISSING", "InProcessSession", "MessageSession"]

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
        return self._value(self._send(Message("get", text=name)))

    def attribute(self, target: int, name: str) -> Any:
        """Return an attribute of an object."""
        return self._value(self._send(Message("attribute", text=name, number=target)))

    def call(
        self, target: int, args: tuple[Any, ...], kwargs: dict[str, Any], watch: bool
    ) -> tuple[Any, tuple[int | str, ...]]:
        """Call an object; return its value and, if watched, which arguments it changed."""
        request = _packed("call", "watch" if watch else "", args, kwargs)
        request.number = target
        reply = self._send(request)
        if not watch:
            return self._value(reply), ()
        _, after, named = _counted(reply, 3)
        if not isinstance(after, Items) or after.frozen or not isinstance(named, Mapping):
            raise StudentKilled(OUT_OF_TURN)
        if len(after.items) != len(args):
            raise StudentKilled(OUT_OF_TURN)
        # As they were sent and as they came back: what came is looked at, and not turned into
        # values that nobody needs.
        pairs = [(sent, after.items[i]) for i, sent in enumerate(request.values)]
        changed: list[int | str] = [
            i for i, pair in enumerate(pairs) if not same(*pair, request.bodies, reply.bodies)
        ]
        for key, sent in request.named.items():
            if not same(sent, named.items.get(key), request.bodies, reply.bodies):
                changed.append(key)
        names = _names(reply.text)
        return _unpacked(reply.values[0], reply.bodies), tuple(
            names.get(which, which) if isinstance(which, int) else which for which in changed
        )

    def apply(self, helper: Helper, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a helper beside the notebook's code; its source is shipped as text."""
        request = _packed("apply", helper.__name__, (_source_of(helper), *args), kwargs)
        return self._value(self._send(request))

    def seed(self, number: int) -> None:
        """Seed the session's own generators of random numbers."""
        self._send(Message("seed", number=number))

    def give(self, callbacks: Callbacks) -> None:
        """Put callbacks in place of functions of the notebook, from now on."""
        self._callbacks = None
        self._send(Message("give", values=list(callbacks.names)))
        self._callbacks = callbacks

    def _send(self, request: Message) -> Message:
        reply = self._reply_to(request)
        if reply.kind == "value":
            return reply
        text = reply.text[:MAX_TEXT]
        if reply.kind == "missing":
            name = request.text if request.kind == "get" else text
            raise StudentError(self._missing(name) if name.isidentifier() else MISSING.format(name))
        if reply.kind != "raised":
            raise StudentKilled(OUT_OF_TURN)
        name, place = (
            value[:MAX_TEXT] if isinstance(value, str) else ""
            for value in (*reply.values, "", "")[:2]
        )
        name = name or "an error"
        if name == "NotImplementedError":
            raise NotImplementedYet(place)
        if name == "MemoryError":
            raise StudentKilled("ran out of memory", place)
        raise StudentError(f"{name}: {text}" if text else name, place)

    def _missing(self, name: str) -> str:
        """Return what there is to say of a name that is not defined."""
        return MISSING.format(name)

    def _reply_to(self, request: Message) -> Message:
        """Return the reply to a request, after answering the callbacks that come before it."""
        if self._callbacks is None:
            return self._ask(request)
        self._callbacks.begin()
        reply = self._ask(request)
        while reply.kind == CALLBACK:
            answer = self._answer(reply)
            try:
                reply = self._ask(answer)
            except UnsendableArgument:
                text = f"{reply.text}: the reference's value is too large to be given"
                reply = self._ask(Message("raised", text=text, values=["ValueError"]))
        self._callbacks.require_time()
        return reply

    def _answer(self, callback: Message) -> Message:
        if self._callbacks is None:
            raise StudentKilled(OUT_OF_TURN)
        return self._callbacks.answer(callback)

    def _value(self, reply: Message) -> Any:
        return _unpacked(_counted(reply, 1)[0], reply.bodies)


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

    def _ask_host(self, request: Message) -> Message:
        arrived = _carried(request)
        arrived.back = lambda callback: _carried(self._answer(_carried(callback)))
        return _carried(self._host.handle(arrived))


def _carried(message: Message) -> Message:
    """Return a message as it arrives at the other end of a channel."""
    header, bodies = encode(message)
    return decode(header, [bytearray(body) for body in bodies])


def _source_of(helper: Helper) -> str:
    """Return the text that defines a helper: a function by ``def``, which is shipped as text."""
    source = _source_at(getattr(helper, "__code__", None))
    if not source.lstrip().startswith(("def ", "@")):
        raise HarnessError(f"the source of helper {helper!r}, a function by def, is not to be had")
    return source


@functools.cache
def _source_at(code: CodeType | None) -> str:
    """Return the text of a code object: a helper inside a check is a new function each time."""
    try:
        return textwrap.dedent(inspect.getsource(code)) if code else ""
    except OSError:
        return ""


def _packed(kind: str, text: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Message:
    packer = Packer(_refuse)
    try:
        values = [packer.pack(arg) for arg in args]
        named = {key: packer.pack(value) for key, value in kwargs.items()}
    except WireError as error:
        raise UnsendableArgument(f"an argument of a check cannot be sent: {error}") from None
    return Message(kind, text=text, values=values, named=named, bodies=packer.bodies)


def _refuse(value: object) -> Handle:
    raise WireError(f"an object of type {type(value).__name__}")


def _handle(reference: Reference) -> Handle:
    return Handle(reference.number, reference.type_name[:100])


def _counted(reply: Message, count: int) -> list[Packed]:
    """Return a reply's values, which are as many as are due."""
    if len(reply.values) != count:
        raise StudentKilled(OUT_OF_TURN)
    return reply.values


def _unpacked(packed: Packed, bodies: list[Any]) -> Any:
    """Return the value of what a session sent; whatever is wrong with it is the session's fault."""
    try:
        return unpack(packed, bodies, _handle)
    except (WireError, MemoryError, ValueError, OverflowError, RuntimeError) as error:
        text = str(error)[:MAX_TEXT]
        raise StudentKilled(f"the session sent a malformed value: {text}") from None


def _names(text: str) -> dict[int, str]:
    """Return the names of parameters by their places, as the session says them: plain, or none."""
    return {
        place: name
        for place, name in enumerate(text[:MAX_TEXT].split(","))
        if len(name) <= MAX_NAME and name.isascii() and name.isidentifier()
    }
