"""Proxies: what a test sees of objects that stay in the student's session.

A proxy passes on calls and whatever gives data: items, a length, a number, a text. Attributes and
arithmetic it passes on where the instructor's own solution needs them in the same cell: else
``f(3) - 9`` or ``f(x).equals(y)`` would let an object of theirs decide. It answers no comparison:
what an object says of its own equality would be a verdict from the student's side.
"""

import inspect
import sys
import types
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from autograder.foreign.inside.answering import FORWARDED
from autograder.foreign.inside.decoding import exception_named

__all__ = ["DATA", "Asker", "Proxies", "Stays", "Theirs", "number_of"]

DATA = frozenset(
    (
        *("__len__", "__getitem__", "__iter__", "__next__", "__reversed__", "__bool__"),
        *("__int__", "__float__", "__complex__", "__index__", "call", "text", "is", "subclass"),
    )
)
COMPARISONS = ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__")
_NUMBER = "_autograder_number"


class Stays(TypeError):
    """A test would have an object decide that stays in the student's session."""


class Asker(Protocol):
    """Asks the student's session."""

    def ask(self, op: str, number: int, args: Sequence[Any], named: dict[str, Any]) -> Any:
        """Have something done with an object there, and return what comes of it."""

    def refuse(self, type_name: str) -> Stays:
        """Return the error of a test that would have an object of theirs decide, and note it."""


class Theirs:
    """An object of theirs."""


def number_of(value: Any) -> int | None:
    """Return the number of an object of theirs; None for any value of ours."""
    if isinstance(value, (Theirs, TheirClass)) or value in _ERROR_NUMBERS:
        return _ERROR_NUMBERS[value] if value in _ERROR_NUMBERS else value.__dict__[_NUMBER]
    return None


class TheirFunction(Theirs):
    """A function of theirs, of which only its name, its documentation and its parameters are known.

    It has no code: whoever looks for what a function uses would find ours.
    """

    def __init__(
        self,
        asker: Asker,
        number: int,
        name: str,
        doc: str | None,
        wrapped: Any,
        signature: inspect.Signature | None,
    ) -> None:
        self.__dict__ |= {_NUMBER: number, "_asker": asker, "__module__": "__main__"}
        self.__name__ = self.__qualname__ = name
        self.__doc__ = doc
        if wrapped is not None:
            self.__wrapped__ = wrapped
        if signature is not None:
            self.__signature__ = signature

    @property  # type: ignore[misc]  # that is how one object stands for another
    def __class__(self) -> Any:
        """What `isinstance` asks for: a function."""
        return types.FunctionType

    def __call__(self, *args: Any, **named: Any) -> Any:
        asker: Asker = self.__dict__["_asker"]
        return asker.ask("call", self.__dict__[_NUMBER], args, named)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    def __repr__(self) -> str:
        return f"<function {self.__name__}>"


class _ErrorNumbers(dict[type, int]):
    """The numbers of exception classes of theirs, which are real classes here."""

    def __contains__(self, value: object) -> bool:
        return isinstance(value, type) and super().__contains__(value)


_ERROR_NUMBERS = _ErrorNumbers()


class TheirClass(type):
    """The class of what stands for a class of theirs."""

    _asker: Asker

    def __call__(cls, *args: Any, **named: Any) -> Any:
        return cls._asker.ask("call", _of(cls), args, named)

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__") or "_asker" not in cls.__dict__:
            raise AttributeError(name)
        return cls._asker.ask("get", _of(cls), [name], {})

    def __instancecheck__(cls, value: Any) -> bool:
        if number_of(value) is None or "_asker" not in cls.__dict__:
            return type.__instancecheck__(cls, value)
        return cls._asker.ask("is", _of(value), [cls], {}) is True

    def __subclasscheck__(cls, other: type) -> bool:
        if number_of(other) is None or "_asker" not in cls.__dict__:
            return type.__subclasscheck__(cls, other)
        return cls._asker.ask("subclass", _of(other), [cls], {}) is True


