"""A cluster of Dask as a driver sees it: connected to, and of its workers those that can grade."""

import logging
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from autograder.cluster import Cluster, Slurm
from autograder.engines import dask_worker
from autograder.engines.dask_worker import Facts
from autograder.engines.orders import Setup, Warm, decode, encode
from autograder.errors import HarnessError, UnsafeHere, UsageError
from autograder.secret import DEMO_SECRET

__all__ = [
    "GPU",
    "Connector",
    "Workers",
    "address_of",
    "connected",
    "is_loopback",
    "require_encryption",
    "slurm_cluster",
]

CONNECT_SECONDS = 20.0
GPU = "GPU"  # the resource that a worker with one has
LARGE = "1GiB"  # below which a batch is no large one to Dask
QUIET = ("distributed", "distributed.client", "dask_jobqueue")


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


def address_of(cluster: Cluster) -> str:
    """Return the address of the scheduler: the course's, or that of Dask's configuration.

    Raises:
        UsageError: nobody says one.
    """
    import dask

    address = cluster.scheduler or dask.config.get("scheduler-address", None)
    if not address:
        raise UsageError(
            "where is the scheduler? Say --scheduler tls://HOST:8786, or scheduler in the table "
            "[cluster] of course.toml; or have a table [slurm] there"
        )
    if urlsplit(address).scheme not in ("tls", "tcp") or not urlsplit(address).hostname:
        raise UsageError(f"--scheduler must be like tls://HOST:8786, got {address!r}")
    return str(address)


def require_encryption(address: str, cluster: Cluster, secret: bytes) -> None:
    """Refuse to speak to another machine without encryption.

    Raises:
        UnsafeHere: the address is elsewhere, and not encrypted; with ``insecure`` that will do for
            a trial with the demo secret, and never for a course's own.
    """
    if urlsplit(address).scheme == "tls" or is_loopback(address):
        return
    if not cluster.insecure:
        raise UnsafeHere(
            f"the scheduler {address} is on another machine and speaks without encryption: "
            "submissions, bundles and the course's secret could be read and changed on the way; "
            "start it with TLS, as docs/operators.md says (--insecure is for trials)"
        )
    if secret != DEMO_SECRET:
        raise UnsafeHere(
            f"--insecure is for trials with the demo secret: the course's own does not go to "
            f"{address} without encryption"
        )


def is_loopback(address: str) -> bool:
    """Return whether an address is of this machine, and can be reached from no other."""
    host = urlsplit(address).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextmanager
def connected(cluster: Cluster, secret: bytes) -> Iterator["Connector"]:
    """Give what connects to the cluster; with Slurm, workers are asked for while the block lasts.

    Raises:
        UnsafeHere: the connection is not encrypted.
        UsageError: nobody says where the scheduler is.
    """
    import dask
    import distributed  # noqa: F401 - which sets the levels of its loggers

    levels = {name: logging.getLogger(name).level for name in QUIET}
    for name in QUIET:  # what they would say of workers that go is said by us, or is none's concern
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": LARGE}):
            if cluster.slurm is not None and not cluster.scheduler:
                with slurm_cluster(cluster, cluster.slurm) as asked:
                    asked.scale(jobs=cluster.slurm.jobs)
                    yield Connector(asked, asked.security)
            else:
                address = address_of(cluster)
                require_encryption(address, cluster, secret)
                yield Connector(address, _security(cluster, address))
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


@dataclass(frozen=True)
class Connector:
    """Connects to a scheduler: once, and again when it was gone."""

    where: Any
    security: Any

    def __call__(self, patience: float = 0.0) -> Any:
        """Return a client of Dask.

        Args:
            patience: seconds for which it is tried again.

        Raises:
            HarnessError: the scheduler does not answer, or not to us.
        """
        from distributed import Client

        until = time.monotonic() + patience
        while True:
            try:
                return Client(
                    self.where,
                    security=self.security,
                    timeout=CONNECT_SECONDS,
                    set_as_default=False,
                    name="autograder",
                )
            except (OSError, TypeError, RuntimeError, ValueError) as error:
                if time.monotonic() >= until:
                    reason = " ".join(str(error).split()) or type(error).__name__
                    raise HarnessError(
                        f"the scheduler {self.where} does not answer ({reason}); is it running, "
                        "and are the certificates of both signed by the same authority?"
                    ) from None
                time.sleep(1.0)


@contextmanager
def slurm_cluster(cluster: Cluster, slurm: Slurm) -> Iterator[Any]:
    """Give a cluster whose scheduler is here and whose workers are jobs of Slurm, none yet.

    It always speaks TLS: with the certificates of the course, or with some of its own, which are
    kept in a folder that all nodes see while it lasts.

    Raises:
        ModuleNotFoundError: dask-jobqueue is not installed.
    """
    from dask_jobqueue import SLURMCluster
    from distributed.security import Security

    own = _security(cluster, "tls://")
    has_own = bool(own.get_tls_config_for_role("client").get("cert"))
    resources = ["--resources", f"{GPU}={slurm.gpus}"] if slurm.gpus else []
    directives = [f"--gres=gpu:{slurm.gpus}"] if slurm.gpus else []
    with SLURMCluster(
        cores=slurm.cores,
        processes=1,
        memory=slurm.memory,
        walltime=slurm.walltime,
        queue=slurm.queue or None,
        account=slurm.account or None,
        interface=slurm.interface or None,
        job_extra_directives=[*directives, *slurm.directives],
        job_script_prologue=list(slurm.prologue),
        worker_extra_args=["--no-dashboard", "--memory-limit", "0", *resources],
        scheduler_options={"dashboard_address": None},
        protocol="tls://",
        security=own if has_own else Security.temporary(),
        shared_temp_directory=str(Path(slurm.shared_folder).expanduser()),
    ) as asked:
        yield asked


def _security(cluster: Cluster, address: str) -> Any:
    """Return how to speak to a scheduler: what the course says, else Dask's configuration."""
    from distributed.security import Security

    if urlsplit(address).scheme != "tls":
        return None
    files = {
        "tls_ca_file": cluster.tls_ca,
        **{f"tls_{role}_cert": cluster.tls_cert for role in ("client", "scheduler", "worker")},
        **{f"tls_{role}_key": cluster.tls_key for role in ("client", "scheduler", "worker")},
    }
    for path in filter(None, files.values()):
        if not Path(path).is_file():
            raise UsageError(f"there is no file {path}, which is to be for TLS")
    said = {name: path for name, path in files.items() if path}
    return Security(require_encryption=True, **said)


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
