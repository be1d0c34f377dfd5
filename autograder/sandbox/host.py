"""The host: answers requests about a notebook's namespace, inside the session.

It runs next to the student's code and so is not to be trusted: it returns values, never verdicts.
"""

import inspect
import os
import random
import sys
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.authoring.subject import Handle
from autograder.errors import WireError
from autograder.sandbox.line import Line
from autograder.sandbox.switches import set_switches, switches
from autograder.sandbox.wire import Message, Packer, Reference, plain_text, unpack

__all__ = ["CELL_FILE", "Host"]

CELL_FILE = "<cell "  # how the file names of a notebook's cells begin
MAX_HANDLES = 10_000  # objects that stay in a session; none is let go before its end
MAX_TEXT = 2000
_KINDS = ("get", "attribute", "call", "apply", "seed", "give")


class Host:
    """Answers get, attribute, call, apply, seed and give on a namespace."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self._namespace = namespace
        self._line: Line | None = None  # where something is given
        self._objects: list[Any] = []
        self._numbers: dict[int, int] = {}
        self._places: dict[int, dict[str, Any]] = {}  # what names meant there
        self._switches: dict[int, dict[str, Any]] = {}  # and how switches were

    def remember(self, place: int, names: bool) -> None:
        """Keep how switches are now, behind so many cells of the notebook.

        Args:
            place: the number of cells.
            names: whether to keep what the names mean, too.
        """
        self._switches[place] = switches()
        if names:
            self._places[place] = dict(self._namespace)

    def handle(self, request: Message) -> Message:
        """Return the reply to a request; an exception of the student's code is a reply too."""
        answer: Callable[[Message], Message] | None = getattr(self, f"_{request.kind}", None)
        if request.kind not in _KINDS or answer is None:
            raise WireError(f"a request of kind {request.kind!r}")
        try:
            if self._line is None:
                return answer(request)
            with self._line.open(request.back):
                return answer(request)
        except _Missing as missing:
            return Message("missing", text=str(missing))
        except BaseException as error:  # SystemExit and KeyboardInterrupt of theirs end nothing
            return _raised(error)

    def _get(self, request: Message) -> Message:
        names = self._places.get(request.number, {})
        if request.text in names:
            return self._value(names[request.text])
        if request.text not in self._namespace:
            raise _Missing(request.text)
        return self._value(self._namespace[request.text])

    def _attribute(self, request: Message) -> Message:
        return self._value(getattr(self._objects[request.number], request.text))

    def _call(self, request: Message) -> Message:
        args, kwargs = self._arguments(request)
        target = self._objects[request.number]
        value = target(*args, **kwargs)
        if request.text != "watch":
            return self._value(value)
        reply = self._value(value, args, kwargs)
        reply.text = _parameters(target)
        return reply

    def _apply(self, request: Message) -> Message:
        (source, *args), kwargs = self._arguments(request)
        names: dict[str, Any] = {"np": np}
        if "torch" in sys.modules:
            names["torch"] = sys.modules["torch"]
        exec(compile(source, f"<helper {request.text}>", "exec", dont_inherit=True), names)
        return self._value(names[request.text](_Names(self._namespace), *args, **kwargs))

    def _seed(self, request: Message) -> Message:
        place = request.values[0] if request.values else None
        if isinstance(place, int) and place in self._switches:
            set_switches(self._switches[place])
        random.seed(request.number)
        np.random.seed(request.number % 2**32)
        if (torch := sys.modules.get("torch")) is not None:
            # torch.manual_seed does this, and notes a stack trace for each kind of device there
            # might be: a millisecond, twice for each case.
            torch.default_generator.manual_seed(request.number % 2**63)
            if torch.cuda.is_initialized() or _sees_a_gpu(torch):
                torch.cuda.manual_seed_all(request.number % 2**63)
        return Message("value", values=[None])

    def _give(self, request: Message) -> Message:
        self._line = line = self._line or Line()
        for name in request.values:
            self._namespace[str(name)] = line.function(str(name))
        return Message("value", values=[None])

    def _arguments(self, request: Message) -> tuple[list[Any], dict[str, Any]]:
        def resolve(reference: Reference) -> Any:
            return self._objects[reference.number]

        args = [unpack(v, request.bodies, resolve) for v in request.values]
        named = {k: unpack(v, request.bodies, resolve) for k, v in request.named.items()}
        return args, named

    def _value(self, value: Any, *arguments: Any) -> Message:
        packer = Packer(self._keep)
        values = [packer.pack(v) for v in (value, *arguments)]
        return Message("value", values=values, bodies=packer.bodies)

    def _keep(self, value: object) -> Handle:
        number = self._numbers.get(id(value))
        if number is None:
            if len(self._objects) >= MAX_HANDLES:
                raise WireError(f"more than {MAX_HANDLES} objects that are no values")
            number = self._numbers[id(value)] = len(self._objects)
            self._objects.append(value)  # which also keeps its id from being used again
        return Handle(number, _type_name(value))


def _sees_a_gpu(torch: Any) -> bool:
    """Return whether CUDA might be woken later, without waking it."""
    return torch.version.cuda is not None and os.environ.get("CUDA_VISIBLE_DEVICES") != ""


class _Names:
    """The notebook as a helper sees it: its names as attributes."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.__dict__ = namespace

    def __getattr__(self, name: str) -> Any:
        raise _Missing(name)


class _Missing(AttributeError):
    def __init__(self, name: str) -> None:
        super().__init__(name, name=name)


def _parameters(target: object) -> str:
    """Return the names of what can be passed by its place, for a message that names one."""
    try:
        parameters = inspect.signature(target).parameters.values()  # type: ignore[arg-type]
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        return plain_text(",".join(p.name for p in parameters if p.kind in kinds)[:MAX_TEXT])
    except Exception:  # a built-in one, or whatever their signature does
        return ""


def _type_name(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"ndarray of dtype {value.dtype}"[:MAX_TEXT]
    return plain_text(type(value).__name__[:MAX_TEXT])


def _raised(error: BaseException) -> Message:
    try:
        text = plain_text(str(error)[:MAX_TEXT])
    except BaseException:
        text = "(its message cannot be shown)"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if CELL_FILE in f.filename]
    place = f"{frames[-1].filename.strip('<>')}, line {frames[-1].lineno}" if frames else ""
    return Message("raised", text=text, values=[plain_text(type(error).__name__[:MAX_TEXT]), place])
