"""The doctor: what this machine can do for the grader, found out by doing."""

import importlib.util
import os
import platform
import shutil
import statistics
import sys
import sysconfig
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from autograder.authoring.gpu import memory_on_gpu
from autograder.course import Course
from autograder.errors import AutograderError, DeviceLost
from autograder.grading.soundness import require_sound
from autograder.sandbox.client.fork_server import ForkServer, NoWalls
from autograder.sandbox.client.gpu import gpus_here, sessions_on, torch_can_use_gpus
from autograder.sandbox.client.session import CodeCell, NotebookSession
from autograder.sandbox.isolation.canary import send_canary
from autograder.sandbox.isolation.cgroup import ControlGroup
from autograder.sandbox.limits import Limits
from autograder.sandbox.protocol.settings import WALLED, Gpu, Isolation

__all__ = ["Finding", "examine"]

OLDEST, NEWEST = (3, 11), (3, 14)  # the versions of Python that CI tests
SESSIONS = 5
GPU_SECONDS = 60.0  # for a session to compute on a GPU


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: ``state`` is ``ok``, ``no`` (done without) or ``bad``."""

    topic: str
    state: str
    text: str


def examine(course: Course | None) -> Iterator[Finding]:
    """Give one finding after another; a ``bad`` one means that grading cannot run here."""
    yield _python()
    for package in ("numpy", "torch", "nbgrader", "jupytext"):
        yield _package(package)
    yield _machine()
    yield from _gpus(Limits() if course is None else course.limits)
    yield from _walls()
    yield _session()
    if course is not None:
        yield _secret(course)


def _python() -> Finding:
    text = platform.python_version()
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        text += "; we test with {}.{} to {}.{}".format(*OLDEST, *NEWEST)
    elif _is_slow_build():
        text += (
            "; it was built without --enable-optimizations, so that its own steps take nearly "
            "twice as long; take your distribution's Python, or build this one with them"
        )
    else:
        return Finding("Python", "ok", text)
    return Finding("Python", "no", text)


def _is_slow_build() -> bool:
    """Whether this Python was compiled without a profile, as pyenv does unless it is told.

    Distributions have ways of their own to ask for one, so what lies under ``/usr`` is not judged.
    """
    options = sysconfig.get_config_var("CONFIG_ARGS")
    asked = not options or "--enable-optimizations" in options
    return not asked and sys.base_prefix != "/usr"


def _package(name: str) -> Finding:
    try:
        return Finding(name, "ok", version(name))
    except PackageNotFoundError:
        return Finding(name, "bad", "missing; run make setup, or: python -m pip install '.[grade]'")


def _machine() -> Finding:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    cores = len(os.sched_getaffinity(0))
    disk = shutil.disk_usage(Path.cwd()).free
    text = f"{cores} cores, {pages / 2**30:.0f} GiB memory, {disk / 2**30:.0f} GiB disk free"
    return Finding("Machine", "ok", text)


def _gpus(limits: Limits) -> Iterator[Finding]:
    """Say of each GPU whether a session can use it; without one, grading goes on."""
    try:
        found = gpus_here()
    except DeviceLost as error:
        yield Finding("GPU", "no", f"{error}; checks that need one stay pending")
        return
    if not found:
        yield Finding("GPU", "no", "none; checks that need one stay pending")
    elif not torch_can_use_gpus():
        yield Finding("GPU", "no", "PyTorch is built for processors alone; install one with CUDA")
        return
    for gpu in found:
        yield _gpu(gpu, limits)


def _gpu(gpu: Gpu, limits: Limits) -> Finding:
    try:
        levels = tuple(Isolation)
        with ForkServer(limits, ["numpy", "torch"], "cuda", levels, gpu) as fork_server:
            began = time.monotonic()
            require_sound(fork_server, limits, tried=True)
            seconds = time.monotonic() - began
            told = _unbounded(fork_server, gpu)
    except (AutograderError, OSError) as error:
        return Finding("GPU", "no", f"{error}; checks that need it stay pending")
    count = sessions_on(gpu, limits)
    text = f"{gpu.called}, {gpu.memory_mb} MB, {count} at a time, {seconds:.1f} s for one{told}"
    return Finding("GPU", "ok", text)


def _unbounded(fork_server: ForkServer, gpu: Gpu) -> str:
    """Return why nobody bounds what sessions use of a GPU's memory; "" where the driver tells."""
    if not gpu.smi:
        return "; without nvidia-smi nobody bounds what sessions use of it"
    cells, deadline = [CodeCell(1, gpu.trial)], time.monotonic() + GPU_SECONDS
    with (
        NotebookSession(fork_server, cells, deadline, cell_seconds=GPU_SECONDS) as notebook,
        notebook.check(shared=True) as session,
    ):
        if memory_on_gpu(session.processes()) is not None:
            return ""
    return "; its driver does not tell what each session uses, so nobody bounds that"


def _walls() -> Iterator[Finding]:
    """Say of each isolation level whether it holds here; the strongest that does is the run's."""
    group = ControlGroup.create(Limits())
    if group is None:
        yield Finding(
            "Control groups", "no", "none here; a session may exceed its memory limit for a moment"
        )
    else:
        group.remove()
        yield Finding("Control groups", "ok", "memory and processes of a session are bounded")
    found = [_isolation(level) for level in WALLED]
    yield from found
    if not any(finding.state == "ok" for finding in found):
        yield Finding("Walls", "bad", "none holds, so no student's code can be run safely here")


def _isolation(level: Isolation) -> Finding:
    topic = f"Isolation level {level}"
    try:
        with ForkServer(Limits(), levels=[level]) as fork_server:
            return Finding(
                topic,
                "ok",
                f"holds: we tried {send_canary(fork_server)} ways out, and none led anywhere",
            )
    except NoWalls as error:
        return Finding(topic, "no", error.reasons[level])
    except (AutograderError, OSError) as error:
        return Finding(topic, "no", str(error))


def _session() -> Finding:
    preload = ["numpy"] + (["torch"] if importlib.util.find_spec("torch") else [])
    try:
        began = time.monotonic()
        with ForkServer(Limits(), preload, levels=tuple(Isolation)) as fork_server:
            warm = time.monotonic() - began
            times = [_start(fork_server) for _ in range(SESSIONS)]
    except (AutograderError, OSError) as error:
        return Finding("Sessions", "bad", f"cannot be started: {error}")
    text = f"{statistics.median(times) * 1000:.0f} ms to start one, {warm:.1f} s to warm up"
    return Finding("Sessions", "ok", text)


def _start(fork_server: ForkServer) -> float:
    began = time.monotonic()
    with NotebookSession(fork_server, [CodeCell(1, "answer = 42")], began + 30) as notebook:
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
