"""The process in which ``autograder check`` runs a notebook; it tells what it does as it goes.

A process of its own can be ended on every system, whatever its code is doing: `Rehearsal`, outside,
reads along and keeps the time.
"""

import contextlib
import io
import linecache
import os
import re
import sys
from collections.abc import Callable
from typing import Any

import msgspec

from autograder.artefacts.results import CaseResult
from autograder.authoring.checks import Check
from autograder.errors import AutograderError
from autograder.sandbox.protocol.kinds import Message
from autograder.sandbox.protocol.messages import Reply
from autograder.student.checking import HomeSession, run_visible, visible_cases

__all__ = ["Event", "Job", "main"]

_MAGIC = re.compile(r"^(\s*)[%!?].*$", re.MULTILINE)


class Job(msgspec.Struct, frozen=True):
    """What to run: ``cells`` are (number, source); ``known`` the cases that need not run again."""

    folder: str
    cells: tuple[tuple[int, str], ...]
    known: tuple[tuple[str, str], ...] = ()


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the process begins (``cell``, ``case``, ``call``, ``reply``), or what came of it.

    ``raised`` has a cell's error, ``result`` a case's outcome, ``checked`` the points of a check
    behind its last case, ``broken`` what ends everything; ``done`` is the last. ``seconds`` is the
    limit that the check sets for a call.
    """

    kind: str
    number: int = 0
    text: str = ""
    check: str = ""
    case: str = ""
    points: float = 0.0
    seconds: float = 0.0
    result: CaseResult | None = None


Tell = Callable[[Event], None]


class _WatchedSession(HomeSession):
    """The student's code, in this process; tells of each call when it begins and ends."""

    def __init__(self, namespace: dict[str, Any], tell: Tell, call: Event) -> None:
        super().__init__(namespace)
        self._tell, self._call = tell, call

    def _send(self, request: Message, wanted: type[Reply]) -> Reply:
        self._tell(self._call)
        try:
            return super()._send(request, wanted)
        finally:
            self._tell(msgspec.structs.replace(self._call, kind="reply"))


def main() -> None:
    """Read a job from standard input, run it, and tell of it on standard output."""
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    # What the notebook prints, by whatever means, must not come between the events.
    channel = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)

    def tell(event: Event) -> None:
        channel.write(msgspec.json.encode(event) + b"\n")
        channel.flush()

    os.chdir(job.folder)
    sys.path.insert(0, job.folder)  # as in Jupyter, for modules beside the notebook
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            _rehearse(job, tell)
        except AutograderError as error:
            tell(Event("broken", text=str(error)))
        except KeyboardInterrupt:
            return  # the other process says so


def _rehearse(job: Job, tell: Tell) -> None:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for number, source in job.cells:
        tell(Event("cell", number))
        if error := _run(number, source, namespace):
            tell(Event("raised", number, error))
    for check in [value for value in namespace.values() if isinstance(value, Check)]:
        _check(check, set(job.known), namespace, tell)
    tell(Event("done"))


def _check(check: Check, known: set[tuple[str, str]], names: dict[str, Any], tell: Tell) -> None:
    recording, cases = visible_cases(check)
    own = check.seconds or (recording.call_seconds if recording else 0.0)
    for case in cases:
        if (check.name, case.name) in known:
            continue
        tell(Event("case", check=check.name, case=case.name))
        call = Event("call", check=check.name, case=case.name, seconds=own)
        result = run_visible(check, case, recording, _WatchedSession(names, tell, call))
        tell(Event("result", check=check.name, case=case.name, result=result))
    tell(Event("checked", check=check.name, points=check.points))


def _run(number: int, source: str, namespace: dict[str, Any]) -> str | None:
    """Run a cell; return what it raised, which is passed over, as grading does."""
    try:
        name = f"<cell {number}>"
        try:
            code = compile(source, name, "exec")
        except SyntaxError:  # a line that only IPython understands
            source = _MAGIC.sub(r"\1pass", source)
            code = compile(source, name, "exec")
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        exec(code, namespace)
    except NotImplementedError:
        return None  # not answered yet: its check says so
    except (Exception, SystemExit) as error:
        return f"{type(error).__name__}: {error}"
    return None


if __name__ == "__main__":
    main()
