"""The workers of a cluster that can grade for a run: each is asked, and told what it needs."""

import logging
import math
import time
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from autograder.engines import dask_worker
from autograder.engines.dask_cluster import GPU, is_loopback
from autograder.engines.dask_worker import Facts
from autograder.engines.orders import Setup, Warm, decode, encode
from autograder.errors import HarnessError, UnsafeHere

__all__ = ["Workers"]

MOST_ASKED = 32  # at a time
ASKED_SECONDS = 0.1  # between two looks, before the first can grade
OTHERS_SECONDS = 2.0  # behind the first, for others to answer before anything is sent
AGAIN_SECONDS = 30.0  # until one is asked again that could not start what grades
END_SECONDS = 3.0  # for workers to be told that a run is over
TOLD = 10  # workers that a message names


@dataclass(frozen=True)
class Worker:
    """A worker that can grade: its machine, and how many submissions at a time."""

    host: str
    slots: int


@dataclass(frozen=True)
class Refusal:
    """Why a worker cannot grade, and whether that may pass."""

    why: str
    passes: bool = False


class Workers:
    """The workers of a cluster that can grade for a run.

    Each is asked once what it is, gets the set-up and, if it has not had it before, the bundle,
    and tries its walls. One that cannot grade is left out; where that may pass, it is asked again
    after a while. Each is asked by a thread of its own, so that one that dies keeps none waiting.

    Args:
        client: of Dask, connected.
        setup: of the run.
        bundle: the bytes of its bundle.
        insecure: whether workers elsewhere may be spoken to without encryption.

    Attributes:
        fit: those that can, by address.
        refused: why the others cannot, by address.
    """

    def __init__(self, client: Any, setup: Setup, bundle: bytes, insecure: bool) -> None:
        self._client, self._setup, self._bundle = client, setup, bundle
        self._insecure = insecure
        self._asked: set[str] = set()
        self._answers = SimpleQueue[tuple[str, Worker | Refusal | None]]()
        # Why some could not grade, which may pass, and when each is asked again.
        self._passing: dict[str, tuple[str, float]] = {}
        self._told = set[str]()
        self.fit: dict[str, Worker] = {}
        self.refused: dict[str, str] = {}

    @property
    def slots(self) -> int:
        """How many submissions are graded at a time."""
        return sum(worker.slots for worker in self.fit.values())

    @property
    def hosts(self) -> int:
        """How many machines there are."""
        return len({worker.host for worker in self.fit.values()})

    @property
    def are_asked(self) -> bool:
        """Whether some have not answered yet."""
        return bool(self._asked)

    @property
    def may_come_back(self) -> bool:
        """Whether some that are refused may grade when they are asked again."""
        return bool(self._passing)

    def wait_for_the_first(self, first_seconds: float, patience: float) -> None:
        """Look until a worker can grade.

        Args:
            first_seconds: how long to wait where there is none.
            patience: how long to wait where one is there, and may be able to grade later.

        Raises:
            HarnessError: there was none for so long.
            UnsafeHere: there are workers, and none of them will ever do.
        """
        began, told = time.monotonic(), False
        fit_at: float | None = None
        while True:
            self.look()
            now = time.monotonic()
            if self.fit:
                fit_at = fit_at or now
                if not self.are_asked or now - fit_at > OTHERS_SECONDS:
                    return
            elif self.refused and not self.are_asked and not self.may_come_back:
                raise UnsafeHere(f"the cluster cannot grade this:{self.reasons()}")
            elif self.refused or self.are_asked:
                if self.may_come_back and not told:
                    logging.getLogger(__name__).warning(
                        "no worker can grade yet; they are asked again for %d minutes:%s",
                        math.ceil(patience / 60),
                        self.reasons(),
                    )
                    told = True
                if now - began > patience:
                    raise HarnessError(f"no worker could grade in {patience:.0f} s{self.reasons()}")
            elif now - began > first_seconds:
                raise HarnessError(
                    f"no worker came to the scheduler in {first_seconds:.0f} s; start one as "
                    "docs/operators.md says"
                )
            time.sleep(ASKED_SECONDS)

    def reasons(self) -> str:
        """Return why workers cannot grade, each reason once, as lines."""
        return _lines([*self.refused.values(), *(why for why, _ in self._passing.values())])

    def tell_refused(self) -> None:
        """Say once of each worker that it is left out, and why, where others can grade."""
        new = {why for why in self.refused.values() if why not in self._told}
        self._told |= new
        if new and self.fit:
            logging.getLogger(__name__).warning("workers are left out:%s", _lines(new))

    def look(self) -> None:
        """Take in what workers have answered, ask new ones, and forget those that are gone.

        Raises:
            OSError: the scheduler is gone.
        """
        known: Mapping[str, Any] = self._client.scheduler_info()["workers"]
        with suppress(Empty):
            while True:
                address, answer = self._answers.get_nowait()
                self._asked.discard(address)
                if isinstance(answer, Worker):
                    self.fit[address] = answer
                elif answer is not None:
                    self.refused[address] = answer.why
                    if answer.passes:
                        self._passing[address] = answer.why, time.monotonic() + AGAIN_SECONDS
        here = known.keys() - self.fit.keys()
        self._passing = {a: passing for a, passing in self._passing.items() if a in here}
        self.ask_again([a for a, (_, at) in self._passing.items() if at <= time.monotonic()])
        self.fit = {address: worker for address, worker in self.fit.items() if address in known}
        self.refused = {address: why for address, why in self.refused.items() if address in known}
        for address in known.keys() - self.fit.keys() - self.refused.keys() - self._asked:
            if len(self._asked) < MOST_ASKED:
                self._asked.add(address)
                Thread(target=self._ask, args=(address, known[address]), daemon=True).start()

    def forget(self, addresses: Collection[str]) -> None:
        """Ask workers anew when they are next looked at: one of them has lost its set-up."""
        self.fit = {a: worker for a, worker in self.fit.items() if a not in addresses}

    def lose(self, address: str, why: str) -> None:
        """Leave out a worker from now on, whose GPU is lost; of one that is left out, nothing."""
        if (worker := self.fit.pop(address, None)) is not None:
            self.refused[address] = f"{worker.host}: {why}"

    def ask_again(self, addresses: Collection[str]) -> None:
        """Ask workers that were left out once more."""
        self.refused = {a: why for a, why in self.refused.items() if a not in addresses}

    def end(self) -> None:
        """Tell the workers that the run is over, and wait a moment until they have heard it."""
        if self.fit:
            telling = Thread(target=self._tell_end, args=(list(self.fit),), daemon=True)
            telling.start()
            telling.join(END_SECONDS)

    def _tell_end(self, addresses: list[str]) -> None:
        with suppress(Exception):  # they forget by themselves, only later
            self._client.run(
                dask_worker.forget, self._setup.id, workers=addresses, on_error="return"
            )

    def _ask(self, address: str, said: Mapping[str, Any]) -> None:
        answer: Worker | Refusal | None
        try:
            answer = self._answer(address, said)
        except HarnessError as error:  # it would say the same each time
            answer = Refusal(f"{address}: {error}")
        except Exception:  # it is gone, or the scheduler is: asked again, if it is still known
            answer = None
        self._answers.put((address, answer))

    def _answer(self, address: str, said: Mapping[str, Any]) -> Worker | Refusal:
        """Return what a worker is, when it has all that it needs, or why it cannot grade.

        Raises:
            HarnessError: what it says cannot be read, or it does not run what is ours.
            OSError: it is gone, or the scheduler is.
        """
        why = _unlike(address, said, self._setup.device, self._insecure)
        if why is not None:
            return Refusal(why)
        facts = decode(self._run(dask_worker.look, address, self._setup.bundle), Facts)
        if (why := _other_versions(facts.versions)) is not None:
            return Refusal(f"{facts.host}: {why}")
        if self._run(dask_worker.receive_setup, address, encode(self._setup)) is True:
            self._run(dask_worker.receive_bundle, address, self._setup.bundle, self._bundle)
        warm = decode(self._run(dask_worker.warm_up, address, self._setup.id), Warm)
        if warm.isolation is None:
            passes = warm.lost is None and not warm.unsafe
            return Refusal(f"{facts.host}: {warm.refused}", passes)
        return Worker(facts.host, _slots_of(said, self._setup.device))

    def _run(self, function: Any, address: str, *arguments: object) -> Any:
        """Call a function in a worker; return what it said.

        Raises:
            HarnessError: it cannot be called there.
            OSError: the worker, or the scheduler, is gone.
        """
        said = self._client.run(function, *arguments, workers=[address], on_error="return")[address]
        if isinstance(said, OSError):
            raise said
        if isinstance(said, BaseException):
            raise HarnessError(f"cannot run autograder ({said})")
        return said


