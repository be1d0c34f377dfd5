"""The limits of a session, in seconds and bytes."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from autograder.errors import UsageError

__all__ = ["MB", "Limits"]

MB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """What a submission may use; every number is per submission unless it says otherwise.

    Attributes:
        cell_seconds: wall time of one cell of the notebook.
        call_seconds: wall time of one call by a check.
        submission_seconds: wall time of everything together.
        cpu_seconds: processor time of one process of the session.
        memory_mb: address space of one process of the session.
        output_mb: text that a cell may print before it is noted; none of it is kept.
        file_mb: size of one file that the session writes.
        disk_mb: size of all files that it writes; they are kept in memory.
        files: how many files and folders it may have.
        processes: processes and threads at one time.
        message_mb: one value that crosses the wire.
        gpu_memory_mb: memory of a GPU that PyTorch may take in a session.
        gpu_sessions: sessions on one GPU at a time, if its memory is enough for them.
    """

    cell_seconds: float = 30.0
    call_seconds: float = 10.0
    submission_seconds: float = 300.0
    cpu_seconds: int = 300
    memory_mb: int = 4096
    output_mb: int = 1
    file_mb: int = 256
    disk_mb: int = 512
    files: int = 10_000
    processes: int = 64
    message_mb: int = 256
    # Not part of what stands for limits in stored keys: nothing is proven on a GPU's memory.
    gpu_memory_mb: int = dataclasses.field(default=4096, repr=False)
    gpu_sessions: int = dataclasses.field(default=2, repr=False)

    def deciding(self, device: str) -> dict[str, float]:
        """Return what a result can hang on: those of a GPU only where there is one."""
        found = dict(vars(self))
        del found["gpu_sessions"]
        if device != "cuda":
            del found["gpu_memory_mb"]
        return found

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not number or not 0 < value < math.inf:
                raise UsageError(f"limit {field.name} must be a number above 0, got {value!r}")
            if field.type is int and not isinstance(value, int):
                raise UsageError(f"limit {field.name} must be a whole number, got {value!r}")

    @classmethod
    def from_table(cls, table: dict[str, Any], base: "Limits | None" = None) -> "Limits":
        """Return limits from a table of `course.toml`, over those of a base."""
        known = [field.name for field in dataclasses.fields(cls)]
        unknown = sorted(set(table) - set(known))
        if unknown:
            raise UsageError(f"a limit must be one of {', '.join(known)}, got {unknown[0]!r}")
        return dataclasses.replace(base or cls(), **table)
