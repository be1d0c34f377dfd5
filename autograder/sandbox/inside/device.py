"""A GPU as a session meets it: whether this process uses it, and how it is set.

PyTorch wakes CUDA when it is first needed, so a process that has not needed it can be forked. All
that is asked here is looked up in what is imported already: nothing wakes a device.

Source: PyTorch, notes on CUDA semantics, reproducibility and multiprocessing.
"""

import os
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from operator import attrgetter
from typing import Any

from autograder.sandbox.limits import MB, Limits

__all__ = ["Device", "allow_tf32", "make_reproducible", "use_no_more"]

_NODE = "/dev/nvidia-uvm"  # of whoever computes; who asks for the driver's tables opens others
_CUDA_ERROR = 300  # characters of it


class Device:
    """The GPU of this process, asked by functions of torch that are taken early.

    A GPU works on while Python goes on. A call that has returned may have been queued only: whoever
    times it would time the queueing, and an error in a kernel would be the next call's. So there is
    one way to wait for it, before and after whatever a student's code does there.

    The functions are taken now, or when torch has been imported, before a notebook can put others
    in their place. What they call inside of torch can still be replaced.
    """

    def __init__(self) -> None:
        self._functions: tuple[Callable[[], bool], Callable[[], None]] | None = None
        self._take()

    def is_awake(self) -> bool:
        """Return whether PyTorch has woken a GPU in this process."""
        if (functions := self._take()) is None:
            return False
        try:
            return bool(functions[0]())
        except Exception:  # whatever the student's code has put there
            return False

    def is_in_use(self) -> bool:
        """Return whether this process has woken a GPU, by PyTorch or by itself."""
        return self.is_awake() or _NODE in _open_files()

    def wait(self) -> None:
        """Wait until a GPU has done all that this process asked for.

        Raises:
            Exception: what it asked for failed; PyTorch says how.
        """
        if self.is_awake() and (functions := self._take()) is not None:
            functions[1]()

    def what_broke(self) -> str | None:
        """Wait likewise; return what broke the GPU for this process for good, if something did.

        An illegal access is an error of everything that the process asks for from then on.
        """
        for last in (False, True):  # the error of one call is told once
            try:
                self.wait()
                return None
            except Exception as error:
                if last:
                    return str(error).partition("\n")[0][:_CUDA_ERROR] or type(error).__name__
        return None

    def wake(self) -> None:
        """Wake the GPU, and what PyTorch multiplies matrices with, if PyTorch is there.

        It takes seconds the first time. Whoever needs the device is told what is wrong with it.
        """
        if (torch := sys.modules.get("torch")) is not None and not self.is_awake():
            with suppress(Exception):
                ones = torch.ones(2, 2, device="cuda")
                (ones @ ones).sum().item()

    def _take(self) -> tuple[Callable[[], bool], Callable[[], None]] | None:
        """Return the functions that ask whether CUDA is awake and that wait for it, with torch."""
        if self._functions is None and (torch := sys.modules.get("torch")) is not None:
            with suppress(AttributeError):  # while it is being imported
                self._functions = (torch.cuda.is_initialized, torch.cuda.synchronize)
        return self._functions


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
    """Let matrix products and convolutions on a GPU round their factors to 10 bits, or not.

    A newer PyTorch has another name for it, and raises where the older one is read after a notebook
    has set the newer. So nothing is read, and no part depends on another. All else is exact.
    """
    torch: Any = sys.modules.get("torch")
    precision = "tf32" if allowed else "ieee"
    settings: dict[str, dict[str, bool | str]] = {
        "cuda.matmul": {"allow_tf32": allowed, "fp32_precision": precision},
        "cudnn": {"allow_tf32": allowed},
        "cudnn.conv": {"fp32_precision": precision},
        "cudnn.rnn": {"fp32_precision": precision},
        "": {"fp32_precision": "ieee"},  # processors follow it, too
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for path, values in settings.items():
            for name, value in values.items():
                with suppress(Exception):  # there is no torch, no such part, or not this name
                    part = attrgetter(path)(torch.backends) if path else torch.backends
                    if name == "allow_tf32" or hasattr(part, name):
                        setattr(part, name, value)


def _open_files() -> list[str]:
    found = []
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # that of the listing itself
            found.append(os.readlink(f"/proc/self/fd/{name}"))
    return found
