"""The host: answers requests about a notebook's namespace, inside the session.

It runs next to the student's code and so is not to be trusted: it returns values, never verdicts.
"""

import inspect
import os
import random
import sys
import traceback
from collections.abc import Callable
from functools import lru_cache
from types import CodeType, FunctionType
from typing import Any

import numpy as np

from autograder.authoring.subject import RemoteId
from autograder.errors import WireError
from autograder.sandbox.inside.device import Device, allow_tf32
from autograder.sandbox.inside.line import Line
from autograder.sandbox.inside.switches import set_switches, switches
from autograder.sandbox.protocol.kinds import (
    Apply,
    Attribute,
    Call,
    Get,
    Give,
    Lost,
    Message,
    Missing,
    Raised,
    Seed,
    Value,
    Watched,
)
from autograder.sandbox.protocol.packed import Packed, Reference
from autograder.sandbox.protocol.wire import Packer, plain_text, unpack

__all__ = ["CELL_FILE", "Host", "lines_of", "place_of"]

CELL_FILE = "<cell "  # how the file names of a notebook's cells begin
MAX_HANDLES = 10_000  # objects that stay in a session; none is let go before its end
MAX_TEXT = 2000
MAX_PARAMETERS = 100


class Host:
    """Answers get, attribute, call, apply, seed and give on a namespace.

    Attributes:
        device: the GPU, which has done its work before student's code is called, and before a
            value leaves.
    """

    def __init__(self, namespace: dict[str, Any]) -> None:
        self._namespace = namespace
        self._line: Line | None = None  # where something is given
        self._objects: list[Any] = []
        self._numbers: dict[int, int] = {}
        self._places: dict[int, dict[str, Any]] = {}  # what names meant there
        self._switches: dict[int, dict[str, Any]] = {}  # and how switches were
        self.device = Device()

    def remember(self, place: int, names: bool) -> None:
        """Keep how switches are now, behind so many cells of the notebook.

        Args:
            place: the number of cells.
            names: whether to keep what the names mean, too.
        """
        self._switches[place] = switches()
        if names:
            self._places[place] = dict(self._namespace)

    def handle(self, request: Message, ask: Callable[[Message], Message]) -> Message:
        """Return the reply to a request; an exception of the student's code is a reply too.

        Args:
            request: of the grader.
            ask: asks the grader in turn, before the reply.
        """
        try:
            if self._line is None:
                reply = self._answer(request)
            else:
                with self._line.open(ask):
                    reply = self._answer(request)
        except _NoRequest:
            raise WireError(f"{type(request).__name__} is no request") from None
        except _Missing as missing:
            return Missing(str(missing))
        except BaseException as error:  # SystemExit and KeyboardInterrupt of theirs end nothing
            reply = _raised(error)
            # What a kernel breaks is told by whatever waits for it: here, it is this request's.
            if (broken := self.device.what_broke()) is not None:
                return Lost(plain_text(broken))
        return reply

    def _answer(self, request: Message) -> Message:
        match request:
            case Get():
                return self._value(self._named(request))
            case Attribute():
                return self._value(getattr(self._objects[request.target], request.name))
            case Call():
                return self._call(request)
            case Apply():
                return self._apply(request)
            case Seed():
                return self._seed(request)
            case Give():
                return self._give(request)
        raise _NoRequest

    def _named(self, request: Get) -> Any:
        names = self._places.get(request.place, {})
        if request.name in names:
            return names[request.name]
        if request.name not in self._namespace:
            raise _Missing(request.name)
        return self._namespace[request.name]

    def _call(self, request: Call) -> Message:
        args, kwargs = self._arguments(request)
        target = self._objects[request.target]
        self.device.wait()
        value = target(*args, **kwargs)
        if not request.watch:
            return self._value(value)
        self.device.wait()
        packer = Packer(self._keep)
        packed, after = packer.pack(self._leaving(value)), [packer.pack(arg) for arg in args]
        named = {key: packer.pack(arg) for key, arg in kwargs.items()}
        return Watched(packed, after, named, _parameters(target)).with_bodies(packer.bodies)

    def _apply(self, request: Apply) -> Message:
        args, kwargs = self._arguments(request)
        names: dict[str, Any] = {"np": np}
        if "torch" in sys.modules:
            names["torch"] = sys.modules["torch"]
        file = f"<helper {request.helper}>"
        exec(_code(request.source, file), names)
        self.device.wait()
        try:
            value = names[request.helper](_Names(self._namespace), *args, **kwargs)
        except NameError as error:
            if type(error) is NameError and _raised_in(file, error):
                around = "a helper has np, torch and the imports around it; define all else inside"
                raise NameError(f"{error} in helper {request.helper}: {around}") from None
            raise
        return self._value(value)

    def _seed(self, request: Seed) -> Message:
        if request.wake:
            self.device.wake()
        if request.place in self._switches:
            set_switches(self._switches[request.place])
        random.seed(request.number)
        np.random.seed(request.number % 2**32)
        if (torch := sys.modules.get("torch")) is not None:
            # torch.manual_seed does this, and notes a stack trace for each kind of device there
            # might be: a millisecond, twice for each case.
            torch.default_generator.manual_seed(request.number % 2**63)
            if self.device.is_awake() or _sees_a_gpu(torch):
                torch.cuda.manual_seed_all(request.number % 2**63)
                allow_tf32(request.tf32)
        return Value(None)

    def _give(self, request: Give) -> Message:
        self._line = line = self._line or Line()
        for name in request.names:
            self._namespace[name] = line.function(name)
        return Value(None)

    def _arguments(self, request: Call | Apply) -> tuple[list[Any], dict[str, Any]]:
        def resolve(reference: Reference) -> Any:
            return self._objects[reference.number]

        def value(packed: Packed) -> Any:
            return unpack(packed, request.bodies, resolve, layouts=True)

        return [*map(value, request.args)], {k: value(v) for k, v in request.named.items()}

    def _value(self, value: Any) -> Message:
        self.device.wait()
        packer = Packer(self._keep)
        return Value(packer.pack(self._leaving(value))).with_bodies(packer.bodies)

    def _leaving(self, value: Any) -> Any:
        """Return what leaves in place of a value."""
        return value

    def _keep(self, value: object) -> RemoteId:
        number = self._numbers.get(id(value))
        if number is None:
            if len(self._objects) >= MAX_HANDLES:
                raise WireError(f"more than {MAX_HANDLES} objects that are no values")
            number = self._numbers[id(value)] = len(self._objects)
            self._objects.append(value)  # which also keeps its id from being used again
        return RemoteId(number, _type_name(value))


