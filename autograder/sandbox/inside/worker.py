"""The worker: what a session's process runs. It executes a student's notebook and answers calls.

Nothing here is to be trusted once a cell has run: the student's code shares this process.
"""

import contextlib
import io
import json
import os
import signal
import sys
import time
from functools import partial
from typing import Any

from autograder.errors import WireError
from autograder.sandbox.inside.cells import Cells
from autograder.sandbox.inside.host import Host
from autograder.sandbox.kernel import children_of, die_with_parent, family_of, fork
from autograder.sandbox.protocol.channel import Channel, ChannelClosed
from autograder.sandbox.protocol.data_files import of_bodies, put_files
from autograder.sandbox.protocol.kinds import (
    FROM_GRADER,
    Cell,
    Done,
    Fork,
    Forked,
    Get,
    Lost,
    Message,
    OnDevice,
    Raised,
    Ran,
    Reap,
    Reaped,
    Refused,
    Run,
    Seed,
    Step,
    Threads,
    encode,
)
from autograder.sandbox.protocol.wire import plain_text

__all__ = ["rehearse", "serve_session"]

MAX_REHEARSAL = 1 << 16
LONGEST_ERROR = 500  # characters
STRAY_ROUNDS = 1000  # orphans of a check arrive one generation at a time
ROOM_SECONDS = 6.0  # that killed processes may take to be gone; less than a session has to answer


class _Sink(io.TextIOBase):
    """Standard output for a notebook: counts what is written, and keeps nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    @property
    def encoding(self) -> str:  # type: ignore[override]  # read-only, as a text stream's is
        return "utf-8"

    def write(self, text: str) -> int:
        self.count += len(text)
        return len(text)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return 1


def rehearse(shell: Any) -> None:
    """Run a cell of ours and answer about it, so that the first of a student's finds all warm.

    In a fork server it imports what is imported late; in a session it makes the pages its own that
    every notebook will write to, while nobody waits yet.
    """
    here, there = Channel.pair(MAX_REHEARSAL, FROM_GRADER)
    ours = sys.stdout, sys.stderr
    with there:
        host = Host({"rehearsal": 0.0})
        run = Run().with_bodies([b'[[0, "0", "own", null, [[1, true]]]]'])
        _run(run, here, Cells(shell), host)
        sys.stdout, sys.stderr = ours
        for request in (Seed(0), Get("rehearsal")):
            here.send(host.handle(FROM_GRADER.decode(*encode(request)), here.ask))
    here.close()


def serve_session(channel: Channel, shell: Any) -> None:
    """Run a notebook, then answer about it, until the other end closes the channel."""
    rehearse(shell)
    cells, host = Cells(shell), Host(shell.user_ns)
    try:
        while True:
            request = channel.receive()
            if isinstance(request, Run):
                _run(request, channel, cells, host)
            elif isinstance(request, Fork):
                _fork(channel, host)
            else:
                _reply(channel, host, request)
    except ChannelClosed:
        pass


def _run(request: Run, channel: Channel, cells: Cells, host: Host) -> None:
    """Run cells in order; a cell that raises is reported and passed over.

    Args:
        request: which cells, and which files are to lie in the working directory.
        channel: takes what comes of each cell.
        cells: of the notebook, of which others may have run before.
        host: keeps the names at places.
    """
    put_files(of_bodies(request.bodies[1:]))
    sink = _Sink()
    sys.stdout = sys.stderr = sink
    for number, source, kind, stop, places in json.loads(bytes(request.bodies[0])):
        before = sink.count
        channel.send(Cell(number))
        ran = cells.run(number, source, kind, stop, partial(_tell_step, channel, host))
        _leave_if_lost(channel, host)
        kind, text = _described(ran.error) if ran.error is not None else ("", "")
        printed = sink.count - before
        for place, names in places:
            host.remember(place, names)
        channel.send(Done(kind, text, printed, ran.touched, list(ran.kept)))
    channel.send(Ran())


def _tell_step(channel: Channel, host: Host, index: int, line: int) -> None:
    """Say which statement of a cell begins: should it end the session, those above it count."""
    _leave_if_lost(channel, host)
    channel.send(Step(index, line))


def _leave_if_lost(channel: Channel, host: Host) -> None:
    """End this process, and say why, if what it has just run broke its GPU for it."""
    if (said := host.device.what_broke()) is not None:
        channel.send(Lost(plain_text(said)))
        os._exit(1)


def _described(error: BaseException) -> tuple[str, str]:
    """Return the type of an error, and what there is to say of it."""
    kind = plain_text(type(error).__name__[:LONGEST_ERROR])
    try:
        return kind, plain_text(f"{kind}: {error}"[:LONGEST_ERROR])
    except BaseException:
        return kind, "an error whose message cannot be shown"


def _fork(channel: Channel, host: Host) -> None:
    """Fork a child that answers one check's calls; it starts from the notebook's state.

    What the check has started ends with it, and nothing that was there before.
    """
    stream = channel.receive_socket()
    on_device = host.device.is_in_use()
    if on_device or len(os.listdir("/proc/self/task")) > 1:  # whose locks a fork would leave held
        stream.close()
        channel.send(OnDevice() if on_device else Threads())
        return
    session = os.getpid()
    own = frozenset(family_of(session))
    try:
        child = _fork_soon()
    except OSError:
        stream.close()
        channel.send(Refused())
        return
    if child == 0:
        os.setsid()
        die_with_parent(session)
        channel.close()
        _serve(Channel(stream, channel.max_bytes, FROM_GRADER), host)
        os._exit(0)
    stream.close()
    channel.send(Forked())
    request = channel.receive()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    _end_strays(session, own)
    if not isinstance(request, Reap):
        raise WireError(f"{type(request).__name__} while a check runs")
    channel.send(Reaped())


def _end_strays(session: int, own: frozenset[int]) -> None:
    """End what a check has left behind, and wait for it: until then it counts as a process."""
    for _ in range(STRAY_ROUNDS):
        strays = [child for child in children_of(session) if child not in own]
        if not strays:
            return
        for stray in strays:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(stray, signal.SIGKILL)
                os.waitpid(stray, 0)


def _fork_soon() -> int:
    """Fork, as soon as there is room: processes that were killed count until they are gone."""
    until = time.monotonic() + ROOM_SECONDS
    while True:
        try:
            return fork()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)


def _serve(channel: Channel, host: Host) -> None:
    try:
        while True:
            _reply(channel, host, channel.receive())
    except ChannelClosed:
        pass


def _reply(channel: Channel, host: Host, request: Message) -> None:
    try:
        channel.send(host.handle(request, channel.ask))
    except WireError as error:  # the value is too large for a message
        channel.send(Raised("ValueError", str(error)))
