"""What a check is given: functions of the reference in place of a student's own.

A case that failed is run again with them, so that an earlier mistake does not cost later points
twice.
"""

import os
import resource
import signal
import sys
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import msgspec

from autograder.artefacts.results import CaseResult, Verdict
from autograder.authoring.checks import Case, Check
from autograder.authoring.subject import RemoteId, Session
from autograder.errors import StudentError, StudentKilled, StudentTimeout, WireError
from autograder.sandbox.kernel import die_with_parent
from autograder.sandbox.limits import MB
from autograder.sandbox.protocol.callbacks import Callbacks
from autograder.sandbox.protocol.channel import Channel, ChannelClosed, ChannelTimeout
from autograder.sandbox.protocol.kinds import FROM_CALLER, FROM_REFERENCE, Callback, Raised, Value
from autograder.sandbox.protocol.messages import MessageSession
from autograder.sandbox.protocol.packed import Reference
from autograder.sandbox.protocol.wire import Packer, plain_text, unpack

__all__ = ["ReferenceProcess", "bound_memory", "giving", "note", "run_given", "wants_given"]

MAX_ANSWER = 64 * MB
MAX_MEMORY = 2048 * MB  # that a call of the reference may take on a student's arguments
MAX_TEXT = 2000
MOST_NAMED = 3  # functions that a note names


def wants_given(check: Check, result: CaseResult, wrong: Collection[str] | None = None) -> bool:
    """Return whether a case is to be run again with what its check is given.

    Args:
        check: the case's.
        result: of the case.
        wrong: the only names of the notebook that are not the reference's, where that is known:
            what is given makes no difference but in place of one of them.
    """
    is_at_stake = bool(check.given if wrong is None else set(check.given).intersection(wrong))
    return is_at_stake and result.verdict in (Verdict.FAILED, Verdict.ERRORED)


def run_given(
    check: Check,
    cases: Iterable[Case],
    student: Session,
    namespace: Mapping[str, Any],
    seconds: float,
    run: Callable[[Case], CaseResult],
) -> Iterator[CaseResult]:
    """Run cases again and give the results that stand in place of the first ones.

    A case passes by what is given only if it was called; any other second failure tells the
    student less than the first.

    Args:
        check: whose cases failed.
        cases: which of them.
        student: a session that has not seen them yet.
        namespace: the reference.
        seconds: the limit on one call of the student's code, callbacks included.
        run: runs a case in the session.
    """
    assert isinstance(student, MessageSession)
    with ReferenceProcess(namespace) as reference:
        for case in cases:
            callbacks = Callbacks(check.given, reference.answer, seconds)
            try:
                student.give(callbacks)
            except StudentError:  # the session is gone
                return
            result = run(case)
            if result.verdict is Verdict.BROKEN:
                yield result
            elif result.verdict is Verdict.PASSED and callbacks.used:
                yield msgspec.structs.replace(result, message=note(check), given=True)
            elif result.verdict in (Verdict.TIMED_OUT, Verdict.KILLED):
                return


@contextmanager
def giving(
    check: Check, student: Session, namespace: Mapping[str, Any], seconds: float
) -> Iterator[None]:
    """Give a session what a check is given, inside the block.

    Args:
        check: whose cases run there.
        student: the session.
        namespace: the reference.
        seconds: the limit on one call of the student's code, callbacks included.
    """
    assert isinstance(student, MessageSession)
    with ReferenceProcess(namespace) as reference:
        student.give(Callbacks(check.given, reference.answer, seconds))
        yield


def note(check: Check) -> str:
    """Return what everybody reads of a case of a check that passed with what is given.

    It is the same whatever of that was called, for that may depend on a hidden input.
    """
    *others, last = check.given
    names = f"{', '.join(others)} and {last}" if others else last
    if len(check.given) > MOST_NAMED:
        names = "answers to the questions before"
    return f"passes with the reference's {names} in place of yours"


