"""System calls that Python has no function for: Linux's, by ctypes."""

import ctypes
import os
import signal
import struct
from collections.abc import Iterator
from contextlib import suppress
from enum import IntFlag

__all__ = [
    "Namespace",
    "adopt_orphans",
    "bind",
    "children_of",
    "detach",
    "die_with_parent",
    "family_of",
    "forgo_privileges",
    "fork",
    "install_seccomp",
    "is_called",
    "keep_freed_memory",
    "make_mounts_private",
    "make_read_only",
    "mount",
    "pivot_root",
    "queued_seconds_of",
    "seconds_of",
    "set_host_name",
    "setns",
    "syscall",
    "tasks_of_user",
    "unshare",
    "use_large_pages",
]

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP = 1, 4, 22
_PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 36, 38
_SECCOMP_MODE_FILTER = 2
_CAPABILITY_VERSION_3 = 0x20080522
_MS_NOSUID, _MS_NODEV, _MS_BIND, _MS_REC, _MS_PRIVATE = 2, 4, 4096, 16384, 1 << 18
_MNT_DETACH = 2
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_ATTR_RDONLY, _ATTR_NOSUID, _ATTR_NODEV = 1, 2, 4
_MOUNT_SETATTR = 442  # this one has the same number on all machines
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}

MAX_FAMILY = 10_000  # processes that are looked at
_TICKS = os.sysconf("SC_CLK_TCK")
_LARGE_PAGE, _MADV_COLLAPSE = 2 << 20, 25
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGEST_BLOCK, _MOST_KEPT = 32 << 20, 1 << 30  # bytes; glibc takes no larger block


class Namespace(IntFlag):
    """Kinds of namespaces: the flags of ``clone``, ``unshare`` and ``setns``."""

    MOUNT = 0x00020000
    CGROUP = 0x02000000
    HOST = 0x04000000
    IPC = 0x08000000
    USER = 0x10000000
    PROCESS = 0x20000000
    NETWORK = 0x40000000


_libc = ctypes.CDLL(None, use_errno=True)
_python = ctypes.PyDLL(None, use_errno=True)  # keeps the lock of the interpreter


def die_with_parent(parent: int | None = None) -> None:
    """Have the kernel kill this process when its parent ends, or leave if it has ended.

    Args:
        parent: its process number; None where the parent is outside of this process's namespace.
    """
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if parent is not None and os.getppid() != parent:
        os._exit(1)