def _lines(reasons: Iterable[str]) -> str:
    known = sorted(set(reasons))
    more = [f"and {len(known) - TOLD} more"] if len(known) > TOLD else []
    return "".join(f"\n  {line}" for line in [*known[:TOLD], *more])


def _slots_of(said: Mapping[str, Any], device: str) -> int:
    """Return how many submissions a worker grades at a time."""
    threads = int(said["nthreads"])
    return threads if device == "cpu" else min(threads, int(said["resources"].get(GPU, 0)))


def _unlike(address: str, said: Mapping[str, Any], device: str, insecure: bool) -> str | None:
    """Return why a worker will not do, by what the scheduler says of it."""
    if urlsplit(address).scheme != "tls" and not is_loopback(address) and not insecure:
        return f"{address}: is on another machine and speaks without encryption"
    if _slots_of(said, device) < 1:
        return f"{address}: has no GPU; a worker with one is started with --resources {GPU}=1"
    return None


def _other_versions(theirs: Mapping[str, str]) -> str | None:
    """Return where a worker's versions differ from ours, of what we have."""
    ours = dask_worker.own_versions()
    other = [
        f"{name} {theirs.get(name, 'is missing')}, here {mine}"
        for name, mine in ours.items()
        if theirs.get(name) != mine
    ]
    return f"has {'; '.join(other)}" if other else None
