"""Settled: what a call has started on a GPU is done before its value leaves, and before the next.

A GPU works on while Python goes on. A call that has returned may have been queued only: whoever
times it would time the queueing, and an error in a kernel would be the next call's.
"""

import sys
from collections.abc import Callable

__all__ = ["settling"]


def settling() -> Callable[[], None]:
    """Return what waits for the GPU, if the process uses one.

    torch's functions are taken now, before a notebook can put others in their place. Were they
    replaced all the same, nothing would be won by it: a value is copied from the GPU to be sent,
    and that waits for it too.
    """
    found: list[tuple[Callable[[], bool], Callable[[], None]]] = []

    def take() -> None:
        if not found and (torch := sys.modules.get("torch")) is not None:
            found.append((torch.cuda.is_initialized, torch.cuda.synchronize))

    def settle() -> None:
        take()
        for is_used, synchronize in found:
            if is_used():
                synchronize()

    take()
    return settle
