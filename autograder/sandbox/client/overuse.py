"""Overuse: what sessions use where no control group bounds it, found by looking again and again.

A limit that is held so is *soft*: a session may exceed it for as long as nobody looks. So is that
on a GPU's memory: its driver says how much each process has, and bounds none.
"""

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from autograder.sandbox.kernel import children_of, family_of
from autograder.sandbox.limits import MB, Limits
from autograder.sandbox.protocol.settings import Gpu, Settings

__all__ = [
    "CONTEXT_MB",
    "NO_KILLS",
    "GpuUse",
    "Kills",
    "end_overuse",
    "gpu_kills",
    "nothing_to_look_at",
]

_KINDS = ("RssAnon:", "RssShmem:")
CONTEXT_MB = 1024  # of a GPU that a process has beside what PyTorch takes: context, libraries
_LOOK_MS = "200"  # between two of the driver's tables
_LONGEST = 1 << 20  # bytes of a table
_GPU_KILLS = "gpu-kills"  # in a fork server's folder: a byte for each session that was ended


class Kills(NamedTuple):
    """How many processes were ended for their memory: the machine's, and a GPU's."""

    of_machine: int = 0
    of_gpu: int = 0

    def since(self, before: "Kills", limits: Limits) -> str | None:
        """Return of what too much was used since then; None if nothing was ended for that."""
        if self.of_gpu > before.of_gpu:
            return f"used more than {limits.gpu_memory_mb} MB of the GPU's memory"
        if self.of_machine > before.of_machine:
            return f"used more than {limits.memory_mb} MB of memory"
        return None


NO_KILLS = Kills()


def gpu_kills(folder: str) -> int:
    """Return how many sessions of a fork server were ended for what they used of a GPU."""
    try:
        return os.stat(os.path.join(folder, _GPU_KILLS)).st_size
    except OSError:
        return 0


def nothing_to_look_at(settings: Settings) -> bool:
    """Return whether the kernel itself holds all limits of a fork server's sessions."""
    held = bool(settings.groups) and settings.isolation.has_own_mounts
    return held and settings.card is None


def end_overuse(child: int, settings: Settings) -> None:
    """Kill each session that uses more memory, or whose files need more room, than it may.

    Args:
        child: the fork server, or bubblewrap around it.
        settings: of the fork server.
    """
    fork_server = _fork_server_of(child, settings)
    limits = settings.limits
    room = limits.disk_mb * MB
    full = not settings.isolation.has_own_mounts and _size(settings.folder, limits) > room
    shared = _memory(fork_server)
    for session in children_of(fork_server):
        used = 0
        if not settings.groups:
            used = sum(max(0, _memory(process) - shared) for process in family_of(session))
        if full or used > limits.memory_mb * MB:
            with suppress(ProcessLookupError):
                os.kill(session, signal.SIGKILL)


class GpuUse:
    """What processes use of a GPU, as its driver says again and again.

    Args:
        gpu: which.
    """

    def __init__(self, gpu: Gpu) -> None:
        query = [gpu.smi, f"--id={gpu.id}", "--query-compute-apps=pid,used_memory"]
        query += ["--format=csv,noheader,nounits", "-lms", _LOOK_MS]
        self._driver = None
        if gpu.smi:
            with suppress(OSError):
                self._driver = subprocess.Popen(
                    query,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                )
        if self._driver is not None and self._driver.stdout is not None:
            os.set_blocking(self._driver.stdout.fileno(), False)
        self._rest = b""

    def end_overuse(self, child: int, settings: Settings) -> None:
        """Kill each session whose processes have more than PyTorch may take and a context needs.

        Args:
            child: the fork server, or bubblewrap around it.
            settings: of the fork server.
        """
        used = self._told()
        if not used:
            return
        most = settings.limits.gpu_memory_mb + CONTEXT_MB
        for session in children_of(_fork_server_of(child, settings)):
            if sum(used.get(process, 0) for process in family_of(session)) > most:
                with suppress(OSError), open(Path(settings.folder, _GPU_KILLS), "ab") as file:
                    file.write(b"x")
                with suppress(ProcessLookupError):
                    os.kill(session, signal.SIGKILL)

    def _told(self) -> dict[int, int]:
        """Return the MB of each process that was told of since we last asked, by its number."""
        if self._driver is None or self._driver.stdout is None:
            return {}
        with suppress(BlockingIOError):
            self._rest += os.read(self._driver.stdout.fileno(), _LONGEST)
        *lines, self._rest = self._rest.split(b"\n")
        found: dict[int, int] = {}
        for line in lines:
            process, _, used = line.partition(b",")
            with suppress(ValueError):  # "[N/A]", where the driver does not know
                found[int(process)] = int(used)
        return found


def _fork_server_of(child: int, settings: Settings) -> int:
    boxed = settings.isolation.is_in_bubblewrap
    return next(iter(children_of(child)), 0) if boxed else child


def _memory(process: int) -> int:
    """Return the bytes of a process that are no file's."""
    try:
        with open(f"/proc/{process}/status", encoding="utf-8", errors="replace") as file:
            return sum(int(line.split()[1]) << 10 for line in file if line.startswith(_KINDS))
    except OSError:
        return 0


def _size(folder: str, limits: Limits) -> int:
    """Return the bytes of the files in a folder, or more than may be if there are too many."""
    total = count = 0
    waiting = [folder]
    while waiting:
        with suppress(OSError):
            for entry in os.scandir(waiting.pop()):
                count += 1
                if count > limits.files:
                    return limits.disk_mb * MB + 1
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
    return total
