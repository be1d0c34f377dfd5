"""The reference, replayed: what it has answered to the same questions it answers again at once.

An audit runs a check hundreds of times on the same inputs with another student each time. What the
check asks of the reference is the same until an answer of the student's is part of a question. Up
to there the reference need not compute anything; from there on it does, behind the same questions.
"""

import hashlib
import random
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import numpy as np

from autograder.artefacts.compiled import Oracle
from autograder.grading.cases import ReferenceSession
from autograder.sandbox.limits import MB
from autograder.sandbox.protocol.kinds import (
    FROM_GRADER,
    FROM_SESSION,
    Get,
    Message,
    Raised,
    Seed,
    Value,
    encode,
)

__all__ = ["ReplayedReference", "answers_computed", "forget_answers", "forget_answers_since"]

Sent = tuple[bytes, tuple[bytes, ...]]  # a message's header and its bodies
MAX_KEPT = 128 * MB  # of answers; where there are more, all are forgotten


class _Answers:
    """What a reference answered, by all that it was asked before and then.

    Attributes:
        computed: how many answers were kept so far, those too that were forgotten since.
    """

    def __init__(self) -> None:
        self.computed = 0
        self._known: dict[bytes, Sent] = {}
        self._size = 0

    def forget_last(self, count: int) -> None:
        """Forget so many answers, the newest ones, or what there still is of them."""
        for asked in [*self._known][-count:] if count else ():
            self._size -= _size(self._known.pop(asked))

    def get(self, asked: bytes) -> Sent | None:
        """Return the answer, if there is one."""
        return self._known.get(asked)

    def put(self, asked: bytes, answer: Sent) -> None:
        """Keep an answer."""
        size = _size(answer)
        if self._size + size > MAX_KEPT:
            self._known.clear()
            self._size = 0
        self._known[asked] = answer
        self._size += size
        self.computed += 1


def _size(answer: Sent) -> int:
    return len(answer[0]) + sum(map(len, answer[1]))


class ReplayedReference(ReferenceSession):
    """The reference, which computes only what it has not answered before in this process.

    Its own random numbers are its own, as they are where students are graded: what the student's
    code draws does not change them.

    Args:
        oracle: whose reference it is.
    """

    def __init__(self, oracle: Oracle) -> None:
        super().__init__(oracle.namespace)
        self._answers = _answers_of(_Same(oracle.namespace))
        self._digest = b""
        self._asked: list[Sent] = []  # and not computed yet
        self._has_read = False  # whether anything but seeds is among it
        self._generators: tuple[Any, ...] | None = None  # its own, once it computes
        self._is_whole = True
        self._is_measured = False

    def processes(self) -> tuple[int, ...] | None:
        """Return this process, and compute from here on: what is measured is no memory."""
        if not self._is_measured:
            self._is_measured = True
            with self._own_generators():
                self._answer_asked()
        return super().processes()

    def _ask_host(self, request: Message) -> Message:
        if self._is_measured:
            return self._computed(request)
        header, bodies = encode(request)
        sent = header, tuple(map(bytes, bodies))
        self._digest = _digest(self._digest, sent)
        if isinstance(request, Seed):  # whose answer is known: it waits for what draws
            self._asked.append(sent)
            return Value(None)
        known = self._answers.get(self._digest) if self._generators is None else None
        if known is not None:
            self._asked.append(sent)
            self._has_read = True
            return FROM_SESSION.decode(known[0], [bytearray(body) for body in known[1]])
        reply = self._read(request) or self._computed(request)
        if isinstance(reply, Raised):  # by the watchdog, perhaps: what follows is half done
            self._is_whole = False
        if self._is_whole and isinstance(reply, Value):
            header, bodies = encode(reply)
            self._answers.put(self._digest, (header, tuple(map(bytes, bodies))))
        return reply

    def _read(self, request: Message) -> Message | None:
        """Return what a name means, where nothing was asked for before: no code runs for that.

        Nothing is drawn, so that no generators need to change places, which takes long.
        """
        if isinstance(request, Get) and self._generators is None and not self._has_read:
            return super()._ask_host(request)
        return None

    def _computed(self, request: Message) -> Message:
        """Return the reply to a request, behind those that were answered from memory."""
        with self._own_generators():
            if (raised := self._answer_asked()) is not None:
                return raised
            return super()._ask_host(request)

    @contextmanager
    def _own_generators(self) -> Iterator[None]:
        """Let the block draw from the reference's own generators."""
        before = _generators()
        try:
            if self._generators is not None:
                _set_generators(self._generators)
            yield
        finally:
            self._generators = _generators()
            _set_generators(before)

    def _answer_asked(self) -> Raised | None:
        """Ask again what was answered from memory; return what is raised, which was not before."""
        while self._asked:
            header, bodies = self._asked.pop(0)
            request = FROM_GRADER.decode(header, [bytearray(one) for one in bodies])
            reply = super()._ask_host(request)
            if isinstance(reply, Raised):
                return reply
        return None


def answers_computed(oracle: Oracle) -> int:
    """Return how many answers a reference has computed so far, of those that were kept."""
    return _answers_of(_Same(oracle.namespace)).computed


def forget_answers_since(oracle: Oracle, computed: int) -> None:
    """Forget what a reference has answered since it had computed so many answers."""
    answers = _answers_of(_Same(oracle.namespace))
    answers.forget_last(answers.computed - computed)


def forget_answers() -> None:
    """Forget what was answered: from here on, something is computed otherwise."""
    _answers_of.cache_clear()


class _Same:
    """A namespace, equal to itself alone."""

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self._namespace = namespace

    def __hash__(self) -> int:
        return id(self._namespace)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other._namespace is self._namespace


@lru_cache(maxsize=1)
def _answers_of(_: _Same) -> _Answers:
    """Return the answers of a reference, empty at first; those of the one before are forgotten."""
    return _Answers()


def _digest(before: bytes, sent: Sent) -> bytes:
    digest = hashlib.sha256(before)
    for part in (sent[0], *sent[1]):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()


def _generators() -> tuple[Any, ...]:
    """Return the state of this process's generators of random numbers."""
    torch = sys.modules.get("torch")
    own = torch.get_rng_state() if torch is not None else None
    return random.getstate(), np.random.get_state(), own


def _set_generators(states: tuple[Any, ...]) -> None:
    random.setstate(states[0])
    np.random.set_state(states[1])
    if states[2] is not None:
        sys.modules["torch"].set_rng_state(states[2])
