"""What runs in a worker of Dask: it keeps bundles and warm slots, and grades batches in them.

Only bytes cross, as `autograder.engines.orders` describes them. No function here raises: Dask
writes the arguments of what raised into its log, and the secret is among them. What nobody has
used for a while is dropped, so that a driver that was killed leaves nothing behind for long. What
holds the secret is dropped when its run is over.
"""

import asyncio
import os
import threading
import time
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from platform import python_version_tuple
from socket import gethostname
from typing import Any, NamedTuple

import msgspec
from msgspec import structs

from autograder.artefacts.results import digest_of
from autograder.engines.orders import Order, Outcome, Setup, Warm, decode, encode
from autograder.engines.slots import Slots
from autograder.engines.turns import Turns
from autograder.errors import AutograderError, HarnessError
from autograder.version import own_version

__all__ = [
    "Batch",
    "Facts",
    "forget",
    "grade_batch",
    "look",
    "own_versions",
    "receive_bundle",
    "receive_setup",
    "warm_up",
]

IDLE_SECONDS = 600.0
LOOK_SECONDS = 30.0
PACKAGES = ("numpy", "torch")


class Facts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a worker is: its machine, its versions, and whether it has a bundle."""

    host: str
    versions: dict[str, str]
    has_bundle: bool


class Batch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What became of a batch: an outcome for each order; none where the worker has no set-up.

    ``worker`` is the address of the worker.
    """

    outcomes: list[Outcome] | None
    worker: str = ""


class _State:
    """All that this process keeps between two calls."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.setups: dict[str, tuple[Setup, float]] = {}  # and when each was used
        self.bundles: dict[str, tuple[bytes, float]] = {}  # likewise
        self.slots: Slots | None = None
        self.turns: Turns | None = None
        self.address = ""

    def find(self, name: str) -> "_Ready | None":
        """Return what grades by a set-up that was received, if its bundle was, too."""
        with self.lock:
            setup, _ = self.setups.get(name, (None, 0.0))
            if self.slots is None or self.turns is None or setup is None:
                return None
            bundle, _ = self.bundles.get(setup.bundle, (None, 0.0))
            if bundle is None:
                return None
            now = time.monotonic()
            self.setups[name], self.bundles[setup.bundle] = (setup, now), (bundle, now)
            return _Ready(self.slots, self.turns, setup, bundle)

    def receive(self, setup: Setup, worker: Any) -> bool:
        """Keep a set-up; return whether its bundle is here."""
        with self.lock:
            self.address = worker.address
            if self.slots is None:
                self.slots = Slots(worker.state.nthreads, _private(worker))
                self.turns = Turns(worker.state.nthreads, patience=0.0)
                threading.Thread(target=self._tidy, daemon=True).start()
            self.setups[setup.id] = setup, time.monotonic()
            return setup.bundle in self.bundles

    def forget(self, name: str) -> None:
        """Drop a set-up with all processes that know its secret; its bundle stays a while."""
        with self.lock:
            self.setups.pop(name, None)
        if self.slots is not None:
            self.slots.drop(name)

    def tidy(self, seconds: float) -> None:
        """Drop what nobody has used for so long."""
        before = time.monotonic() - seconds
        with self.lock:
            old = [name for name, (_, used) in self.setups.items() if used <= before]
            self.bundles = {n: pair for n, pair in self.bundles.items() if pair[1] > before}
        for name in old:
            self.forget(name)
        if self.slots is not None:
            self.slots.close_idle(seconds)

    def _tidy(self) -> None:
        while True:
            time.sleep(LOOK_SECONDS)
            self.tidy(IDLE_SECONDS)


class _Ready(NamedTuple):
    """What grades by a set-up."""

    slots: Slots
    turns: Turns
    setup: Setup
    bundle: bytes


_state = _State()


def own_versions() -> dict[str, str]:
    """Return the versions on which a result hangs; of a package that is missing, none."""
    found = {"python": ".".join(python_version_tuple()[:2]), "autograder": own_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name).partition("+")[0]  # whichever build of PyTorch it is
        except PackageNotFoundError:
            continue
    return found


def look(bundle: str) -> bytes:
    """Return the `Facts` of this worker."""
    with _state.lock:
        has = bundle in _state.bundles
    return encode(Facts(gethostname(), own_versions(), has))


def receive_setup(data: bytes, dask_worker: Any) -> bool:
    """Keep a set-up; return whether its bundle is missing here.

    Args:
        data: the set-up.
        dask_worker: given by Dask, for the sake of its name.
    """
    try:
        return not _state.receive(decode(data, Setup), dask_worker)
    except HarnessError:
        return True


def receive_bundle(digest: str, data: bytes) -> bool:
    """Keep a bundle, if it is the one that is named; return whether it is."""
    if digest_of(data) != digest:
        return False
    with _state.lock:
        _state.bundles[digest] = data, time.monotonic()
    return True


async def warm_up(name: str) -> bytes:
    """Start a slot, whose walls are tried; return a `Warm`."""
    return await asyncio.to_thread(_warm_up, name)


def _warm_up(name: str) -> bytes:
    if (found := _state.find(name)) is None:
        return encode(Warm(refused="the bundle did not arrive whole"))
    slots, turns, setup, bundle = found
    try:
        slot = turns.begin(lambda: slots.warm_up(setup, bundle)).future.result()
    except (AutograderError, OSError) as error:
        return encode(Warm.refusing(error))
    return encode(Warm(slot.isolation))


def grade_batch(name: str, orders: tuple[bytes, ...], alone: bool) -> bytes:
    """Grade submissions; return a `Batch`.

    Args:
        name: of the set-up.
        orders: the submissions.
        alone: grade nothing else in this worker meanwhile.
    """
    if (found := _state.find(name)) is None:
        return encode(Batch(None))
    slots, turns, setup, bundle = found
    try:
        whole = [decode(order, Order) for order in orders]
    except HarnessError as error:
        return encode(Batch([Outcome(fault=str(error))] * len(orders)))
    turn = (turns.begin_alone if alone else turns.begin)(lambda: slots.grade(setup, bundle, whole))
    outcomes = turn.future.result()
    if turn.was_alone:  # it has had all of the machine
        outcomes = [structs.replace(outcome, starved=False) for outcome in outcomes]
    return encode(Batch(outcomes, _state.address))


def forget(name: str) -> None:
    """Drop a set-up when its run is over, with its slots, which know the secret."""
    _state.forget(name)


def _private(worker: Any) -> tuple[str, ...]:
    """Return the paths of a worker that no session may find: its certificate, and the key of it."""
    tls = worker.security.get_tls_config_for_role("worker")
    return tuple(os.path.abspath(path) for one in ("key", "cert") if (path := _file(tls, one)))


def _file(tls: Mapping[str, Any], name: str) -> str | None:
    path = tls.get(name)  # which may be a certificate itself, in memory
    return path if isinstance(path, str) and os.path.isfile(path) else None
