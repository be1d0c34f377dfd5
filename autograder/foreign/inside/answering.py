"""The student's side: answers requests about what a notebook has defined.

It runs beside the student's code and is not to be trusted: what it says is taken for values.
"""

import contextlib
import inspect
import io
import random
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.foreign.inside.decoding import Uncrossable, decode, exception_named
from autograder.foreign.inside.encoding import encode
from autograder.foreign.inside.randomness import RandomState
from autograder.foreign.inside.written import function_of
from autograder.sandbox.inside.host import place_of

__all__ = ["BACK", "FORWARDED", "answer"]

BACK = "_autograder_back"  # what the notebook's session calls back by
MOST_TEXT = 100_000  # characters that a call may print, as a test sees it
MOST_WORDS = 2000
# What a proxy may ask of an object. No comparison is among it: what an object says of its own
# equality is a verdict.
FORWARDED = (
    *("__len__", "__getitem__", "__setitem__", "__delitem__", "__iter__", "__next__", "__call__"),
    *("__enter__", "__exit__", "__int__", "__float__", "__complex__", "__index__", "__round__"),
    *("__contains__", "__neg__", "__pos__", "__abs__", "__invert__", "__reversed__", "__bool__"),
    *(
        f"__{side}{name}__"
        for name in ("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "pow")
        for side in ("", "r", "i")
    ),
    *("__and__", "__or__", "__xor__", "__lshift__", "__rshift__"),
)
_FUNCTIONS: tuple[type, ...] = (
    type(lambda: None),
    type(len),
    type([].append),
    type("".__add__),
    type(random.Random().random),
)
_NO_LIBRARY = ("__main__", "builtins", "abc", "typing")
_answering: "Answering | None" = None


def answer(namespace: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    """Return the reply to a request; the first of a process makes what answers."""
    global _answering  # noqa: PLW0603 - a session's fork answers for one test cell
    if _answering is None or _answering.namespace is not namespace:
        _answering = Answering(namespace)
    return _answering.answer(request)


class Answering:
    """Answers about a namespace, and keeps the objects that it has told of."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.namespace = namespace
        self._objects: list[Any] = []
        self._numbers: dict[int, int] = {}
        self._said: list[dict[str, Any]] = []  # of each of them
        self._watched: dict[str, Any] = {}  # names that were asked for, as they were told
        self._given: dict[int, tuple[Any, int]] = {}  # functions of the tests, with their numbers
        self._back = namespace[BACK]
        self._random = RandomState()

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the reply to a request, with all that has changed by it."""
        self._random.take(request.get("random"))
        for name, value in request.get("set", {}).items():
            self.namespace[name] = self._decode(value)
            self._watched[name] = self._told(name)
        for name in request.get("gone", ()):
            self.namespace.pop(name, None)
            self._watched[name] = None
        sent = tuple(request.get("with", ()))
        args = list(self._decode(_copy(sent)))  # together: what is passed twice is one object
        named = {key: self._decode(value) for key, value in request.get("named", {}).items()}
        printed, ours = io.StringIO(), sys.stdout
        reply: dict[str, Any]
        try:
            with contextlib.redirect_stdout(printed):
                value = self._do(request["op"], request.get("on", 0), args, named)
            reply = {"say": "value", "value": self._told_value(value, args)}
        except BaseException as error:  # SystemExit and KeyboardInterrupt of theirs end nothing
            sys.stdout = ours
            reply = {"say": "raised", **self._raised(error)}
        if text := printed.getvalue():
            reply["printed"] = text[:MOST_TEXT]
        changed = {}
        for place, (before, now) in enumerate(zip(sent, args, strict=True)):
            if isinstance(before, (list, dict)) or hasattr(before, "shape"):
                with contextlib.suppress(Uncrossable):
                    if not _same(before, fresh := self._encode(now)):
                        changed[str(place)] = fresh
        if changed:
            reply["changed"] = changed
        self._tell_names(reply)
        if (state := self._random.changed()) is not None:
            reply["random"] = state
        return reply

    def _do(self, op: str, on: int, args: list[Any], named: dict[str, Any]) -> Any:
        """Do what is asked of an object."""
        if op == "names":
            return self._fetch(args[0])
        target = self._objects[on]
        match op:
            case "call":
                return target(*args, **named)
            case "get":
                return getattr(target, args[0])
            case "set":
                return setattr(target, args[0], args[1])
            case "del":
                return delattr(target, args[0])
            case "has":
                return hasattr(target, args[0])
            case "dir":
                return [str(name) for name in dir(target)]
            case "text":
                return str(target) if args[0] == "str" else repr(target)
            case "is":
                return isinstance(target, args[0])
            case "subclass":
                return issubclass(target, args[0])
        if op not in FORWARDED:
            raise Uncrossable(f"no such request: {op[:20]}")
        return getattr(type(target), op)(target, *args)

    def _fetch(self, names: list[str]) -> dict[str, Any]:
        """Return what names mean, those that mean something."""
        self._watched = {name: self._told(name) for name in names}
        return {name: self.namespace[name] for name in names if name in self.namespace}

    def _told(self, name: str) -> Any:
        """Return what can be compared with what a name means later; None where it means nothing."""
        if name not in self.namespace:
            return None
        try:
            return self._encode(self.namespace[name])
        except Uncrossable:
            return None

    def _tell_names(self, reply: dict[str, Any]) -> None:
        """Add what names mean that mean something else now."""
        for name, before in self._watched.items():
            now = self._told(name)
            if before is None and now is None:
                continue
            if now is None:
                reply.setdefault("lost", []).append(name)
            elif before is None or not _same(before, now):
                reply.setdefault("names", {})[name] = now
            self._watched[name] = now

    def _told_value(self, value: Any, args: list[Any]) -> Any:
        """Return a value as plain data; an argument that is returned is that argument there."""
        for place, arg in enumerate(args):
            if value is arg and isinstance(arg, (list, dict, set, np.ndarray)):
                return {"$argument": place}
        return self._encode(value)

    def _encode(self, value: Any) -> Any:
        return encode(value, self._keep)

    def _decode(self, data: Any) -> Any:
        return decode(data, self._resolve)

    def _resolve(self, kind: str, said: Any) -> Any:
        if kind == "own":
            return self._objects[int(said)]
        number, name, written = said
        made = self._function(number) if written is None else function_of(written)
        made.__name__ = made.__qualname__ = name
        self._given[id(made)] = made, number
        return made

    def _function(self, number: int) -> Callable[..., Any]:
        """Return what stands for a function of the test, which answers there."""

        def of_the_test(*args: Any, **named: Any) -> Any:
            return self._call_back(number, args, named)

        return of_the_test

    def _call_back(self, number: int, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        back = self._back  # whatever the notebook has made of its names
        request: dict[str, Any] = {"say": "ask", "op": "call", "on": number}
        request["with"] = self._encode(args)
        request["named"] = {key: self._encode(value) for key, value in named.items()}
        if (state := self._random.changed()) is not None:
            request["random"] = state
        reply = back(request)
        while reply["say"] == "ask":  # what the test calls of theirs meanwhile
            reply = back(self.answer(reply))
        self._random.take(reply.get("random"))
        if reply["say"] == "raised":
            kind = exception_named(str(reply["type"])) or RuntimeError
            raise kind(*(self._decode(arg) for arg in reply["args"]))
        return self._decode(reply["value"])

    def _keep(self, value: Any) -> dict[str, Any]:
        """Return what stands for an object that stays here."""
        if id(value) in self._given:
            return {"$own": self._given[id(value)][1]}
        if (number := self._numbers.get(id(value))) is None:
            number = self._numbers[id(value)] = len(self._objects)
            self._objects.append(value)
            self._said.append({})
            self._said[number] |= self._description(number, value)
        return {"$object": self._said[number]}

    def _description(self, number: int, value: Any) -> dict[str, Any]:
        """Return what is said of an object that stays here, once for all."""
        kind = type(value)
        said: dict[str, Any] = {"number": number, "type": kind.__name__[:100]}
        if isinstance(value, type):
            said["kind"] = "class"
            said["name"] = value.__name__[:100]
            if issubclass(value, BaseException):
                said["error"] = [self._base(base) for base in value.__bases__]
        elif isinstance(value, _FUNCTIONS) or inspect.isfunction(value):
            said["kind"] = "function"
            said["name"] = str(getattr(value, "__name__", "function"))[:100]
            said["doc"] = str(getattr(value, "__doc__", None) or "")[:MOST_WORDS]
            said["parameters"] = _parameters(value)
            if (wrapped := getattr(value, "__wrapped__", None)) is not None:
                plain = self._encode(wrapped)
                if "$object" in plain:
                    said["wrapped"] = plain
        else:
            said["kind"] = "object"
            said["can"] = [name for name in FORWARDED if hasattr(kind, name)]
            if kind.__module__ == "__main__":
                said["class"] = self._keep(kind)
            if library := [k for k in kind.__mro__ if k.__module__ not in _NO_LIBRARY]:
                said["is_a"] = [library[0].__module__, library[0].__qualname__]
        return said

    def _base(self, kind: type) -> Any:
        """Return what stands for a class that an exception's class is made from."""
        if kind.__module__ == "__main__" and issubclass(kind, BaseException):
            return self._keep(kind)
        return _base_of(kind) if issubclass(kind, BaseException) else ""

    def _raised(self, error: BaseException) -> dict[str, Any]:
        """Return what is said of an exception."""
        own = type(error).__module__ == "__main__"
        try:
            args = [encode(arg, _no_object) for arg in error.args]
            text = str(error)[:MOST_WORDS]
        except BaseException:
            args, text = [], "(its message cannot be shown)"
        said = {"type": _base_of(type(error)), "args": args, "text": text}
        said["place"] = place_of(error)
        return said | ({"class": self._keep(type(error))} if own else {})


def _copy(data: Any) -> Any:
    """Return plain data whose arrays are nobody else's: what was sent is compared later."""
    if isinstance(data, np.ndarray):
        return data.copy()
    if isinstance(data, (list, tuple)):
        return type(data)(map(_copy, data))
    if isinstance(data, dict):
        return {key: _copy(value) for key, value in data.items()}
    return data.detach().clone().requires_grad_(data.requires_grad) if _is_tensor(data) else data


def _is_tensor(data: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(data, torch.Tensor)


def _no_object(value: Any) -> dict[str, Any]:
    raise Uncrossable(f"an object of type {type(value).__name__}")


def _base_of(kind: type) -> str:
    """Return the name of the nearest exception of Python's or numpy's own."""
    names = (base.__name__ for base in kind.__mro__ if exception_named(base.__name__) is base)
    return next(names, "RuntimeError")


def _parameters(function: Any) -> list[list[Any]] | None:
    """Return name, kind and default of each parameter; None where it cannot be told."""
    try:
        return [
            [p.name, int(p.kind), None if p.default is p.empty else [encode(p.default, _no_object)]]
            for p in inspect.signature(function).parameters.values()
        ]
    except Exception:  # a built-in one, or whatever their defaults are
        return None


def _same(one: Any, other: Any) -> bool:
    """Return whether plain data are the same, bit by bit but for NaN."""
    if one is other:
        return True
    if hasattr(one, "shape") or hasattr(other, "shape"):
        if type(one) is not type(other) or one.shape != other.shape or one.dtype != other.dtype:
            return False
        mine, theirs = np.asarray(one), np.asarray(other)
        return bool(np.array_equal(mine, theirs, equal_nan=mine.dtype.kind in "fc"))
    if type(one) is not type(other):
        return False
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    return bool(one == other) or (one != one and other != other)
