"""What the grader's side sees of a GPU: the memory that the driver has given to processes.

Where a session computes on a GPU, all that it says of it is its own word. The driver's is not. It
is coarser: an allocator takes blocks of many megabytes, and libraries take some of their own.
"""

import os
import signal
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

__all__ = ["held", "memory_on_gpu"]

_ASK = ("nvidia-smi", "--query-compute-apps=pid,used_memory", "--format=csv,noheader,nounits")
SECONDS = 10.0  # that the driver may take to answer
MB = 1 << 20


def memory_on_gpu(processes: Iterable[int]) -> int | None:
    """Return the bytes on GPUs that processes have together, as the driver counts them.

    None where it does not tell: there is no driver, none of them has memory, or it knows them by
    other numbers, as it does in some containers.
    """
    try:
        run = subprocess.run(_ASK, capture_output=True, timeout=SECONDS, text=True, check=True)
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    wanted, found = set(processes), []
    for line in run.stdout.splitlines():
        process, _, used = line.partition(",")
        with suppress(ValueError):  # "[N/A]", where the driver may not say
            if int(process) in wanted:
                found.append(int(used) * MB)
    return sum(found) if found else None


@contextmanager
def held(processes: Iterable[int]) -> Iterator[None]:
    """Stop processes inside the block, where that is ours to do: they start nothing meanwhile."""
    stopped = []
    for process in processes:
        with suppress(OSError):
            os.kill(process, signal.SIGSTOP)
            stopped.append(process)
    try:
        yield
    finally:
        for process in stopped:
            with suppress(OSError):
                os.kill(process, signal.SIGCONT)
