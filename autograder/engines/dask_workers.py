"""The workers of a cluster that can grade for a run: each is asked, and told what it needs."""

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from autograder.engines import dask_worker
from autograder.engines.dask_cluster import GPU, is_loopback
from autograder.engines.dask_worker import Facts
from autograder.engines.orders import Setup, Warm, decode, encode

__all__ = ["Workers"]


@dataclass(frozen=True)
class Worker:
    """A worker that can grade: its machine, and how many submissions at a time."""

    host: str
    slots: int


class Workers:
    """The workers of a cluster that can grade for a run.

    Each is asked once what it is, gets the set-up and, if it has not had it before, the bundle,
    and tries its walls. One that cannot grade is left out.

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

    def look(self) -> None:
        """Take in the workers that are new, and forget those that are gone."""
        known: Mapping[str, Any] = self._client.scheduler_info()["workers"]
        self.fit = {address: worker for address, worker in self.fit.items() if address in known}
        self.refused = {address: why for address, why in self.refused.items() if address in known}
        new = [one for one in known if one not in self.fit and one not in self.refused]
        if new:
            self._admit({address: known[address] for address in new})

    def forget(self, addresses: Collection[str]) -> None:
        """Ask workers anew when they are next looked at: one of them has lost its set-up."""
        self.fit = {a: worker for a, worker in self.fit.items() if a not in addresses}

    def end(self) -> None:
        """Tell the workers that the run is over."""
        with suppress(Exception):  # they forget by themselves, only later
            self._run(dask_worker.forget, self.fit, self._setup.id)

    def _admit(self, new: Mapping[str, Any]) -> None:
        """Ask new workers what they are, and give those that can grade what they need."""
        refused, slots = dict(self.refused), dict[str, int]()
        for address, said in new.items():
            if (why := _unlike(address, said, self._setup.device, self._insecure)) is not None:
                refused[address] = why
            else:
                slots[address] = _slots_of(said, self._setup.device)
        facts = dict[str, Facts]()
        for address, seen in self._run(dask_worker.look, slots, self._setup.bundle).items():
            if isinstance(seen, BaseException):
                refused[address] = f"{address}: cannot run autograder ({seen})"
                continue
            facts[address] = one = decode(seen, Facts)
            if (why := _other_versions(one.versions)) is not None:
                refused[address] = f"{one.host}: {why}"
                del facts[address]
        fit = dict(self.fit)
        for address, said in self._warmed(facts).items():
            host, warm = facts[address].host, decode(said, Warm)
            if warm.isolation is None:
                refused[address] = f"{host}: {warm.refused}"
            else:
                fit[address] = Worker(host, slots[address])
        self.fit, self.refused = fit, refused

    def _warmed(self, addresses: Collection[str]) -> dict[str, bytes]:
        """Give workers set-up and bundle, and return what each says of its walls."""
        lacking = self._run(dask_worker.receive_setup, addresses, encode(self._setup))
        without = [address for address, lacks in lacking.items() if lacks is True]
        self._run(dask_worker.receive_bundle, without, self._setup.bundle, self._bundle)
        said = self._run(dask_worker.warm_up, addresses, self._setup.id)
        return {address: one for address, one in said.items() if isinstance(one, bytes)}

    def _run(self, function: Any, addresses: Collection[str], *arguments: object) -> dict[str, Any]:
        """Call a function in workers; return what each said, or raised, of those still there."""
        if not addresses:
            return {}
        said = self._client.run(function, *arguments, workers=list(addresses), on_error="return")
        return {address: one for address, one in said.items() if not isinstance(one, OSError)}


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