class Proxies:
    """Makes proxies, the same one for the same object.

    Args:
        asker: passes on what they are asked.
    """

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self._known: dict[int, Any] = {}

    def proxy(self, said: dict[str, Any]) -> Any:
        """Return the proxy for what a session says of an object."""
        number = int(said["number"])
        if number not in self._known:
            makers = {"function": self._function, "class": self._class, "object": self._object}
            self._known[number] = makers[said["kind"]](number, said)
        return self._known[number]

    def type_of(self, number: int) -> str:
        """Return the name of the type of an object of theirs, for a message."""
        return type(self._known.get(number)).__name__

    def error(self, said: dict[str, Any], args: Sequence[Any]) -> BaseException:
        """Return the exception that a session says was raised."""
        kind = self.proxy(said["class"]["$object"]) if "class" in said else None
        if kind is None or not issubclass(kind, BaseException):
            kind = exception_named(str(said["type"])) or RuntimeError
        try:
            error: BaseException = kind(*args)
        except Exception:
            error = RuntimeError(str(said["text"]))
        if not str(error) and said["text"]:
            error = kind(str(said["text"]))
        return error

    def _function(self, number: int, said: dict[str, Any]) -> Any:
        wrapped = self.proxy(said["wrapped"]["$object"]) if "wrapped" in said else None
        signature = None
        if (parameters := said.get("parameters")) is not None:
            signature = _signature(parameters)
        doc = str(said["doc"]) or None
        return TheirFunction(self._asker, number, str(said["name"]), doc, wrapped, signature)

    def _class(self, number: int, said: dict[str, Any]) -> type:
        name = str(said["name"])
        if "error" in said:
            bases = tuple(filter(None, map(self._error_base, said["error"]))) or (Exception,)
            try:
                made = type(name, bases, {"__module__": "__main__"})
            except TypeError:  # built-in ones that do not go together
                made = type(name, bases[:1], {"__module__": "__main__"})
            _ERROR_NUMBERS[made] = number
            return made
        names = {_NUMBER: number, "_asker": self._asker, "__module__": "__main__"}
        return TheirClass(name, (Theirs,), names)

    def _error_base(self, said: Any) -> type | None:
        """Return a class that an exception's class is made from; None for none that is known."""
        found = self.proxy(said["$object"]) if isinstance(said, dict) else exception_named(said)
        is_error = isinstance(found, type) and issubclass(found, BaseException)
        return found if is_error else None

    def _object(self, number: int, said: dict[str, Any]) -> Any:
        bases: tuple[type, ...] = (Theirs,)
        name = str(said["type"])
        if "class" in said:
            bases = (self.proxy(said["class"]["$object"]),)
            if not isinstance(bases[0], TheirClass):  # an exception's
                bases = (Theirs,)
        can = frozenset(said["can"]) & frozenset(FORWARDED)
        library = _library_class(said.get("is_a"))
        made: Any = object.__new__(_kind_of(self._asker, name, bases, can, library))
        made.__dict__[_NUMBER] = number
        return made


def _library_class(said: Any) -> type | None:
    """Return the class of a library that was imported here, by its module and name."""
    if not isinstance(said, list) or len(said) != 2:
        return None
    found = getattr(sys.modules.get(str(said[0])), str(said[1]), None)
    return found if isinstance(found, type) else None


def _of(value: Any) -> int:
    number = number_of(value)
    assert number is not None
    return number


def _kind_of(
    asker: Asker, name: str, bases: tuple[type, ...], can: frozenset[str], library: type | None
) -> type:
    """Return a class whose instances pass on what an object of theirs can do.

    Args:
        asker: passes it on.
        name: of the class.
        bases: of the class.
        can: what it passes on.
        library: the class of a library's that `isinstance` is to find.
    """

    def passing(op: str) -> Callable[..., Any]:
        def method(self: Any, *args: Any, **named: Any) -> Any:
            if op == "__call__":
                return asker.ask("call", _of(self), args, named)
            value = asker.ask(op, _of(self), args, {})
            return self if number_of(value) == number_of(self) else value

        method.__name__ = op
        return method

    def refuse(self: Any, other: Any) -> bool:
        raise asker.refuse(name)

    names: dict[str, Any] = {op: passing(op) for op in can}
    names |= dict.fromkeys(COMPARISONS, refuse)
    names["__hash__"] = object.__hash__
    names["__getattr__"] = lambda self, key: _attribute(asker, self, key)
    names["__setattr__"] = lambda self, key, value: asker.ask("set", _of(self), [key, value], {})
    names["__delattr__"] = lambda self, key: asker.ask("del", _of(self), [key], {})
    names["__dir__"] = lambda self: asker.ask("dir", _of(self), [], {})
    names["__str__"] = lambda self: str(asker.ask("text", _of(self), ["str"], {}))
    names["__repr__"] = lambda self: str(asker.ask("text", _of(self), ["repr"], {}))
    names["__format__"] = lambda self, how: format(str(self), how)
    names["__module__"] = "__main__"
    if library is not None:
        names["__class__"] = property(lambda self: library)
    return type(bases[0])(name, bases, names)


def _attribute(asker: Asker, proxy: Any, key: str) -> Any:
    # What libraries look for to convert an object in their own way; it has none of ours.
    if key.startswith("__array") or key in ("__dlpack__", "__cuda_array_interface__"):
        raise AttributeError(key)
    return asker.ask("get", _of(proxy), [key], {})


def _signature(parameters: Sequence[Any]) -> inspect.Signature:
    kinds = list(inspect._ParameterKind)
    return inspect.Signature(
        [
            inspect.Parameter(
                name, kinds[kind], default=inspect.Parameter.empty if given is None else given[0]
            )
            for name, kind, given in parameters
        ]
    )