def adopt_orphans() -> None:
    """Make this process the parent of every descendant whose own parent ends."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def children_of(process: int) -> list[int]:
    """Return the children of a process."""
    children: list[int] = []
    with suppress(OSError):
        for task in os.listdir(f"/proc/{process}/task"):
            with open(f"/proc/{process}/task/{task}/children", encoding="ascii") as file:
                children += map(int, file.read().split())
    return children


def family_of(process: int) -> Iterator[int]:
    """Give a process and its descendants."""
    waiting = [process]
    for _ in range(MAX_FAMILY):
        if not waiting:
            return
        yield (current := waiting.pop())
        waiting += children_of(current)


def is_called(process: int, program: str) -> bool:
    """Return whether a process runs a program, as far as the kernel keeps its name."""
    try:
        with open(f"/proc/{process}/comm", encoding="utf-8", errors="replace") as file:
            return file.read().rstrip("\n") == os.path.basename(program)[:15]
    except OSError:
        return False


def tasks_of_user() -> int:
    """Return how many tasks this user has now: RLIMIT_NPROC counts all of them."""
    user, count = os.getuid(), 0
    for entry in os.scandir("/proc"):
        with suppress(OSError):
            if entry.name.isdigit() and entry.stat().st_uid == user:
                count += len(os.listdir(f"/proc/{entry.name}/task"))
    return count


def seconds_of(process: int) -> float:
    """Return the processor's time that a process has used, with that of children it waited for."""
    try:
        with open(f"/proc/{process}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / _TICKS


def queued_seconds_of(process: int) -> float | None:
    """Return how long the threads of a process were ready to run and did not; None if unknown."""
    total = 0
    try:
        for task in os.listdir(f"/proc/{process}/task"):
            with open(f"/proc/{process}/task/{task}/schedstat", encoding="ascii") as file:
                total += int(file.read().split()[1])
    except OSError:
        return None
    return total / 1e9


def fork() -> int:
    """Fork a process with one thread; return the child's number, in the child 0.

    This is C's ``fork``: Python's own also renews locks of threads that there are not, and seeds
    `random` anew, and the pages that it writes to for that make up half of its cost.

    Raises:
        OSError: there may be no more processes.
    """
    return _checked(int(_python.fork()), "fork")


def unshare(kinds: Namespace) -> None:
    """Give this process (its children, for those of processes) namespaces of its own."""
    _checked(_libc.unshare(int(kinds)), "unshare")


def setns(descriptor: int, kind: Namespace) -> None:
    """Enter the namespace that a file of ``/proc/PID/ns`` stands for."""
    _checked(_libc.setns(descriptor, int(kind)), "setns")


def mount(kind: str, target: str, options: str = "") -> None:
    """Mount a new file system, ``tmpfs`` or ``proc``, without devices and set-uid programs."""
    data = options.encode() or None
    name = kind.encode()
    flags = _MS_NOSUID | _MS_NODEV
    _checked(_libc.mount(name, target.encode(), name, flags, data), f"mount {kind} on {target}")


def make_mounts_private() -> None:
    """Let no later mount of this process be seen outside of its mount namespace."""
    _checked(_libc.mount(None, b"/", None, _MS_REC | _MS_PRIVATE, None), "mount --make-rprivate")


def bind(source: str, target: str) -> None:
    """Show a file or a folder, with all that is mounted in it, at another place."""
    flags = _MS_BIND | _MS_REC
    _checked(_libc.mount(source.encode(), target.encode(), None, flags, None), f"bind {source}")


def make_read_only(target: str, devices: bool = False, recursive: bool = True) -> None:
    """Make a mount read-only.

    Args:
        target: where it is mounted.
        devices: whether its device nodes may be used.
        recursive: whether all that is mounted in it becomes read-only too.
    """
    flags = _ATTR_RDONLY | _ATTR_NOSUID | (0 if devices else _ATTR_NODEV)
    attributes = struct.pack("=QQQQ", flags, 0, 0, 0)
    depth = _AT_RECURSIVE if recursive else 0
    syscall(_MOUNT_SETATTR, _AT_FDCWD, target.encode(), depth, attributes, len(attributes))


def pivot_root(new: str, old: str) -> None:
    """Make a mount the root of this process, with the former root at a place in it."""
    syscall(_PIVOT_ROOT[os.uname().machine], new.encode(), old.encode())


def detach(target: str) -> None:
    """Unmount, at once or as soon as nobody uses it."""
    _checked(_libc.umount2(target.encode(), _MNT_DETACH), f"umount {target}")


def set_host_name(name: str) -> None:
    """Name the machine in this process's namespace."""
    _checked(_libc.sethostname(name.encode(), len(name)), "sethostname")


def forgo_privileges() -> None:
    """Give up all capabilities, and all that a set-uid program could give back."""
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    _checked(_libc.capset(header, bytes(24)), "capset")
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _prctl(_PR_SET_DUMPABLE, 1)  # a change of user forbids a process its own /proc/self


def install_seccomp(program: bytes) -> None:
    """Bind this process and its children to a filter of system calls, for good.

    Args:
        program: instructions of classic BPF; see `autograder.sandbox.isolation.seccomp`.
    """
    buffer = ctypes.create_string_buffer(program, len(program))
    filter_ = struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(buffer))
    _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, filter_)


def use_large_pages() -> None:
    """Gather this process's memory in pages of 2 MB where it can be, so that a fork is cheap.

    A fork copies the table of its parent's pages, and an exit frees it: for the 55,000 small
    pages of a process with torch, both together take twice as long as everything else in them.
    """
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as file:
        maps = [line.split() for line in file]
    for span, access, _, _, _, *name in maps:
        if access != "rw-p" or name not in ([], ["[heap]"]):
            continue
        start, end = (int(address, 16) for address in span.split("-"))
        for page in range(
            -(-start // _LARGE_PAGE) * _LARGE_PAGE, end - _LARGE_PAGE + 1, _LARGE_PAGE
        ):
            # Fails where the kernel cannot or will not: then the pages stay as they were.
            _libc.madvise(ctypes.c_void_p(page), ctypes.c_size_t(_LARGE_PAGE), _MADV_COLLAPSE)


def keep_freed_memory() -> None:
    """Let this process keep what it frees, for work that asks for as much over and over.

    What goes back to the system comes as pages that must be zeroed again, which may take as long as
    to compute what is put there. Only glibc can be told so.
    """
    with suppress(AttributeError):
        _libc.mallopt(_M_MMAP_THRESHOLD, _LARGEST_BLOCK)
        _libc.mallopt(_M_TRIM_THRESHOLD, _MOST_KEPT)


def syscall(number: int, *arguments: int | bytes | None) -> int:
    """Make a system call by its number and return what it returns.

    Raises:
        OSError: it failed.
    """
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    return _checked(_libc.syscall(ctypes.c_long(number), *words), f"system call {number}")


def _prctl(option: int, value: int, argument: int | bytes = 0) -> None:
    rest = ctypes.c_long(argument) if isinstance(argument, int) else argument
    zero = ctypes.c_long(0)
    _checked(_libc.prctl(option, ctypes.c_long(value), rest, zero, zero), f"prctl {option}")


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result
