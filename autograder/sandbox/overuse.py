"""Overuse: what sessions use where no control group bounds it, found by looking again and again.

A limit that is held so is *soft*: a session may exceed it for as long as nobody looks.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from autograder.sandbox.kernel import children_of
from autograder.sandbox.limits import MB, Limits

__all__ = ["end_overuse"]

MAX_PROCESSES = 10_000
_KINDS = ("RssAnon:", "RssShmem:")


def end_overuse(child: int, settings: dict[str, Any], limits: Limits) -> None:
    """Kill each session that uses more memory, or whose files need more room, than it may.

    Args:
        child: the nursery, or bubblewrap around it.
        settings: of the nursery: ``tier`` and ``folder``.
        limits: of each session.
    """
    nursery = next(iter(children_of(child)), 0) if settings["tier"] == 1 else child
    shared = _memory(nursery)
    for session in children_of(nursery):
        used = sum(max(0, _memory(process) - shared) for process in _family(session))
        if used > limits.memory_mb * MB or _size(settings["folder"], limits) > limits.disk_mb * MB:
            with suppress(ProcessLookupError):
                os.kill(session, signal.SIGKILL)


def _memory(process: int) -> int:
    """Return the bytes of a process that are no file's."""
    try:
        with open(f"/proc/{process}/status", encoding="utf-8", errors="replace") as file:
            return sum(int(line.split()[1]) << 10 for line in file if line.startswith(_KINDS))
    except OSError:
        return 0


def _family(process: int) -> Iterator[int]:
    """Give a process and its descendants."""
    waiting = [process]
    for _ in range(MAX_PROCESSES):
        if not waiting:
            return
        yield (current := waiting.pop())
        waiting += children_of(current)


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
