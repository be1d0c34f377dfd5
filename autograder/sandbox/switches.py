"""Switches: what a notebook may change for all code behind it, without binding a name."""

import os
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

__all__ = ["switches"]

_OF_TORCH = (
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "get_default_dtype",
    "get_default_device",
    "are_deterministic_algorithms_enabled",
    "is_anomaly_enabled",
    "is_autocast_enabled",
)


def switches() -> list[Any]:
    """Return how numpy, torch and the interpreter are set now, to be compared."""
    torch = sys.modules.get("torch")
    asked: list[Callable[[], Any]] = [np.geterr, os.getcwd, sys.getrecursionlimit]
    asked += [getattr(torch, name) for name in _OF_TORCH if hasattr(torch, name)]
    found: list[Any] = [list(warnings.filters)]
    for ask in asked:
        with suppress(Exception):  # it was patched, or the folder is gone
            found.append(ask())
    return found
