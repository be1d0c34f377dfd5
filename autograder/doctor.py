"""The doctor: what this machine can do for the grader, found out by doing."""

import ctypes
import importlib.util
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from autograder.course import Course
from autograder.errors import AutograderError
from autograder.sandbox.cgroup import ControlGroup
from autograder.sandbox.limits import Limits
from autograder.sandbox.nursery import Nursery
from autograder.sandbox.session import NotebookSession

__all__ = ["Finding", "examine", "gpus"]

SYS_LANDLOCK_CREATE_RULESET, LANDLOCK_VERSION_FLAG = 444, 1
SESSIONS = 5


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: ``state`` is ``ok``, ``no`` (done without) or ``bad``."""

    topic: str
    state: str
    text: str


def gpus() -> int:
    """Return how many NVIDIA devices this machine has, without waking one."""
    return len([p for p in Path("/dev").glob("nvidia[0-9]*") if p.name[6:].isdigit()])


def examine(course: Course | None) -> Iterator[Finding]:
    """Give one finding after another; a ``bad`` one means that grading cannot run here."""
    yield _python()
    for package in ("numpy", "torch", "nbgrader", "jupytext"):
        yield _package(package)
    yield _machine()
    yield _gpu()
    yield from _locks()
    yield _session()
    if course is not None:
        yield _secret(course)


def _python() -> Finding:
    good = (3, 11) <= sys.version_info[:2] <= (3, 13)
    text = f"{platform.python_version()}" + ("" if good else "; tested with 3.11 to 3.13")
    return Finding("Python", "ok" if good else "no", text)


def _package(name: str) -> Finding:
    try:
        return Finding(name, "ok", version(name))
    except PackageNotFoundError:
        return Finding(name, "bad", "missing; install autograder[grade]")


def _machine() -> Finding:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    cores = len(os.sched_getaffinity(0))
    disk = shutil.disk_usage(Path.cwd()).free
    text = f"{cores} cores, {pages / 2**30:.0f} GiB memory, {disk / 2**30:.0f} GiB disk free"
    return Finding("Machine", "ok", text)


def _gpu() -> Finding:
    count = gpus()
    if count:
        return Finding("GPU", "ok", f"{count} NVIDIA device{'s' if count > 1 else ''}")
    return Finding("GPU", "no", "none; checks that need one stay pending")


def _locks() -> Iterator[Finding]:
    group = ControlGroup.create(Limits())
    if group is None:
        yield Finding("Control groups", "no", "not to be had; memory and processes by rlimit")
    else:
        group.remove()
        yield Finding("Control groups", "ok", "memory and processes of a session are bounded")
    namespaces = _succeeds("unshare", "--user", "--map-root-user", "--pid", "--fork", "true")
    yield Finding("User namespaces", "ok" if namespaces else "no", _usable(namespaces))
    abi = ctypes.CDLL(None).syscall(
        SYS_LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), LANDLOCK_VERSION_FLAG
    )
    text = f"ABI {abi}, usable" if abi > 0 else "not in this kernel"
    yield Finding("Landlock", "ok" if abi > 0 else "no", text)
    bubblewrap = shutil.which("bwrap") is not None
    yield Finding("bubblewrap", "ok" if bubblewrap else "no", _usable(bubblewrap))


def _session() -> Finding:
    preload = ["numpy"] + (["torch"] if importlib.util.find_spec("torch") else [])
    try:
        began = time.monotonic()
        with Nursery(Limits(), preload) as nursery:
            warm = time.monotonic() - began
            times = [_start(nursery) for _ in range(SESSIONS)]
    except (AutograderError, OSError) as error:
        return Finding("Sessions", "bad", f"cannot be started: {error}")
    text = f"{statistics.median(times) * 1000:.0f} ms to start one, {warm:.1f} s to warm up"
    return Finding("Sessions", "ok", text)


def _start(nursery: Nursery) -> float:
    began = time.monotonic()
    with NotebookSession(nursery, [(1, "answer = 42")], began + 30) as notebook:
        with notebook.check() as session:
            if session.get("answer") != 42:
                raise AutograderError("a session gave a wrong value")
        return time.monotonic() - began


def _secret(course: Course) -> Finding:
    if course.demo_secret:
        return Finding(
            "Course secret", "no", "the demo secret, known to all; set AUTOGRADER_SECRET_FILE"
        )
    return Finding("Course secret", "ok", f"set (id {course.secret_id})")


def _usable(there: bool) -> str:
    return "usable" if there else "not usable"


def _succeeds(*command: str) -> bool:
    try:
        return subprocess.run(command, check=False, capture_output=True, timeout=10).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
