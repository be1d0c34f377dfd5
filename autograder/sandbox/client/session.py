"""Sessions as the grader sees them: what ran in one, and the calls of checks to it."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import Self

from autograder import errors
from autograder.errors import HarnessError, StudentKilled, StudentTimeout, WireError
from autograder.sandbox.client.cell_runs import (
    NOTHING,
    CellRun,
    CodeCell,
    DeviceError,
    Place,
    cell_run,
    cells_to_run,
    hear_cell,
    why_missing,
)
from autograder.sandbox.client.check_session import CheckSession
from autograder.sandbox.client.fork_server import (
    ANSWER_SECONDS,
    ForkServer,
    KilledFromOutside,
    Waiting,
)
from autograder.sandbox.client.shortage import wanted_the_gpu, wanted_the_processor
from autograder.sandbox.protocol import kinds as protocol
from autograder.sandbox.protocol.channel import Channel, ChannelClosed, ChannelTimeout, expect
from autograder.sandbox.protocol.data_files import as_bodies
from autograder.sandbox.protocol.kinds import Message

__all__ = ["CellRun", "CheckSession", "CodeCell", "NotebookSession"]

KILLED_TRIES = 3  # of a session that somebody else kills
MORE_LINES = 100  # than a cell may have once IPython has turned its magics into Python


class NotebookSession:
    """A session that ran one student's notebook, and answers checks about it.

    A cell that ends the session, by a limit or by itself, is left out from the statement on that
    did so, and the notebook is run again, so that everything else counts.

    Attributes:
        runs: what came of each cell, by its number.
        anew: whether it cannot be forked, because it started threads, or uses a GPU (on_device).
        is_used: whether the session that was given last has run other cases.
        starved: whether something had too little of the processor, or of a GPU that others use.
        vanished: whether the last call ended its process, by no limit of ours.
        run_seconds: how long the notebook took when it was run last.

    Args:
        fork server: which forks the session.
        cells: the code cells to run.
        deadline: a time of `time.monotonic` at which the whole submission must be done.
        files: what lies in its working directory, by path.
        upto: how many cells to run at first; None is all.
        ended: cells that ended other sessions, by their numbers.
        places: where checks stand, by the number of cells, and whether they ask what names meant.
        cell_seconds: the limit on one cell; None is the fork server's.

    Raises:
        HarnessError: the fork server is gone, or its session ended before it ran a cell or was
            killed by somebody else; so do all methods.
    """

    def __init__(
        self,
        fork_server: ForkServer,
        cells: Sequence[CodeCell],
        deadline: float,
        files: Mapping[str, bytes] | None = None,
        upto: int | None = None,
        ended: Mapping[int, CellRun] | None = None,
        places: Mapping[int, bool] | None = None,
        cell_seconds: float | None = None,
    ) -> None:
        self._fork_server, self._cells, self._deadline = fork_server, list(cells), deadline
        self._files = files or {}
        self._channel: Channel | None = None
        self._session: Waiting | None = None
        self._fresh = False  # whether the session has answered nothing yet
        self._at: Place | None = None  # of the cell that runs, or ran last
        self._waited = 0.0  # seconds, for the session or its fork
        self._cell_seconds = cell_seconds or fork_server.limits.cell_seconds
        self._upto = len(self._cells) if upto is None else upto
        self._ended, self._places = dict(ended or {}), places or {}
        self.runs: dict[int, CellRun] = dict(self._ended)
        self.anew = self.on_device = self.is_used = self.starved = self.vanished = False
        self.run_seconds = 0.0
        self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def check(self, seconds: float | None = None, shared: bool = False) -> Iterator[CheckSession]:
        """Give a session for some cases, whose first call finds the notebook's own state.

        It is a fork of the session; where that cannot be forked, the notebook has been run again.

        Args:
            seconds: the limit on one call; None is the fork server's.
            shared: of a notebook that uses a GPU it may be the session of other shared cases.

        Raises:
            StudentTimeout: the submission's time is used up.
            StudentKilled: the session ends whenever it is asked.
        """
        limit = seconds if seconds is not None else self._fork_server.limits.call_seconds
        if (channel := self._fork(shared)) is not self._channel:
            self._waited = 0.0
        try:
            explain = partial(why_missing, cells=self._cells, runs=self.runs)
            yield CheckSession(
                partial(self._call, channel), limit, explain, self._fork_server.in_use
            )
        finally:
            if channel is self._channel:
                if not (shared and self.on_device):
                    self.close()
            else:
                channel.close()
                self._reap()

    def run_to(self, upto: int) -> None:
        """Run the cells up to this many, in the session as it is if there is one.

        Raises:
            StudentTimeout: the submission's time is used up.
        """
        former, self._upto = self._upto, upto
        if self._channel is not None and upto == former and self._channel.is_silent():
            return
        if self._channel is not None and upto >= former:
            with suppress(HarnessError):  # it ended meanwhile, as code that it left running may do
                if (culprit := self._run(self._channel, former)) is None:
                    return
                self._leave_out(culprit)
        self._open()

    def again(self) -> "NotebookSession":
        """Return a session of the same notebook, of which no cell has run yet."""
        return NotebookSession(
            self._fork_server, self._cells, self._deadline, self._files, upto=0, ended=self._ended
        )

    def close(self, by_itself: bool = False) -> str:
        """End the session; say how it had ended by itself."""
        if self._channel is not None:
            self._channel.close()
        session, self._channel, self._session = self._session, None, None
        return self._fork_server.end(session, by_itself) if session is not None else ""

    @property
    def is_open(self) -> bool:
        """Whether there is a session: else the notebook is run again for the next check."""
        return self._channel is not None

    def seconds_left(self) -> float:
        """Return how much of the submission's time is left."""
        return max(0.0, self._deadline - time.monotonic())

    def _open(self) -> None:
        """Run the notebook in a fresh session, without what ended earlier ones.

        There is no session afterwards if the submission's time is used up.
        """
        self.close()
        tries = KILLED_TRIES
        while time.monotonic() < self._deadline:
            self._session = started = self._fork_server.start()
            self._channel, self._waited = started.channel, 0.0
            began = time.monotonic()
            try:
                culprit = self._run(self._channel)
            except StudentTimeout:  # before its first cell
                break
            except KilledFromOutside:
                tries -= 1
                if tries:
                    continue
                if self._at is None:
                    raise
                # So often it is nobody else: code may lower a limit of its own and die by it.
                tries, culprit = KILLED_TRIES, self._at.ended("it was ended by SIGKILL")
            except HarnessError:
                started.channel.close()
                raise
            self.run_seconds = time.monotonic() - began
            if culprit is None:
                self._fresh = True
                return
            self._leave_out(culprit)
        self.close()

    def _leave_out(self, culprit: CellRun) -> None:
        """Run no more of a cell than what stands above the statement that ended the session."""
        again = culprit.number in self._ended
        self._ended[culprit.number] = replace(culprit, stop=NOTHING if again else culprit.stop)
        first = self.runs.setdefault(culprit.number, culprit)
        if first.ended is None:  # what it does later may tell of hidden inputs, and is not told
            self.runs[culprit.number] = replace(first, ended=culprit.ended, later=True)
        self.close()

    def _run(self, channel: Channel, begin: int = 0) -> CellRun | None:
        """Run cells; return the one that ended the session, None if none did.

        Args:
            channel: to the session.
            begin: how many have run in it before.
        """
        cells = cells_to_run(self._cells, begin, self._upto, self._ended, self._places)
        began, at, late = time.monotonic(), None, False
        self._at = None
        try:
            files = [] if begin else as_bodies(self._files)
            request = protocol.Run().with_bodies([json.dumps(cells).encode(), *files])
            channel.send(request, self._until(ANSWER_SECONDS))
            for number, source, *_ in cells:
                if expect(channel, protocol.Cell, self._until(ANSWER_SECONDS)).number != number:
                    raise WireError("another cell than the next")
                at = self._at = Place(number, MORE_LINES + 2 * len(source))
                done = hear_cell(channel, at, self._until(self._cell_seconds))
                self._note_shortage(done.raised)
                # What a later run says may tell of hidden inputs: the first is reported.
                self.runs.setdefault(number, cell_run(number, done))
            expect(channel, protocol.Ran, self._until(ANSWER_SECONDS))
            return None
        except ChannelTimeout:
            whole, late = time.monotonic() >= self._deadline, True
            if whole and at is None:
                raise StudentTimeout("the submission ran out of its time") from None
            limit = self._cell_seconds if at else ANSWER_SECONDS
            much = f"it ran for more than {limit:g} s"
            how = "the submission's time was used up" if whole else much
            self._note_starvation(began, forks=False)
        except ChannelClosed:
            how = self.close(by_itself=True)
        except DeviceError as error:
            how = str(error)
        except WireError as error:
            if at is None:
                raise HarnessError(f"a session did not run its first cell: {error}") from None
            how = "it wrote to the grader's channel"
        finally:
            self._waited += time.monotonic() - began
        if at is None:
            raise HarnessError(f"a session ended before its first cell: {how}")
        return at.ended(how, late)

    def _note_starvation(self, began: float, forks: bool) -> None:
        """Note whether what ran out of its time was kept from the processor by others."""
        waited = self._waited + time.monotonic() - began
        self.starved |= wanted_the_processor(self._fork_server, waited, forks)

    def _note_shortage(self, error_type: str) -> None:
        """Note whether an error may be that others had taken memory of the same GPU."""
        self.starved = self.starved or wanted_the_gpu(self._fork_server, error_type)

    def _fork(self, shared: bool) -> Channel:
        """Return the channel to a fork of the session, or to the session where it cannot fork."""
        for _ in range(2):
            if self._channel is None:
                self._open()
            if self._channel is None:
                raise StudentTimeout("the submission ran out of its time")
            answer, channel = self._ask_to_fork(self._channel)
            self.is_used = False
            if isinstance(answer, protocol.Forked):
                return channel
            channel.close()
            if isinstance(answer, protocol.Refused):
                raise StudentKilled("it has started as many processes as a session may have")
            if isinstance(answer, (protocol.Threads, protocol.OnDevice)):
                self.anew, self.is_used = True, not self._fresh
                self.on_device = isinstance(answer, protocol.OnDevice) and self._fork_server.on_gpu
                if self._fresh or (shared and self.on_device):
                    self._fresh = False
                    return self._channel
            self._clear_away(by_itself=answer is None)
        raise StudentKilled("the session ends whenever it is asked")

    def _ask_to_fork(self, session: Channel) -> tuple[Message | None, Channel]:
        """Return what a session says to that, None if it is gone, and a channel to its fork."""
        channel, theirs = Channel.pair(session.max_bytes, protocol.FROM_SESSION)
        try:
            with theirs:
                session.send(protocol.Fork(), self._until(ANSWER_SECONDS))
                session.send_socket(theirs)
            return session.receive(self._until(ANSWER_SECONDS)), channel
        except (ChannelClosed, ChannelTimeout, WireError):
            return None, channel

    def _reap(self) -> None:
        """Have the session kill its fork; a session that does not is ended with it."""
        try:
            if self._channel is not None:
                self._channel.send(protocol.Reap(), self._until(ANSWER_SECONDS))
                expect(self._channel, protocol.Reaped, self._until(ANSWER_SECONDS))
        except (ChannelClosed, ChannelTimeout, WireError):
            self._clear_away(by_itself=True)

    def _clear_away(self, by_itself: bool) -> None:
        """End the session, whoever may have killed it: the next check opens another."""
        with suppress(KilledFromOutside):
            self.close(by_itself)

    def _call(self, channel: Channel, request: Message, seconds: float) -> Message:
        """Send a request and return its reply, with the student's fault as the exception."""
        until, began = self._until(seconds), time.monotonic()
        self.vanished = False
        try:
            channel.send(request, until)
        except WireError as error:
            raise errors.UnsendableArgument(
                f"an argument of a check cannot be sent: {error}"
            ) from None
        except (ChannelClosed, ChannelTimeout):
            pass  # the reply, which does not come, says which
        try:
            reply = channel.receive(until)
            if isinstance(reply, protocol.Lost):
                raise StudentKilled(str(DeviceError(reply)))
            if isinstance(reply, protocol.Raised):
                self._note_shortage(reply.type)
            return reply
        except ChannelTimeout:
            whole = time.monotonic() >= self._deadline
            self._note_starvation(began, forks=channel is not self._channel)
            much = f"ran for more than {seconds:g} s"
            raise StudentTimeout("the submission ran out of its time" if whole else much) from None
        except ChannelClosed:
            self.vanished = (overuse := self._fork_server.overuse()) is None
            raise StudentKilled(overuse or "the code ended its own process") from None
        except WireError as error:
            raise StudentKilled(f"the session sent what is no value: {error}") from None
        finally:
            self._waited += time.monotonic() - began

    def _until(self, seconds: float) -> float:
        return min(time.monotonic() + seconds, self._deadline)
