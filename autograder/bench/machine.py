"""The machine that was measured, in words that name no host and no path."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

from autograder.version import own_version

__all__ = ["describe"]


def describe() -> dict[str, str]:
    """Return what the figures depend on."""
    return {
        "processor": _field("/proc/cpuinfo", "model name"),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{int(_field('/proc/meminfo', 'MemTotal').split()[0]) / (1 << 20):.0f} GiB",
        "kernel": platform.release().partition("-")[0],
        "python": platform.python_version(),
        "torch": version("torch"),
        "numpy": version("numpy"),
        "autograder": own_version(),
    }


def _field(path: str, name: str) -> str:
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "0 unknown"
