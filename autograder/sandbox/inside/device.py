"""A GPU as a session meets it: whether this process uses it, and how it is set.

PyTorch wakes CUDA when it is first needed, so a process that has not needed it can be forked. All
that is asked here is looked up in what is imported already: nothing wakes a device.

Source: PyTorch, notes on CUDA semantics, reproducibility and multiprocessing.
"""

import os
import sys
import warnings
from contextlib import suppress
from typing import Any

from autograder.sandbox.limits import MB, Limits

__all__ = ["allow_tf32", "is_in_use", "make_reproducible", "use_no_more", "wake", "what_broke"]

_NODE = "/dev/nvidia-uvm"  # of whoever computes; who asks for the driver's tables opens others
_CUDA_ERROR = 300  # characters of it


def is_in_use() -> bool:
    """Return whether this process has woken a GPU, by PyTorch or by itself."""
    return _is_initialized() or _NODE in _open_files()


def what_broke() -> str | None:
    """Wait until a GPU has done all that this process asked for; say if that broke it for good.

    An illegal access is an error of everything that the process asks for from then on.
    """
    if not _is_initialized():
        return None
    cuda = sys.modules["torch"].cuda
    for last in (False, True):  # the error of one call is told once
        try:
            cuda.synchronize()
            return None
        except Exception as error:
            if last:
                return str(error).partition("\n")[0][:_CUDA_ERROR] or type(error).__name__
    return None


def wake() -> None:
    """Wake the GPU, and what PyTorch multiplies matrices with, if PyTorch is there.

    It takes seconds the first time. Whoever needs the device is told what is wrong with it.
    """
    if (torch := sys.modules.get("torch")) is not None and not _is_initialized():
        with suppress(Exception):
            ones = torch.ones(2, 2, device="cuda")
            (ones @ ones).sum().item()


def use_no_more(limits: Limits) -> None:
    """Have PyTorch take no more of a GPU's memory than a session may, once CUDA is woken.

    A student's code can undo it: the supervisor looks from outside, too.
    """
    torch = sys.modules["torch"]

    def bound() -> None:
        with suppress(Exception):
            total = torch.cuda.get_device_properties(0).total_memory
            share = min(1.0, limits.gpu_memory_mb * MB / total)
            torch.cuda.set_per_process_memory_fraction(share)

    if (when_woken := getattr(torch.cuda, "_lazy_call", None)) is not None:
        when_woken(bound)


def make_reproducible() -> None:
    """Have PyTorch compute the same from the same on a GPU, as far as it can; TF32 is off.

    What has no such way warns, and is computed: an answer is not wrong for it.
    """
    torch = sys.modules["torch"]
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # memory is as it is elsewhere
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
    allow_tf32(False)


def allow_tf32(allowed: bool) -> None:
    """Let matrix products and convolutions on a GPU round their factors to 10 bits, or not."""
    torch = sys.modules.get("torch")
    with suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a newer PyTorch has another name for it beside this
        for part in (torch.backends.cuda.matmul, torch.backends.cudnn) if torch else ():
            if part.allow_tf32 is not allowed:
                part.allow_tf32 = allowed


def _is_initialized() -> bool:
    torch: Any = sys.modules.get("torch")
    try:
        return torch is not None and bool(torch.cuda.is_initialized())
    except Exception:  # whatever the student's code has put there
        return False


def _open_files() -> list[str]:
    found = []
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # that of the listing itself
            found.append(os.readlink(f"/proc/self/fd/{name}"))
    return found
