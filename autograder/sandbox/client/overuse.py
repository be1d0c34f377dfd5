"""Overuse: what sessions use where no control group bounds it, found by looking again and again.

A limit that is held so is *soft*: a session may exceed it for as long as nobody looks.
"""

import os
import signal
from contextlib import suppress

from autograder.sandbox.kernel import children_of, family_of
from autograder.sandbox.limits import MB, Limits
from autograder.sandbox.protocol.settings import Settings

__all__ = ["end_overuse", "nothing_to_look_at"]

_KINDS = ("RssAnon:", "RssShmem:")


def nothing_to_look_at(settings: Settings) -> bool:
    """Return whether the kernel itself holds all limits of a fork server's sessions."""
    return bool(settings.groups) and settings.isolation.has_own_mounts


def end_overuse(child: int, settings: Settings) -> None:
    """Kill each session that uses more memory, or whose files need more room, than it may.

    Args:
        child: the fork server, or bubblewrap around it.
        settings: of the fork server.
    """
    boxed = settings.isolation.is_in_bubblewrap
    fork_server = next(iter(children_of(child)), 0) if boxed else child
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
