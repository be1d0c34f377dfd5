"""Overuse: what sessions use where no control group bounds it, found by looking again and again.

A limit that is held so is *soft*: a session may exceed it for as long as nobody looks.
"""

import os
import signal
from contextlib import suppress
from typing import Any

from autograder.sandbox.kernel import children_of, family_of
from autograder.sandbox.limits import MB, Limits

__all__ = ["end_overuse", "nothing_to_look_at"]

_KINDS = ("RssAnon:", "RssShmem:")
_TIERS_ON_DISK = (2, None)  # in which a session's files are not in a bounded file system of its own


def nothing_to_look_at(settings: dict[str, Any]) -> bool:
    """Return whether the kernel itself holds all limits of a nursery's sessions."""
    return bool(settings["cgroup"]) and settings["tier"] not in _TIERS_ON_DISK


def end_overuse(child: int, settings: dict[str, Any], limits: Limits) -> None:
    """Kill each session that uses more memory, or whose files need more room, than it may.

    Args:
        child: the nursery, or bubblewrap around it.
        settings: of the nursery: ``tier``, ``cgroup`` and ``folder``.
        limits: of each session.
    """
    nursery = next(iter(children_of(child)), 0) if settings["tier"] == 1 else child
    room = limits.disk_mb * MB
    full = settings["tier"] in _TIERS_ON_DISK and _size(settings["folder"], limits) > room
    shared = _memory(nursery)
    for session in children_of(nursery):
        used = 0
        if not settings["cgroup"]:
            used = sum(max(0, _memory(process) - shared) for process in family_of(session))
        if full or used > limits.memory_mb * MB:
            with suppress(ProcessLookupError):
                os.kill(session, signal.SIGKILL)


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
