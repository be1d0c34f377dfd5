"""The workers of a cluster that can grade for a run: each is asked, and told what it needs."""

from collections.abc import Collection, Mapping
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

__all__ = ["Workers"]

MOST_ASKED = 32  # at a time


@dataclass(frozen=True)
class Worker:
    """A worker that can grade: its machine, and how many submissions at a time."""

    host: str
    slots: int


class Workers:
    """The workers of a cluster that can grade for a run.

    Each is asked once what it is, gets the set-up and, if it has not had it before, the bundle,
    and tries its walls. One that cannot grade is left out. Each is asked by a thread of its own, so
    that one that dies meanwhile keeps nobody else waiting.

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
        self._answers = SimpleQueue[tuple[str, Worker | str | None]]()
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
                    self.refused[address] = answer
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
        """Tell the workers that the run is over."""
        with suppress(Exception):  # they forget by themselves, only later
            self._client.run(
                dask_worker.forget,
                self._setup.id,
                workers=list(self.fit),
                on_error="return",
                wait=False,
            )

    def _ask(self, address: str, said: Mapping[str, Any]) -> None:
        try:
            answer = self._answer(address, said)
        except Exception:  # it is gone, or the scheduler is: asked again, if it is still known
            answer = None
        self._answers.put((address, answer))

    def _answer(self, address: str, said: Mapping[str, Any]) -> Worker | str:
        """Return what a worker is, when it has all that it needs, or why it cannot grade."""
        why = _unlike(address, said, self._setup.device, self._insecure)
        if why is not None:
            return why
        looked = self._run(dask_worker.look, address, self._setup.bundle)
        if isinstance(looked, BaseException):
            if isinstance(looked, OSError):
                raise looked
            return f"{address}: cannot run autograder ({looked})"
        facts = decode(looked, Facts)
        if (why := _other_versions(facts.versions)) is not None:
            return f"{facts.host}: {why}"
        if self._run(dask_worker.receive_setup, address, encode(self._setup)) is True:
            self._run(dask_worker.receive_bundle, address, self._setup.bundle, self._bundle)
        warm = decode(self._run(dask_worker.warm_up, address, self._setup.id), Warm)
        if warm.isolation is None:
            return f"{facts.host}: {warm.refused}"
        return Worker(facts.host, _slots_of(said, self._setup.device))

    def _run(self, function: Any, address: str, *arguments: object) -> Any:
        """Call a function in a worker; return what it said, or raised."""
        said = self._client.run(function, *arguments, workers=[address], on_error="return")
        return said[address]


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
