"""Devices: where a case computes, and what follows from that for the numbers that it compares.

A grading runs on a device, ``cpu`` or ``cuda``. A check computes there where it is of that device,
or asks for it by `run_device`. Then its numbers are held to the tolerances of that device: a GPU
adds in another order, and multiplies and adds in one step. All other checks compute on the CPU in
any run, and nothing is loosened for them.

The reference computes on the CPU, unless a check sends it elsewhere. So right values are the same
whatever a class is graded on, nothing of them lies in a GPU's memory beside a student's code, and
a GPU that fails takes no grader with it. Where a question is about speed, the check does send it:
only what runs on one device can be compared there.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

__all__ = [
    "CPU",
    "CUDA",
    "computing_on",
    "device_compared",
    "device_of_this_run",
    "on_behalf_of",
    "run_device",
]

CPU = "cpu"
CUDA = "cuda"


@dataclass
class _Asking:
    """What a case says of devices: whether it computes where the run does, and how precisely."""

    computes_there: bool = False
    precision: str = "any"


_device: ContextVar[str] = ContextVar("device", default=CPU)
_asking: ContextVar[_Asking | None] = ContextVar("asking", default=None)


@contextmanager
def computing_on(device: str) -> Iterator[None]:
    """Run on a device inside the block."""
    token = _device.set(device)
    try:
        yield
    finally:
        _device.reset(token)


@contextmanager
def on_behalf_of(device: str, precision: str) -> Iterator[None]:
    """Run one case inside the block, of a check with this device and this precision."""
    token = _asking.set(_Asking(device == CUDA, precision))
    try:
        yield
    finally:
        _asking.reset(token)


def run_device() -> str:
    """Return on which device this run computes: ``cuda`` where grading has a GPU, else ``cpu``.

    ::

        got = student.apply(scores_on, x, run_device())
        assert_close(got, reference.apply(scores_on, x, "cpu"), what="scores")

    A check that asks is to compute there: its numbers are compared by the tolerances of that
    device. In a release, and in your own notebook, it is ``cpu``.
    """
    if (asking := _asking.get()) is not None:
        asking.computes_there = True
    return device_of_this_run()


def device_of_this_run() -> str:
    """Return on which device this run computes, without computing there."""
    return _device.get()


def device_compared() -> str:
    """Return by whose tolerances numbers are compared: ``cpu``, ``cuda`` or ``cuda in TF32``."""
    asking = _asking.get()
    if asking is None or not asking.computes_there or _device.get() != CUDA:
        return CPU
    return f"{CUDA} in TF32" if asking.precision == "tf32" else CUDA
