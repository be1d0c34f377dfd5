"""What a check calls: the student's work or the reference, behind one protocol.

A check's ``student`` and ``reference`` are both a `Subject` over a `Session`. Only the session
differs: a sandboxed process, this process, a recording, or a replay of one.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from autograder.errors import CheckFailure, Unanswered, UnsendableArgument

__all__ = [
    "Helper",
    "Proxy",
    "RemoteId",
    "Session",
    "Subject",
    "is_ellipsis",
    "place_of_ellipsis",
    "processes_of",
]

Helper = Callable[..., Any]
MAX_LABEL = 100  # characters of what a value inside another is called


@dataclass(frozen=True)
class RemoteId:
    """A session's own number for an object that stays in it, and the name of its type."""

    number: int
    type_name: str


class Session(Protocol):
    """A namespace that answers with values; an object that stays in it is a `RemoteId`.

    Every method raises `StudentError` if the code behind it raises, is missing or was ended.
    """

    def get(self, name: str) -> Any:
        """Return the value of a name in the notebook."""

    def attribute(self, target: int, name: str) -> Any:
        """Return an attribute of an object."""

    def call(
        self, target: int, args: tuple[Any, ...], kwargs: dict[str, Any], watch: bool
    ) -> tuple[Any, tuple[int | str, ...]]:
        """Call an object; return its value and, if watched, which arguments it changed."""

    def apply(self, helper: Helper, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a helper beside the notebook's code: ``helper(notebook, *args, **kwargs)``."""

    def seed(self, number: int) -> None:
        """Seed the session's own generators of random numbers."""

    def processes(self) -> tuple[int, ...] | None:
        """Return the numbers of the processes behind it, by which what it uses is measured.

        None where nothing can be: what answers is a recording, say.
        """


class Proxy:
    """A proxy to an object that stays in its session: it can be called and asked for attributes.

    It is never mistaken for a value: no assertion takes it, it has no truth value and cannot be
    compared, and it defines no length, iteration or array interface.
    """

    __slots__ = ("_owner", "label", "remote", "type_name")

    def __init__(self, owner: "Subject", remote: RemoteId, label: str) -> None:
        self._owner, self.remote, self.label = owner, remote, label
        self.type_name = remote.type_name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the object in its session with copies of the arguments."""
        self._require_answer()
        return self._owner.call(self, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        self._require_answer()
        return self._owner.attribute(self, name)

    def _require_answer(self) -> None:
        if is_ellipsis(self):
            raise Unanswered(self.label)

    def _is_no_value(self, *_: Any) -> Any:
        self._require_answer()
        raise CheckFailure(f"an object of type {self.type_name}, expected a value", self.label)

    __bool__ = _is_no_value
    __eq__ = _is_no_value
    __ne__ = _is_no_value
    __lt__ = __le__ = __gt__ = __ge__ = _is_no_value
    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"<{self.type_name} {self.label}>"


class Subject:
    """The ``student`` or the ``reference`` of a check.

    ``student.sgd_step(w, grad, lr=0.1)`` calls the student's function with copies of the
    arguments; ``student.answer`` is a value; ``student.apply(helper, *args)`` runs a helper of
    the check inside the session.

    Args:
        session: where the names live.
        pure: whether a call that changes an argument in place is a failure.
    """

    def __init__(self, session: Session, pure: bool = False) -> None:
        self._session, self._pure = session, pure

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, name: str) -> Any:
        return self._own(self._session.get(name), name)

    def apply(self, helper: Helper, *args: Any, **kwargs: Any) -> Any:
        """Run ``helper(notebook, *args, **kwargs)`` beside the notebook's own code."""
        self._require_own((args, kwargs))
        return self._own(self._session.apply(helper, args, kwargs), helper.__name__)

    def call(self, target: Proxy, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call an object of this subject's session.

        Raises:
            CheckFailure: the call is to be pure and changed an argument in place.
            UnsendableArgument: an argument is an object of another session.
        """
        self._require_own((args, kwargs))
        value, changed = self._session.call(target.remote.number, args, kwargs, self._pure)
        if changed:
            which = changed[0]
            name = f"`{which}`" if isinstance(which, str) else f"number {which + 1}"
            raise CheckFailure(
                f"{target.label} changed its argument {name} in place; work on a copy"
            )
        return self._own(value, f"{target.label}(…)")

    def attribute(self, target: Proxy, name: str) -> Any:
        """Return an attribute of an object of this subject's session."""
        return self._own(
            self._session.attribute(target.remote.number, name), f"{target.label}.{name}"
        )

    def _require_own(self, value: Any) -> None:
        """Refuse an object of another session: its number means another object in this one."""
        if isinstance(value, Proxy):
            if value._owner._session is not self._session:
                raise UnsendableArgument(
                    f"{value!r} is of another session: only values can be passed on"
                )
        elif isinstance(value, (tuple, list)):
            for item in value:
                self._require_own(item)
        elif isinstance(value, dict):
            self._require_own(list(value.values()))

    def _own(self, value: Any, label: str) -> Any:
        if isinstance(value, RemoteId):
            return Proxy(self, value, label)
        if isinstance(value, (tuple, list)):
            pairs = enumerate(value)
            return type(value)(self._own(v, _inside(label, i, v)) for i, v in pairs)
        if isinstance(value, dict):
            return {k: self._own(v, _inside(label, k, v)) for k, v in value.items()}
        return value


def processes_of(proxy: Proxy) -> tuple[int, ...] | None:
    """Return the numbers of the processes in which an object is; see `Session.processes`."""
    return proxy._owner._session.processes()


def _inside(label: str, key: int | str, value: Any) -> str:
    """Return what an item is called, if it may need a name; a student chooses keys, and how long.

    Beyond some length the name of the whole does.
    """
    if not isinstance(value, (RemoteId, tuple, list, dict)) or len(label) > MAX_LABEL:
        return label
    return f"{label}[{key if isinstance(key, int) else key[:MAX_LABEL]!r}]"


def is_ellipsis(value: Any) -> bool:
    """Return whether a value of a session is `...`, which a release has in place of an answer."""
    return isinstance(value, (RemoteId, Proxy)) and value.type_name == "ellipsis"


def place_of_ellipsis(value: Any) -> str | None:
    """Return where a value has `...`: nothing for the whole, `[0]` or `['a']` inside; else None."""
    if is_ellipsis(value):
        return ""
    if isinstance(value, (tuple, list)):
        items: Iterable[tuple[int | str, Any]] = enumerate(value)
    elif isinstance(value, dict):
        items = value.items()
    else:
        return None
    for key, item in items:
        if (inside := place_of_ellipsis(item)) is not None:
            return f"[{key if isinstance(key, int) else key[:MAX_LABEL]!r}]{inside}"
    return None
