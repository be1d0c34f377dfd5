"""The side of the tests: runs an instructor's cells, with proxies for what the student defined."""

import contextlib
import io
import os
import sys
from collections.abc import Callable, Sequence
from types import CodeType
from typing import Any

import numpy as np

from autograder.foreign.inside.compiling import code_of
from autograder.foreign.inside.decoding import Uncrossable, decode
from autograder.foreign.inside.encoding import encode
from autograder.foreign.inside.polynomials import put_into_polynomial
from autograder.foreign.inside.proxies import DATA, Proxies, Stays, number_of
from autograder.foreign.inside.randomness import RandomState
from autograder.foreign.inside.requests import names_request
from autograder.foreign.inside.written import functions_in, written_of
from autograder.sandbox.inside.host import lines_of

__all__ = ["ASK", "run_tests"]

ASK = "_autograder_ask"  # what the session of the tests calls back by
MOST_WORDS = 2000
_tests: "Tests | None" = None


class Gone(BaseException):
    """The student's code ended, or ran too long; no test can go on from there."""


def run_tests(
    namespace: dict[str, Any],
    source: str,
    theirs: Sequence[str],
    down: Sequence[str],
    allowed: Sequence[str] | None,
    name: str,
    is_test: bool,
    shown: str,
    meant: dict[str, Any] | None,
) -> dict[str, Any]:
    """Run a cell of the instructor's and say what came of it.

    Args:
        namespace: of the tests.
        source: the cell's text.
        theirs: names that the student's notebook has defined above.
        down: names that the student's code reads and that tests may define.
        allowed: what may be asked of their objects beside data; None is all.
        name: what tracebacks call the cell.
        is_test: whether what it binds of the student's names is for the student's code to see; a
            given cell has bound it there itself.
        shown: what of it students may read, whose functions they may be given as they are.
        meant: what the student's side says of ``theirs``; None if it was not asked.
    """
    global _tests  # noqa: PLW0603 - one for the session of a notebook's tests
    if _tests is None or _tests.namespace is not namespace:
        _tests = Tests(namespace)
    _tests.shown |= functions_in(shown)
    return _tests.run(source, theirs, down, allowed, name, is_test, meant)


