"""What a program costs: processor time, wall time and memory of its whole tree of processes.

Processor time is that of a control group of its own, where one can be made: no process escapes it,
whoever reaps it. Elsewhere it is that of the children that were waited for.
"""

import contextlib
import itertools
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Failed", "Group", "Sample", "Usage", "descendants", "measure", "memory", "total"]

CGROUPS = Path("/sys/fs/cgroup")
SECONDS_BETWEEN_SAMPLES = 1.0
KB = 1024
_numbers = itertools.count()


class Failed(Exception):
    """A program that is measured did not do its work."""


@dataclass(frozen=True)
class Sample:
    """The memory (PSS, MB) of each kind of process at one time, and their driver's CPU so far."""

    seconds: float
    mb: Mapping[str, float]
    driver_cpu: float


@dataclass(frozen=True)
class Usage:
    """What a program cost.

    Attributes:
        cpu: seconds of user and system time of its whole tree.
        wall: seconds.
        peak_mb: the most memory at one time, as PSS: what is shared is counted once.
        source: where ``cpu`` is from: ``cgroup`` or ``rusage``.
        samples: memory over time.
        output: what it printed.
    """

    cpu: float
    wall: float
    peak_mb: float
    source: str
    samples: tuple[Sample, ...] = field(default=(), repr=False)
    output: str = field(default="", repr=False)


def total(usages: Sequence[Usage], wall: float) -> Usage:
    """Return the cost of programs that ran side by side."""
    cpu, peak = sum(u.cpu for u in usages), sum(u.peak_mb for u in usages)
    return Usage(cpu, wall, peak, usages[0].source)


