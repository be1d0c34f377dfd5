"""The cluster on which a course is graded: where its scheduler is, and how it is spoken to."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.errors import UsageError

__all__ = ["Cluster", "Slurm"]


@dataclass(frozen=True)
class Slurm:
    """Workers that are jobs of Slurm: the table ``slurm`` of `course.toml`.

    Attributes:
        jobs: how many jobs are asked for; each is one worker on one node.
        cores: of a job, and so how many submissions it grades at a time.
        memory: of a job, as Slurm writes it.
        walltime: of a job; one that ends is asked for again.
        gpus: of a job; 0 for none.
        queue: the partition; "" for the cluster's own default.
        account: whom it is charged to; "" for the user's own default.
        interface: the network's, as ``ib0``; "" for the one that the machine would take.
        directives: further lines behind ``#SBATCH``.
        prologue: lines of shell before the worker starts.
        shared_folder: a folder that all nodes see, for the certificates of a run.
    """

    jobs: int
    cores: int = 4
    memory: str = "16GB"
    walltime: str = "04:00:00"
    gpus: int = 0
    queue: str = ""
    account: str = ""
    interface: str = ""
    directives: tuple[str, ...] = ()
    prologue: tuple[str, ...] = ()
    shared_folder: str = "~"


@dataclass(frozen=True)
class Cluster:
    """Where the engine ``dask`` finds its workers: the table ``cluster`` of `course.toml`.

    What is "" here is taken from Dask's own configuration.

    Attributes:
        scheduler: its address, as ``tls://grader.example.edu:8786``.
        tls_ca: file of the certificate that signed all others.
        tls_cert: file of our own certificate.
        tls_key: file of its key.
        patience_minutes: how long a run waits for a scheduler or a worker that is gone.
        insecure: speak without encryption to a scheduler elsewhere, as a trial.
        slurm: asked for workers where no scheduler is named.
    """

    scheduler: str = ""
    tls_ca: str = ""
    tls_cert: str = ""
    tls_key: str = ""
    patience_minutes: float = 10.0
    insecure: bool = False
    slurm: Slurm | None = None

    @classmethod
    def from_tables(cls, cluster: Mapping[str, Any], slurm: Mapping[str, Any]) -> "Cluster":
        """Return what the tables ``cluster`` and ``slurm`` of `course.toml` say.

        Raises:
            UsageError: a key or a value is none.
        """
        own = _checked("cluster", cls, cluster, without=("insecure", "slurm"))
        if not slurm:
            return cls(**own)
        if "jobs" not in slurm:
            raise UsageError("slurm must have jobs: how many to ask for")
        return cls(**own, slurm=Slurm(**_checked("slurm", Slurm, slurm)))

    def within(self, folder: Path) -> "Cluster":
        """Return the same with paths that are relative to a folder made absolute."""

        def whole(path: str) -> str:
            return str(folder / Path(path).expanduser()) if path else ""

        return dataclasses.replace(
            self,
            tls_ca=whole(self.tls_ca),
            tls_cert=whole(self.tls_cert),
            tls_key=whole(self.tls_key),
        )


def _checked(
    where: str, record: type[Any], table: Mapping[str, Any], without: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return the values of a table, each of which is one of a record's."""
    fields = {f.name: f for f in dataclasses.fields(record) if f.name not in without}
    found = {}
    for key, value in table.items():
        if key not in fields:
            raise UsageError(f"a key of {where} must be one of {', '.join(fields)}, got {key!r}")
        kind = fields[key].type
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if kind is float and not (number and 0 < value < math.inf):
            raise UsageError(f"{where}.{key} must be a number above 0, got {value!r}")
        least = 0 if key == "gpus" else 1
        if kind is int and not (type(value) is int and value >= least):
            raise UsageError(f"{where}.{key} must be a whole number from {least} up, got {value!r}")
        if kind is str and not (isinstance(value, str) and value.strip() == value and value):
            raise UsageError(f"{where}.{key} must be a text without blanks around, got {value!r}")
        if kind not in (float, int, str):
            if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
                raise UsageError(f"{where}.{key} must be a list of texts, got {value!r}")
            value = tuple(value)
        found[key] = value
    return found