class Tests:
    """The namespace of a notebook's tests."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.namespace = namespace
        os.environ["NBGRADER_EXECUTION"] = "autograde"  # some ask, as nbgrader says so
        self._ask_grader: Callable[[Any], Any] = namespace[ASK]
        self._proxies = Proxies(self)
        self.shown: dict[CodeType, CodeType] = {}  # functions that students may read
        self._functions: list[Callable[..., Any]] = []
        self._numbers: dict[int, int] = {}
        self._random = RandomState()
        self._known: dict[str, Any] = {}  # what the student's session knows names to mean
        self._own: set[str] = set()  # of these, what the tests have bound themselves
        self._allowed: frozenset[str] | None = None
        self._used: set[str] = set()
        self._stays: str | None = None  # why an object of theirs was not asked

    def run(
        self,
        source: str,
        theirs: Sequence[str],
        down: Sequence[str],
        allowed: Sequence[str] | None,
        name: str,
        is_test: bool,
        meant: dict[str, Any] | None,
    ) -> dict[str, Any]:
        """Run a cell."""
        self._allowed = None if allowed is None else frozenset(allowed)
        self._stays, self._used = None, set()
        unseen = io.StringIO()
        said: dict[str, Any] = {"value": None}
        try:
            code = code_of(source, name, self.namespace.get("get_ipython", lambda: None)())
            with contextlib.redirect_stdout(unseen), contextlib.redirect_stderr(unseen):
                self._fetch(theirs, down, meant)
                self._own |= code.binds
                if not is_test:
                    self._known = {}
                exec(code.statements, self.namespace)
                if code.last is not None:
                    said["value"] = _number(eval(code.last, self.namespace))
        except BaseException as error:  # SystemExit of a test ends its cell only
            said["error"] = _told(error, source, name)
        return said | {"stays": self._stays, "used": sorted(self._used)}

    def refuse(self, type_name: str) -> Stays:
        """Return the error of a test that would have an object of theirs decide, and note it."""
        kind = type_name[:MOST_WORDS]
        self._stays = f"the code returned an object of type {kind}, where a value is compared"
        return Stays(self._stays)

    def ask(self, op: str, number: int, args: Sequence[Any], named: dict[str, Any]) -> Any:
        """Have something done in the student's session, and return what comes of it."""
        key = f"{op} {args[0]}" if op in ("get", "set", "del") else op
        self._used.add(key)
        if not self._may(key):
            raise self.refuse(self._proxies.type_of(number))
        request = {
            "say": "ask",
            "op": op,
            "on": number,
            "with": self._encode(tuple(args)),
            "named": {key: self._encode(value) for key, value in named.items()},
        }
        self._tell_names(request)
        if (state := self._random.changed()) is not None:
            request["random"] = state
        return self._taken(self._ask_grader(request), args)

    def _may(self, key: str) -> bool:
        """Return whether something may be asked of their objects in this cell."""
        if self._allowed is None or key in DATA or key in self._allowed:
            return True
        if key == "__contains__":  # which is to look through them, where the solution's are
            return "__iter__" in self._allowed or "__getitem__" in self._allowed
        return key.startswith("__i") and f"__{key[3:]}" in self._allowed  # += by +

    def _taken(self, reply: dict[str, Any], args: Sequence[Any]) -> Any:
        """Take over what a reply says has changed, and return its value or raise its error."""
        while reply["say"] == "ask":
            reply = self._ask_grader(self._answer(reply))
        if reply["say"] == "gone":
            raise Gone(str(reply["text"]))
        self._take_random(reply)
        if "printed" in reply:
            sys.stdout.write(str(reply["printed"]))
        for place, data in reply.get("changed", {}).items():
            _put_into(args[int(place)], self._decode(data))
        for name, data in reply.get("names", {}).items():
            if self._is_theirs(name):
                self._bind(name, self._decode(data))
        for name in reply.get("lost", ()):
            if self._is_theirs(name):
                self._unbind(name)
        if reply["say"] == "raised":
            error = self._proxies.error(reply, [self._decode(arg) for arg in reply["args"]])
            error.__dict__["_autograder_place"] = str(reply["place"])
            raise error
        return decode(reply["value"], lambda kind, said: self._resolve(kind, said, args))

    def _take_random(self, said: dict[str, Any]) -> None:
        """Take over the state of their generators, where the solution's calls draw from them, too.

        Else whoever sets that state would choose what the tests draw.
        """
        if "random" in said:
            self._used.add("random")
            if self._may("random"):
                self._random.take(said["random"])

    def _fetch(
        self, theirs: Sequence[str], down: Sequence[str], meant: dict[str, Any] | None
    ) -> None:
        """Take over what the notebook's names mean now."""
        self._known = {}  # what cells above have bound, the student's session has run by itself
        found = self._meaning(theirs, meant) if theirs else {}
        for name in theirs:
            if name in found:
                self._bind(name, found[name])
            else:
                self._unbind(name)
        self._own = set(down) - set(theirs)
        for name in self._own:
            self._known[name] = _NOTHING  # and so is told when it is first asked

    def _meaning(self, names: Sequence[str], meant: dict[str, Any] | None) -> dict[str, Any]:
        """Return what names of theirs mean.

        What their side has said ahead does not hold where it has to hear of our generators first.
        """
        state = self._random.changed()
        if meant is None or state is not None:
            request = names_request(names)
            meant = self._ask_grader(request if state is None else request | {"random": state})
        found: dict[str, Any] = self._taken(meant, [list(names)])
        return found

    def _is_theirs(self, name: str) -> bool:
        """Return whether the student's side may say what a name means: the tests have not."""
        now = self.namespace.get(name, _NOTHING)
        return name in self._known and name not in self._own and now is self._known[name]

    def _bind(self, name: str, value: Any) -> None:
        self.namespace[name] = self._known[name] = value

    def _unbind(self, name: str) -> None:
        self.namespace.pop(name, None)
        self._known[name] = _NOTHING

    def _tell_names(self, request: dict[str, Any]) -> None:
        """Add the names that a test has bound anew or deleted since it asked last."""
        for name, known in self._known.items():
            now = self.namespace.get(name, _NOTHING)
            if now is known:
                continue
            self._own.add(name)
            if now is _NOTHING:
                request.setdefault("gone", []).append(name)
            else:
                with contextlib.suppress(Uncrossable):  # a class, say: it is the tests' alone
                    request.setdefault("set", {})[name] = self._encode(now)
            self._known[name] = now

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer a call of a function of the tests: nothing else may be asked of this side."""
        self._take_random(request)
        try:
            function = self._functions[int(request["on"])]
            args = self._decode(tuple(request["with"]))
            named = {str(key): self._decode(value) for key, value in request["named"].items()}
            reply = {"say": "value", "value": self._encode(function(*args, **named))}
        except Exception as error:
            texts = [str(arg) for arg in error.args]
            reply = {"say": "raised", "type": type(error).__name__, "args": texts}
        if (state := self._random.changed()) is not None:
            reply["random"] = state
        return reply

    def _encode(self, value: Any) -> Any:
        return encode(value, self._keep)

    def _decode(self, data: Any) -> Any:
        return decode(data, self._resolve)

    def _keep(self, value: Any) -> dict[str, Any]:
        if (number := number_of(value)) is not None:
            return {"$own": number}
        if not callable(value) or isinstance(value, type):
            kind = type(value).__name__
            raise Uncrossable(f"an object of type {kind} cannot be passed to the student's code")
        number = self._numbers.get(id(value))
        if number is None:
            number = self._numbers[id(value)] = len(self._functions)
            self._functions.append(value)
        name = str(getattr(value, "__name__", "function"))
        return {"$object": [number, name, written_of(value, self.shown)]}

    def _resolve(self, kind: str, said: Any, args: Sequence[Any] = ()) -> Any:
        if kind == "argument":
            return args[int(said)]
        return self._functions[int(said)] if kind == "own" else self._proxies.proxy(said)


_NOTHING = object()


def _number(value: Any) -> float | None:
    """Return a value as partial credit; None for what is no number."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.number)):
        return None
    return None if isinstance(value, np.complexfloating) else float(value)


