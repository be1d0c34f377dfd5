"""A cluster of Dask as a driver sees it: where it is, how it is spoken to, jobs of Slurm."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from autograder.cluster import Cluster, Slurm
from autograder.errors import HarnessError, UnsafeHere, UsageError
from autograder.secret import DEMO_SECRET

__all__ = [
    "CALM",
    "GPU",
    "LOCAL_HTTP",
    "Connector",
    "address_of",
    "connected",
    "is_loopback",
    "require_encryption",
    "slurm_cluster",
]

CONNECT_SECONDS = 20.0
GPU = "GPU"  # the resource that a worker with one has
LARGE = "1GiB"  # below which a batch is no large one to Dask
# What docs/systemd/dask.env says: nobody samples what nobody reads.
CALM = {
    "DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION": "True",
    "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",
    "DASK_DISTRIBUTED__ADMIN__TICK__INTERVAL": "2s",
    "DASK_DISTRIBUTED__ADMIN__TICK__LIMIT": "60s",
    "DASK_DISTRIBUTED__ADMIN__SYSTEM_MONITOR__INTERVAL": "30s",
    "DASK_DISTRIBUTED__SCHEDULER__WORK_STEALING": "False",
    "DASK_DISTRIBUTED__SCHEDULER__ACTIVE_MEMORY_MANAGER__START": "False",
    "DASK_DISTRIBUTED__SCHEDULER__HTTP__ROUTES": "[]",  # else it answers whoever asks
    "DASK_DISTRIBUTED__WORKER__HTTP__ROUTES": "[]",
}
LOCAL_HTTP = ("--dashboard-address", "127.0.0.1:0")  # even without a dashboard there is a port
QUIET = ("distributed", "distributed.client", "dask_jobqueue")


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
    """Refuse to speak without encryption to another machine, or with a course's own secret.

    Without certificates any account of this machine can pass for a worker, or for the scheduler.

    Raises:
        UnsafeHere: the address is not encrypted. It will do for a trial with the demo secret: on
            this machine, or elsewhere with ``insecure``; never for a course's own.
    """
    if urlsplit(address).scheme == "tls":
        return
    if is_loopback(address):
        if secret == DEMO_SECRET:
            return
        raise UnsafeHere(
            f"whoever has an account on this machine can reach {address}, read the course's "
            "secret and forge results; start the scheduler with TLS, as docs/operators.md says"
        )
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
    import dask
    from dask_jobqueue import SLURMCluster
    from distributed.security import Security

    own = _security(cluster, "tls://")
    has_own = bool(own.get_tls_config_for_role("client").get("cert"))
    resources = ["--resources", f"{GPU}={slurm.gpus}"] if slurm.gpus else []
    directives = [f"--gres=gpu:{slurm.gpus}"] if slurm.gpus else []
    calm = {
        name.removeprefix("DASK_").lower().replace("__", "."): dask.config.interpret_value(value)
        for name, value in CALM.items()
    }
    with (
        dask.config.set(calm),
        SLURMCluster(
            cores=slurm.cores,
            processes=1,
            memory=slurm.memory,
            walltime=slurm.walltime,
            queue=slurm.queue or None,
            account=slurm.account or None,
            interface=slurm.interface or None,
            job_extra_directives=[*directives, *slurm.directives],
            job_script_prologue=[*(f"export {k}={v}" for k, v in CALM.items()), *slurm.prologue],
            worker_extra_args=["--no-dashboard", *LOCAL_HTTP, "--memory-limit", "0", *resources],
            scheduler_options={"dashboard": False, "dashboard_address": LOCAL_HTTP[1]},
            protocol="tls://",
            security=own if has_own else Security.temporary(),
            shared_temp_directory=str(Path(slurm.shared_folder).expanduser()),
        ) as asked,
    ):
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
