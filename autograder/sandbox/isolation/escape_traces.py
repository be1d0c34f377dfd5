"""Traces: what one session could leave for the next one at what both may read.

More of what `autograder.sandbox.isolation.escapes` lists; the calls for it are in `escape_calls`.
"""

import fcntl
import os
import sys
from contextlib import suppress
from typing import Any

__all__: list[str] = []  # what begins with `try_` is found by its name

# Of drivers of graphics cards, by the end of the name or the whole of it.
NVIDIA = ("ctl", "-uvm", "-uvm-tools", "-modeset", "-nvswitchctl", "-caps/nvidia-cap1", "-fs0")
OTHERS = ("/dev/dri/card0", "/dev/dri/renderD128", "/dev/kfd")


def try_leave_a_time_of_reading(witness: dict[str, Any]) -> object:
    kept = os.ST_RDONLY | os.ST_NOATIME
    shared = {sys.prefix, os.__file__, "/usr", "/lib"}
    return [p for p in shared if witness["own_mounts"] and not os.statvfs(p).f_flag & kept]


def try_keep_another_from_a_lock(witness: dict[str, Any]) -> object:
    with open(os.__file__, "rb") as mine, open(os.__file__, "rb") as theirs:
        try:
            fcntl.flock(mine, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.flock(theirs, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return None


def try_read_what_all_do(witness: dict[str, Any]) -> object:
    found = []
    for name in witness["counters"]:
        with suppress(OSError), open(f"/proc/{name}", "rb") as file:
            found += [name] if file.read(1) else []
    return found


def try_open_a_gpu(witness: dict[str, Any]) -> object:
    nodes = {*(f"/dev/nvidia{node}" for node in (*range(16), *NVIDIA)), *OTHERS}
    found = []
    for node in sorted(nodes.difference(witness["gpus"])):
        with suppress(OSError):
            os.close(os.open(node, os.O_RDONLY | os.O_NONBLOCK))
            found.append(node)
    return found
