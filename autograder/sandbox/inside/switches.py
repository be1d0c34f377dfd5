"""Switches: what a notebook may change for all code behind it, without binding a name."""

import os
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

__all__ = ["set_switches", "switches"]

Switch = tuple[Callable[[], Any], Callable[[Any], Any]]  # how it is, and how it is turned


def switches() -> dict[str, Any]:
    """Return how numpy, torch and the interpreter are set now."""
    found = {}
    for name, (get, _) in _known().items():
        with suppress(Exception):  # it was patched, or the folder is gone
            found[name] = get()
    return found


def set_switches(former: dict[str, Any]) -> None:
    """Turn what is set otherwise now to what it was."""
    for name, (get, turn) in _known().items():
        with suppress(Exception):
            if name in former and get() != former[name]:
                turn(former[name])


def _known() -> dict[str, Switch]:
    """Return all switches; inference mode stands before gradients, which it decides too."""
    known: dict[str, Switch] = {
        "warnings": (lambda: list(warnings.filters), _set_filters),
        "floating point": (np.geterr, lambda former: np.seterr(**former)),
        "folder": (os.getcwd, os.chdir),
        "recursion": (sys.getrecursionlimit, sys.setrecursionlimit),
    }
    torch = sys.modules.get("torch")
    return known if torch is None else known | _of_torch(torch)


def _of_torch(torch: Any) -> dict[str, Switch]:
    return {
        "inference": (
            torch.is_inference_mode_enabled,
            lambda former: _enter(torch.inference_mode(former)),
        ),
        "gradients": (torch.is_grad_enabled, torch.set_grad_enabled),
        "dtype": (torch.get_default_dtype, torch.set_default_dtype),
        "device": (lambda: str(torch.get_default_device()), torch.set_default_device),
        "deterministic": (
            lambda: (
                torch.are_deterministic_algorithms_enabled(),
                torch.is_deterministic_algorithms_warn_only_enabled(),
            ),
            lambda former: torch.use_deterministic_algorithms(former[0], warn_only=former[1]),
        ),
        "anomalies": (torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly),
        "autocast": (torch.is_autocast_enabled, torch.set_autocast_enabled),
    }


_entered: list[Any] = []  # modes that are never left


def _enter(mode: Any) -> None:
    mode.__enter__()
    _entered.append(mode)


def _set_filters(former: list[Any]) -> None:
    warnings.resetwarnings()
    warnings.filters[:] = former  # type: ignore[index]  # a list, whatever its type says
