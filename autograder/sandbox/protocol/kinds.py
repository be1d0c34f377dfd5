"""The protocol: what grader, fork server and session say to each other, a type for each message.

Each end of a channel hears only what the other may say: all else is no message. Arrays travel as
bodies behind the header of the message that holds their values.
"""

from typing import Any, Self

import msgspec

from autograder.errors import WireError
from autograder.sandbox.protocol.packed import Packed

__all__ = [
    "FROM_CALLER",
    "FROM_FORK_SERVER",
    "FROM_GRADER",
    "FROM_OWNER",
    "FROM_REFERENCE",
    "FROM_SESSION",
    "Apply",
    "Attribute",
    "Call",
    "Callback",
    "Cell",
    "Done",
    "End",
    "Ended",
    "Failed",
    "Fork",
    "Forked",
    "Get",
    "Give",
    "Hears",
    "Loaded",
    "Lost",
    "Message",
    "Missing",
    "OnDevice",
    "Raised",
    "Ran",
    "Ready",
    "Reap",
    "Reaped",
    "Refused",
    "Run",
    "Seed",
    "Start",
    "Started",
    "Step",
    "Threads",
    "Unavailable",
    "Value",
    "Watched",
    "encode",
]

MAX_WORDS = 500  # characters of what was received, as an error quotes it


class Message(
    msgspec.Struct,
    tag=str.lower,
    tag_field="kind",
    forbid_unknown_fields=True,
    omit_defaults=True,
):
    """What is said at once."""


class Loaded(Message, dict=True):
    """A message with bodies behind its header, which can hold none itself."""

    @property
    def bodies(self) -> list[Any]:
        """Bytes-like objects; those of a message that was received are nobody else's."""
        bodies: list[Any] = self.__dict__.setdefault("bodies", [])
        return bodies

    def with_bodies(self, bodies: list[Any]) -> Self:
        """Put bodies behind this message and return it."""
        self.__dict__["bodies"] = bodies
        return self


# What a grader asks of a session.


class Run(Loaded):
    """Run cells; the first body holds them, as JSON, and the others files, if there are any.

    Of each cell: its number, its source, its kind, the statement at which it is to stop, and the
    places behind it where checks stand, with whether they ask what names meant there.
    """


class Fork(Message):
    """Fork a child that answers on the socket which is passed next."""


class Reap(Message):
    """Kill that child."""


class Get(Message):
    """Return what a name means; at a place, if names were kept there."""

    name: str
    place: int = 0


class Attribute(Message):
    """Return an attribute of an object."""

    target: int
    name: str


class Call(Loaded):
    """Call an object; one that is watched comes back with its arguments."""

    target: int
    args: list[Packed]
    named: dict[str, Packed] = {}
    watch: bool = False


class Apply(Loaded):
    """Run a helper, which is a text, beside the notebook's code."""

    helper: str
    source: str
    args: list[Packed]
    named: dict[str, Packed] = {}


class Seed(Message):
    """Seed all generators of random numbers, and turn switches to how they were at a place.

    ``tf32`` says whether a GPU may round the factors of a product to 10 bits, ``wake`` whether to
    wake it first.
    """

    number: int
    place: int = 0
    tf32: bool = False
    wake: bool = False


class Give(Message):
    """Call back in place of these functions from now on."""

    names: list[str]


# Replies: a session's to a grader, and a grader's to a callback.


class Value(Loaded):
    """The value that was asked for; None where nothing was."""

    value: Packed


class Watched(Loaded):
    """What a call that is watched returns, its arguments behind it, and how they are called."""

    value: Packed
    args: list[Packed]
    named: dict[str, Packed]
    parameters: list[str] = []


class Missing(Message):
    """There is nothing of this name."""

    name: str


class Raised(Message):
    """An exception: its type, what it says, and where in the notebook it was raised."""

    type: str
    text: str = ""
    place: str = ""


# What else a session says.


class Callback(Loaded):
    """A call of a function that is given."""

    name: str
    args: list[Packed]
    named: dict[str, Packed] = {}


class Cell(Message):
    """A cell begins."""

    number: int


class Step(Message):
    """A statement of the cell begins: should it end the session, those above it count."""

    statement: int
    line: int


class Done(Message):
    """A cell has ended.

    ``raised`` is the type of what it raised, with ``text`` on it; ``printed`` counts characters;
    ``touched`` says that it may have changed what cells above had left; ``kept`` are names that the
    student had defined above this stub, which therefore left them so.
    """

    raised: str = ""
    text: str = ""
    printed: int = 0
    touched: bool = False
    kept: list[str] = []


class Ran(Message):
    """All cells have run."""


class Forked(Message):
    """The child answers."""


class Threads(Message):
    """There is no child: the notebook has started threads."""


class OnDevice(Message):
    """There is no child: the notebook uses a GPU, which a fork of its process cannot."""


class Lost(Message):
    """A kernel on the GPU broke: nothing more can be computed there by this process."""

    text: str


class Refused(Message):
    """There is no child: there are as many processes as there may be."""


class Reaped(Message):
    """The child is gone."""


# What a fork server's owner asks of it, and what it says.


class Start(Message):
    """Start a session that speaks on the socket which is passed next."""


class End(Message):
    """End a session, which may be about to end by itself."""

    session: int
    by_itself: bool


class Ready(Message):
    """The fork server is warm; it has so many threads."""

    threads: int


class Unavailable(Message):
    """These walls cannot be had on this machine."""

    reason: str


class Failed(Message):
    """The fork server cannot warm up."""

    reason: str


class Started(Message):
    """A session is there, as this process."""

    session: int


class Ended(Message):
    """A session is gone: how it had ended by itself, and its seconds of the processor."""

    status: int
    seconds: float


class Hears:
    """What one end of a channel hears."""

    def __init__(self, kinds: Any) -> None:
        self._decoder = msgspec.msgpack.Decoder(kinds)

    def decode(self, header: bytes | memoryview, bodies: list[Any]) -> Message:
        """Return the message of a header and its bodies, which are writable and nobody else's.

        Raises:
            WireError: it is none of those that may come.
        """
        try:
            message: Message = self._decoder.decode(header)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            raise WireError(f"malformed header: {str(error)[:MAX_WORDS]}") from None
        if isinstance(message, Loaded):
            return message.with_bodies(bodies)
        if bodies:
            raise WireError("bodies behind a message that has none")
        return message


_Request = Run | Fork | Reap | Get | Attribute | Call | Apply | Seed | Give
_Reply = Value | Watched | Missing | Raised | Callback | Lost
_Unforked = Threads | OnDevice | Refused
_Report = Cell | Step | Done | Ran | Forked | _Unforked | Reaped | Unavailable
FROM_GRADER = Hears(_Request | Value | Raised)
FROM_SESSION = Hears(_Reply | _Report)
FROM_CALLER = Hears(Callback)
FROM_REFERENCE = Hears(Value | Raised)
FROM_OWNER = Hears(Start | End)
FROM_FORK_SERVER = Hears(Ready | Unavailable | Failed | Started | Ended)
_encoder = msgspec.msgpack.Encoder()


def encode(message: Message) -> tuple[bytes, list[Any]]:
    """Return a message's header and its bodies."""
    return _encoder.encode(message), message.bodies if isinstance(message, Loaded) else []