def measure(
    command: Sequence[str | Path],
    cwd: Path,
    *,
    timeout: float,
    env: Mapping[str, str] | None = None,
    codes: Sequence[int] = (0,),
    log: Path | None = None,
    progress: Callable[[], None] = lambda: None,
) -> Usage:
    """Run a program to its end and return what it cost.

    Args:
        command: the program and its arguments.
        cwd: where it runs.
        timeout: seconds after which it is ended.
        env: added to ours.
        codes: the exit codes of a program that did its work.
        log: where its output goes.
        progress: is called once a second.

    Raises:
        Failed: it left with another exit code, or not in time.
    """
    group = Group()
    words = [str(word) for word in command]
    inside = ["/bin/sh", "-c", 'echo $$ > "$0" && exec "$@"', group.procs] if group.folder else []
    output = log or Path(os.devnull)
    began = time.monotonic()
    with output.open("wb") as file:
        process = subprocess.Popen(
            [*map(str, inside), *words],
            cwd=cwd,
            env=dict(os.environ) | dict(env or {}),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    with _Sampler(process.pid, group.members, progress) as sampler:
        try:
            code, rusage = _wait(process, timeout)
        finally:
            wall = time.monotonic() - began
            group.end(process.pid)
            process.wait()
    cpu = group.close()
    said = log.read_text(encoding="utf-8", errors="replace") if log else ""
    if code not in codes:
        how = f"exit code {code}" if code is not None else f"no end after {timeout:.0f} s"
        raise Failed(f"{Path(words[0]).name} {' '.join(words[1:4])}: {how}\n{said[-1500:]}")
    if cpu is None or cpu < 0.9 * rusage:  # a session was put into another group
        return Usage(rusage, wall, sampler.peak(), "rusage", tuple(sampler.samples), said)
    return Usage(cpu, wall, sampler.peak(), "cgroup", tuple(sampler.samples), said)


def _wait(process: "subprocess.Popen[bytes]", seconds: float) -> tuple[int | None, float]:
    """Return a program's exit code and the CPU of all that was waited for; None if it lasts."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        if ended:
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode, usage.ru_utime + usage.ru_stime
        time.sleep(0.01)
    return None, 0.0


def memory(pid: int) -> dict[str, int]:
    """Return the sums over a process's memory in KB; nothing for one that has gone."""
    with contextlib.suppress(OSError):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
        return {key: int(rest.split()[0]) for key, _, rest in (x.partition(":") for x in lines)}
    return {}


def descendants(root: int) -> dict[int, int]:
    """Return the processes below one, each with its parent."""
    parents = dict(_parents())
    return {pid: parent for pid, parent in parents.items() if root in _ancestors(pid, parents)}


class Group:
    """A control group that counts processor time; without one where none can be made."""

    def __init__(self) -> None:
        self.folder: Path | None = None
        v2 = (CGROUPS / "cgroup.controllers").exists()
        folder = CGROUPS / ("" if v2 else "cpuacct") / f"bench-{os.getpid()}-{next(_numbers)}"
        self._count, self._unit = (
            (folder / "cpu.stat", 1e-6) if v2 else (folder / "cpuacct.usage", 1e-9)
        )
        with contextlib.suppress(OSError):
            folder.mkdir()
            self.folder = folder

    @property
    def procs(self) -> Path:
        """The file that a process's number is written to, to put it there."""
        assert self.folder is not None
        return self.folder / "cgroup.procs"

    def members(self) -> set[int]:
        """Return the processes that are in it."""
        if self.folder is None:
            return set()
        with contextlib.suppress(OSError):
            return {int(pid) for pid in self.procs.read_text().split()}
        return set()

    def end(self, leader: int) -> None:
        """Kill what the program left behind, and it too if it is still there."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(leader, signal.SIGKILL)
        for _ in range(200):
            left = self.members() - {leader}
            if not left:
                return
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)

    def seconds(self) -> float | None:
        """Return the seconds that its processes have used so far, None without a group."""
        if self.folder is None:
            return None
        words = self._count.read_text().split()
        count = int(words[words.index("usage_usec") + 1] if "usage_usec" in words else words[0])
        return count * self._unit

    def close(self) -> float | None:
        """Return the seconds that its processes used, and remove the group, if there is one."""
        found = self.seconds()
        if self.folder is not None:
            with contextlib.suppress(OSError):
                self.folder.rmdir()
        return found


class _Sampler:
    """Reads the memory of a tree of processes once a second, in a thread."""

    def __init__(
        self, root: int, members: Callable[[], set[int]], progress: Callable[[], None]
    ) -> None:
        self.samples: list[Sample] = []
        self._root, self._members, self._progress = root, members, progress
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "_Sampler":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def peak(self) -> float:
        return max((sum(sample.mb.values()) for sample in self.samples), default=0.0)

    def _run(self) -> None:
        began = time.monotonic()
        while not self._done.wait(SECONDS_BETWEEN_SAMPLES):
            parents = dict(_parents())
            tree = {self._root} | self._members()
            tree |= {pid for pid in parents if self._root in _ancestors(pid, parents)}
            mb: dict[str, float] = {}
            for pid in tree:
                kind = self._kind(pid, parents)
                mb[kind] = mb.get(kind, 0.0) + memory(pid).get("Pss", 0) / KB
            self.samples.append(Sample(time.monotonic() - began, mb, _cpu(self._root)))
            self._progress()

    def _kind(self, pid: int, parents: Mapping[int, int]) -> str:
        if pid == self._root:
            return "driver"
        if "autograder.sandbox" in _command(pid):
            inner = "autograder.sandbox" in _command(parents.get(pid, 0))
            return "sessions" if inner else "fork servers"
        return "workers"


def _parents() -> Iterator[tuple[int, int]]:
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                stat = Path(entry.path, "stat").read_text(errors="replace")
                yield int(entry.name), int(stat.rpartition(")")[2].split()[1])


def _ancestors(pid: int, parents: Mapping[int, int]) -> Iterator[int]:
    while (pid := parents.get(pid, 0)) > 1:
        yield pid


def _command(pid: int) -> str:
    with contextlib.suppress(OSError):
        return (
            Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        )
    return ""


def _cpu(pid: int) -> float:
    """Return the seconds of processor time of one process."""
    with contextlib.suppress(OSError, IndexError):
        words = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0
