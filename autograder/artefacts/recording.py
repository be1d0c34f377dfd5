"""A recording: the reference's replies to the visible cases, in a file of the release."""

import json
from collections.abc import Mapping

import msgspec

from autograder.authoring.standard import Standard
from autograder.errors import HarnessError
from autograder.sandbox.limits import Limits
from autograder.sandbox.protocol.packed import Packed

__all__ = ["FILE", "Recording", "Reply", "Sketch", "dump_recording", "load_recording"]

FILE = "recording.json"
_RUNS = ("call", "apply")  # the rest of what is asked reads values


class Sketch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What tells the arguments of one call from those of another.

    Not one hash: two platforms may draw numbers that differ in the last place.

    Attributes:
        exact: a hash of all that is no fraction: texts, integers, shapes, keys.
        rough: of each array of floats, two weighted means: of the sizes, and of the values.
    """

    exact: str
    rough: tuple[tuple[float, float], ...]


class Reply(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One reply of the reference: what was asked, roughly with what, and the value."""

    asked: str
    sketch: Sketch
    value: Packed
    bodies: tuple[bytes, ...] = ()


class Recording(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The replies to each visible case, by check and case, in the order in which they are asked.

    ``standards`` are those of the checks which do not have the default; ``call_seconds`` is the
    limit on one call of those that have none of their own.
    """

    assignment: str
    replies: dict[str, dict[str, tuple[Reply, ...]]]
    standards: dict[str, Standard] = {}
    call_seconds: float = Limits.call_seconds
    schema: int = 3

    def called_in(self, check: str) -> tuple[str, ...]:
        """Return the cases of a check that begin with a call of a function of the notebook."""
        return tuple(
            case for case, replies in self.replies.get(check, {}).items() if _begins(replies)
        )


def _begins(replies: tuple[Reply, ...]) -> bool:
    """Return whether a call comes first of all that runs something."""
    runs = (reply.asked for reply in replies if reply.asked.partition(" ")[0] in _RUNS)
    return next(runs, "") == "call"


def dump_recording(recording: Recording, standards: Mapping[str, Standard]) -> bytes:
    """Return a recording as JSON.

    Args:
        standards: of checks, by name.
    """
    other = {n: one for n, one in standards.items() if one != Standard() and n in recording.replies}
    recording = msgspec.structs.replace(recording, standards=other)
    # The standard library's JSON has NaN and the infinities, which msgspec's would make null.
    plain = msgspec.to_builtins(recording)
    return json.dumps(plain, ensure_ascii=False, indent=0).encode() + b"\n"


def load_recording(data: bytes) -> Recording:
    """Read a recording.

    Raises:
        HarnessError: the bytes are no recording.
    """
    try:
        return msgspec.convert(json.loads(data), type=Recording)
    except (ValueError, RecursionError) as error:
        raise HarnessError(
            f"{FILE} is damaged, or of another version ({error}); download the release again"
        ) from None