def _sees_a_gpu(torch: Any) -> bool:
    """Return whether CUDA might be woken later, without waking it."""
    return torch.version.cuda is not None and os.environ.get("CUDA_VISIBLE_DEVICES") != ""


@lru_cache(maxsize=64)
def _code(source: str, file: str) -> CodeType:
    """Return the code of a helper: a check applies the same one in each of its cases."""
    return compile(source, file, "exec", dont_inherit=True)


def _raised_in(file: str, error: BaseException) -> bool:
    """Return whether the code that raised is of a file."""
    return lines_of(error)[-1][0] == file


class _Names:
    """The notebook as a helper sees it: its names as attributes."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.__dict__ = namespace

    def __getattr__(self, name: str) -> Any:
        raise _Missing(name)


class _NoRequest(Exception):
    """What came is nothing that a host answers."""


class _Missing(AttributeError):
    def __init__(self, name: str) -> None:
        super().__init__(name, name=name)


def _parameters(target: object) -> list[str]:
    """Return the names of what can be passed by its place, for a message that names one."""
    if type(target) is FunctionType and not target.__dict__:  # which may name others
        code = target.__code__
        return [plain_text(name) for name in code.co_varnames[: code.co_argcount][:MAX_PARAMETERS]]
    try:
        parameters = inspect.signature(target).parameters.values()  # type: ignore[arg-type]
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        return [plain_text(p.name) for p in parameters if p.kind in kinds][:MAX_PARAMETERS]
    except Exception:  # a built-in one, or whatever their signature does
        return []


def _type_name(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"ndarray of dtype {value.dtype}"[:MAX_TEXT]
    return plain_text(type(value).__name__[:MAX_TEXT])


def _raised(error: BaseException) -> Message:
    try:
        text = plain_text(str(error)[:MAX_TEXT])
    except BaseException:
        text = "(its message cannot be shown)"
    return Raised(plain_text(type(error).__name__[:MAX_TEXT]), text, place_of(error))


def lines_of(error: BaseException) -> list[tuple[str, int | None]]:
    """Return the files and lines by which an error came, without a look into the files."""
    steps = traceback.walk_tb(error.__traceback__)
    return [(frame.f_code.co_filename, line) for frame, line in steps]


def place_of(error: BaseException) -> str:
    """Return the cell and line of a notebook that raised an error; "" if none has."""
    places = [(file, line) for file, line in lines_of(error) if CELL_FILE in file]
    return f"{places[-1][0].strip('<>')}, line {places[-1][1]}" if places else ""