def _told(error: BaseException, source: str, name: str) -> dict[str, Any]:
    """Return what there is to say of an error in a test."""
    lines = source.splitlines()
    own = [line for file, line in lines_of(error) if file == name]
    line = own[0] if own else getattr(error, "lineno", None)
    try:
        text = str(error)[:MOST_WORDS]  # which may ask an object of theirs
    except BaseException:
        text = "(its message cannot be shown)"
    line = line if type(line) is int else None
    if not text and line is not None and 0 < line <= len(lines):
        text = lines[line - 1].strip()
    kind = "" if isinstance(error, Gone) else type(error).__name__[:MOST_WORDS]
    place = str(getattr(error, "_autograder_place", ""))[:MOST_WORDS]
    return {"type": kind, "text": text, "line": line, "place": place}


def _put_into(old: Any, new: Any) -> None:
    """Make an argument what the student's code has made of its copy."""
    if isinstance(old, list) and isinstance(new, list):
        if len(old) == len(new) and any(isinstance(item, (list, dict, set)) for item in old):
            for place, (was, now) in enumerate(zip(old, new, strict=True)):
                if isinstance(was, (list, dict, set)) and type(was) is type(now):
                    _put_into(was, now)
                else:
                    old[place] = now
        else:
            old[:] = new
    elif isinstance(old, np.ndarray) and isinstance(new, np.ndarray):
        if old.shape == new.shape and old.dtype == new.dtype:
            old[...] = new
    elif type(old) is type(new) and hasattr(old, "_update_inplace"):  # a DataFrame
        old._update_inplace(new)
    elif isinstance(old, (dict, set)) and isinstance(new, (dict, set)):
        old.clear()
        old.update(new)
    elif put_into_polynomial(old, new):
        pass
    elif hasattr(old, "copy_") and hasattr(new, "shape"):
        old.data.copy_(new)
    elif isinstance(old, bytearray):
        old[:] = new
    elif hasattr(old, "extend") and hasattr(old, "clear"):  # a deque
        old.clear()
        old.extend(new)