class ReferenceProcess:
    """A fork of this process that calls functions of the reference on a student's arguments.

    They may be any: numbers that keep a processor busy for hours, indices that crash a library.
    So a call that lasts too long is killed, and what it takes or breaks is not the grader's.
    As a fork of a process with CUDA it has no CUDA.

    Args:
        namespace: the reference.
    """

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self._namespace = namespace
        self._channel: Channel | None = None
        self._process = 0

    def __enter__(self) -> "ReferenceProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def answer(self, call: Callback, deadline: float) -> Value | Raised:
        """Return the reply to a call: what came of it, or which of Python's exceptions.

        Raises:
            StudentTimeout: it was not there in time.
            StudentKilled: the call ended the process.
        """
        channel = self._channel or self._start()
        try:
            channel.send(call, deadline)
            reply = channel.receive(deadline)
            assert isinstance(reply, Value | Raised)
            return reply
        except ChannelTimeout:
            self.close()
            raise StudentTimeout(f"ran for too long in the reference's {call.name}") from None
        except (ChannelClosed, WireError):
            self.close()
            raise StudentKilled(f"its arguments ended the reference's {call.name}") from None
        except BaseException:  # the watchdog's: the next answer must not be this call's
            self.close()
            raise

    def close(self) -> None:
        """End the process, if it was started."""
        if self._channel is not None:
            self._channel.close()
            with suppress(ProcessLookupError):
                os.kill(self._process, signal.SIGKILL)
            os.waitpid(self._process, 0)
        self._channel = None

    def _start(self) -> Channel:
        channel, theirs = Channel.pair(MAX_ANSWER, FROM_REFERENCE)
        parent = os.getpid()
        with warnings.catch_warnings():
            # Other threads: a lock of theirs may stay held in the fork, which is then killed.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._process = os.fork()
        if self._process == 0:
            try:
                channel.close()
                die_with_parent(parent)
                bound_memory()
                if (torch := sys.modules.get("torch")) is not None:
                    torch.set_num_threads(1)  # its other threads are not in a fork
                _serve(Channel(theirs, MAX_ANSWER, FROM_CALLER), self._namespace)
            finally:
                os._exit(0)
        theirs.close()
        self._channel = channel
        return channel


def _serve(channel: Channel, namespace: Mapping[str, Any]) -> None:
    while True:
        call = channel.receive()
        assert isinstance(call, Callback)
        reply = _reply(namespace[call.name], call)
        try:
            channel.send(reply)
        except WireError as error:
            channel.send(_raised(ValueError(f"{call.name} returns {error}")))


def _reply(function: Callable[..., Any], call: Callback) -> Value | Raised:
    try:
        args = [unpack(value, call.bodies, _no_object) for value in call.args]
        kwargs = {key: unpack(value, call.bodies, _no_object) for key, value in call.named.items()}
        packer = Packer(_no_value)
        return Value(packer.pack(function(*args, **kwargs))).with_bodies(packer.bodies)
    except Exception as error:
        return _raised(error)


def _raised(error: Exception) -> Raised:
    """Return an exception as the nearest of Python's own and its text, and nothing else."""
    name = next(k.__name__ for k in type(error).__mro__ if k.__module__ == "builtins")
    return Raised(name, plain_text(str(error)[:MAX_TEXT]))


def _no_object(reference: Reference) -> Any:
    raise TypeError(f"takes values only, no object of type {reference.type_name[:100]}")


def _no_value(value: object) -> RemoteId:
    raise TypeError(f"returns an object of type {type(value).__name__}, which cannot be given")


def bound_memory() -> None:
    """Bound the memory of this process to what it has and some more."""
    with open("/proc/self/statm", encoding="ascii") as file:
        pages = int(file.read().split()[0])
    limit = pages * resource.getpagesize() + MAX_MEMORY
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    if hard == resource.RLIM_INFINITY or limit < hard:
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
