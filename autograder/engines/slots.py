"""Slots: processes that stay warm and grade one submission after another, for whoever sends some.

A process that is killed, or that does not come back, costs the order that it had: that is told as
a fault, and the next order has another process.
"""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection

from autograder.engines.orders import LostGpu, Order, Outcome, Setup, Warm, decode, encode
from autograder.engines.workers import ONE_THREAD
from autograder.errors import DeviceLost, HarnessError, UnsafeHere

__all__ = ["Slot", "Slots"]

HIDDEN = ("AUTOGRADER_", "DASK_")  # what is set for whoever starts a slot
WARM_SECONDS = 240.0  # to import PyTorch and to try the walls, on a machine that is busy
ROUNDS, REST_SECONDS = 6, 300.0  # of a submission's time that a grading may take, and beside it
CLOSE_SECONDS = 5.0


class Slot:
    """One warm process.

    Args:
        setup: what it grades by.
        bundle: the bytes of the bundle.
        private: further paths that no session may find.

    Raises:
        DeviceLost: its GPU cannot be used.
        HarnessError: it did not start, or cannot run the bundle.
        UnsafeHere: this machine cannot hold a student's code safely.
    """

    def __init__(self, setup: Setup, bundle: bytes, private: Sequence[str] = ()) -> None:
        self.used = time.monotonic()
        self.id, self._seconds = setup.id, ROUNDS * setup.limits.submission_seconds + REST_SECONDS
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-m", f"{__package__}.slot_process", str(theirs.fileno())],
                env=_environment(os.environ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._connection = Connection(ours.detach())
        try:
            whole = Setup(
                setup.bundle,
                setup.secret,
                setup.limits,
                setup.device,
                setup.min_isolation,
                (*setup.private, *private),
            )
            self._send(encode(whole))
            self._send(bundle)
            warm = decode(self._receive(WARM_SECONDS), Warm)
            self.isolation = warm.held()
        except BaseException:
            self.close()
            raise

    @property
    def process(self) -> int:
        """The number of its process."""
        return self._process.pid

    def grade(self, order: Order) -> Outcome:
        """Grade one submission.

        Raises:
            HarnessError: the process is gone or does not come back; the slot is of no use then.
        """
        self._send(encode(order))
        outcome = decode(self._receive(self._seconds), Outcome)
        self.used = time.monotonic()
        return outcome

    def kill(self) -> None:
        """Kill the process: whoever waits for it is told that it has ended."""
        self._process.kill()

    def close(self) -> None:
        """End the process with all that it started."""
        self._connection.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(CLOSE_SECONDS)
        self._process.kill()
        self._process.wait()

    def _send(self, data: bytes) -> None:
        try:
            self._connection.send_bytes(data)
        except OSError as error:
            raise HarnessError(f"the process that grades is gone ({error.strerror})") from None

    def _receive(self, seconds: float) -> bytes:
        try:
            if not self._connection.poll(seconds):
                raise HarnessError(f"the process that grades did not come back in {seconds:.0f} s")
            return self._connection.recv_bytes()
        except (EOFError, OSError):
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(CLOSE_SECONDS)
            code = self._process.returncode
            raise HarnessError(f"the process that grades has ended (exit code {code})") from None


@dataclass
class Slots:
    """The slots of one process: as many as are used at a time, and kept warm behind that.

    Attributes:
        most: how many there may be; of those that nobody uses the oldest makes room.
        private: paths of this machine that no session may find.
        spare: how many more are kept warm, where submissions of several assignments alternate.
    """

    most: int
    private: tuple[str, ...] = ()
    spare: int = 0

    def __post_init__(self) -> None:
        self._idle: list[Slot] = []
        self._busy: list[Slot | None] = []  # None for one that is being started
        self._dropped = set[str]()  # set-ups that nobody grades by any more
        self._closed = False
        self._lock = threading.Lock()

    def grade(self, setup: Setup, bundle: bytes, orders: Sequence[Order]) -> list[Outcome]:
        """Grade submissions one after another, in a slot that is warm if there is one.

        Args:
            setup: what they are graded by.
            bundle: the bytes of the bundle, for a slot that is to be started.
            orders: the submissions.

        Returns:
            What became of each. Where no slot can be had at all, each is told that as a fault.
        """
        outcomes: list[Outcome] = []
        slot: Slot | None = None
        try:
            for order in orders:
                try:
                    slot = slot or self._take(setup, bundle)
                    outcomes.append(slot.grade(order))
                except DeviceLost as error:  # there is no slot to be had
                    outcomes.append(Outcome(lost=LostGpu.of(error)))
                except (HarnessError, UnsafeHere, OSError) as error:
                    unsafe = isinstance(error, UnsafeHere)
                    outcomes.append(Outcome(fault=str(error), unsafe=unsafe))
                    if slot is not None:
                        self._drop(slot)
                        slot = None
        finally:
            if slot is not None:
                self._put_back(slot)
        return outcomes

    def warm_up(self, setup: Setup, bundle: bytes) -> Slot:
        """Start a slot, if none is warm, and leave it for whoever grades next.

        Raises:
            DeviceLost: its GPU cannot be used.
            HarnessError: it did not start, or cannot run the bundle.
            UnsafeHere: this machine cannot hold a student's code safely.
        """
        slot = self._take(setup, bundle)
        self._put_back(slot)
        return slot

    def close_idle(self, seconds: float = 0.0) -> None:
        """End the slots that nobody has used for so long."""
        before = time.monotonic() - seconds
        with self._lock:
            old = [slot for slot in self._idle if slot.used <= before]
            self._idle = [slot for slot in self._idle if slot.used > before]
        for slot in old:
            slot.close()

    def drop(self, id_: str) -> None:
        """End the slots of a set-up, those that are used when that is over."""
        with self._lock:
            self._dropped.add(id_)
            old = [slot for slot in self._idle if slot.id == id_]
            self._idle = [slot for slot in self._idle if slot.id != id_]
        for slot in old:
            slot.close()

    def close(self) -> None:
        """End all slots, also those that are used: what they are grading is a fault then."""
        with self._lock:
            self._closed = True
            busy = [slot for slot in self._busy if slot is not None]
        for slot in busy:
            slot.kill()
        self.close_idle()

    def _take(self, setup: Setup, bundle: bytes) -> Slot:
        with self._lock:
            if self._closed:
                raise HarnessError("grading was stopped")
            self._dropped.discard(setup.id)
            found = next((slot for slot in self._idle if slot.id == setup.id), None)
            if found is not None:
                self._idle.remove(found)
            self._busy.append(found)
            room = max(self.most + self.spare - len(self._busy), 0)
            full = found is None and len(self._idle) > room
            oldest = self._idle.pop(0) if full else None
        if oldest is not None:
            oldest.close()
        if found is not None:
            return found
        try:
            slot = Slot(setup, bundle, self.private)
        except BaseException:
            with self._lock:
                self._busy.remove(None)
            raise
        with self._lock:
            self._busy[self._busy.index(None)] = slot
        return slot

    def _put_back(self, slot: Slot) -> None:
        with self._lock:
            self._busy.remove(slot)
            if not self._closed and slot.id not in self._dropped:
                self._idle.append(slot)
                return
        slot.close()

    def _drop(self, slot: Slot) -> None:
        with self._lock:
            self._busy.remove(slot)
        slot.close()


def _environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what a slot has in its environment: neither a secret nor what a cluster is told."""
    kept = {k: v for k, v in environment.items() if not k.startswith(HIDDEN)}
    return kept | ONE_THREAD
