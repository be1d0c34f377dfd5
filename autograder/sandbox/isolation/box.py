"""The box: a private root file system that holds an interpreter, and nothing of the course.

A fork server moves into it before it imports anything for a notebook. What is not bound into the
box (the course, other users' homes, the network, other processes) is not there to be read.
"""

import os
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path

from autograder.sandbox import kernel
from autograder.sandbox.limits import Limits
from autograder.sandbox.protocol.settings import Gpu

__all__ = [
    "COUNTERS",
    "FOLDER",
    "driver_folders",
    "enter_box",
    "furnish_session",
    "gpu_nodes",
    "readable_paths",
]

FOLDER = "/session"  # a session's own folder in its box; /tmp is another name of it
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_SETTINGS = ("/etc/ld.so.cache", "/etc/alternatives", "/etc/fonts", "/etc/localtime")
_DEVICES = ("null", "zero", "full", "random", "urandom")
_GPU_NODES = ("/dev/nvidiactl", "/dev/nvidia-uvm")
# Where the driver's library may lie that the linker does not know.
_DRIVER = ("/usr/local/nvidia/lib64", "/usr/local/nvidia/lib", "/usr/lib/wsl/lib")
_PACKAGES = ("site-packages", "dist-packages")  # of this environment, and of those it sees
_PROCESSORS = "/sys/devices/system/cpu"
# What the kernel counts for all processes of the machine: nothing stands in them in a session.
COUNTERS = (
    *("loadavg", "stat", "vmstat", "zoneinfo", "buddyinfo", "pagetypeinfo", "slabinfo"),
    *("diskstats", "interrupts", "softirqs", "schedstat", "timer_list", "locks", "swaps"),
    *("vmallocinfo", "key-users", "keys", "pressure/cpu", "pressure/io", "pressure/memory"),
    *("pressure/irq", "sys/fs/file-nr", "sys/fs/inode-nr", "sys/fs/inode-state"),
    "sys/fs/dentry-state",
)
_ACCOUNTS = {"passwd": "student:x:{0}:{0}::/session:/bin/sh\n", "group": "student:x:{0}:\n"}


def readable_paths(preload: Sequence[str], gpu: bool = False) -> list[str]:
    """Return what a session needs to read: the interpreter, its packages and the C library.

    No path leads through a link: each link on the way to something is there itself, as a link.

    Args:
        preload: modules that may be installed elsewhere than with the interpreter.
        gpu: whether the driver's view of the machine is needed too.
    """
    own = sysconfig.get_paths()
    wanted = [sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix, sys.executable]
    wanted += [own["stdlib"], own["platstdlib"], own["purelib"], own["platlib"]]
    wanted += [path for path in sys.path if os.path.basename(path) in _PACKAGES]
    wanted += [place for name in ("autograder", *preload) for place in _places_of(name)]
    wanted += [*_SYSTEM, *_SETTINGS, *(["/sys", *driver_folders()] if gpu else [_PROCESSORS])]
    found: list[str] = []
    there = {os.path.abspath(path) for path in wanted if os.path.exists(path)}
    places = {place for path in there for place in _links_and_place(path)}
    for path in sorted(places):
        if path != "/" and not any(path.startswith(f"{outer}/") for outer in found):
            found.append(path)
    return found


def enter_box(readable: Iterable[str], users: Iterable[int], nodes: Sequence[str] = ()) -> None:
    """Move this process into a fresh root in which some paths are bound read-only.

    It needs mount and process namespaces of its own.

    Args:
        readable: absolute paths; a link stays a link.
        users: the numbers of the users that sessions run as.
        nodes: files of devices that are there beside those that every session has.

    Raises:
        OSError: the kernel refuses.
    """
    kernel.make_mounts_private()
    kernel.mount("tmpfs", "/tmp", "mode=755")
    os.mkdir("/tmp/old")
    os.mkdir("/tmp/new")
    kernel.mount("tmpfs", "/tmp/new", "mode=755,size=1m")
    kernel.pivot_root("/tmp", "/tmp/old")
    os.chdir("/")
    for path in readable:
        _bind(path)
    for path in (*(f"/dev/{name}" for name in _DEVICES), *nodes):
        if os.path.exists(f"/old{path}"):
            _bind(path, device=True)
    for name, target in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
        os.symlink(f"/proc/self/fd{target}", f"/new/dev/{name}")
    for folder in ("/new/proc", f"/new{FOLDER}", "/new/dev/shm", "/new/old"):
        os.makedirs(folder, exist_ok=True)
    if not os.path.lexists("/new/tmp"):  # an interpreter may be installed below it
        os.symlink(FOLDER, "/new/tmp")
    os.makedirs("/new/etc", exist_ok=True)
    for name, line in _ACCOUNTS.items():
        Path("/new/etc", name).write_text("".join(line.format(user) for user in users))
    kernel.mount("proc", "/new/proc")
    kernel.pivot_root("/new", "/new/old")
    os.chdir("/")
    kernel.detach("/old")
    os.rmdir("/old")
    kernel.make_read_only("/", recursive=False)
    kernel.mount("tmpfs", FOLDER, "mode=1777,size=16m")  # for what we import ourselves
    kernel.set_host_name("session")


def furnish_session(limits: Limits, user: int) -> None:
    """Give this process, in a mount namespace of its own, an empty folder and its own view.

    Args:
        limits: how much the folder may hold.
        user: who owns it.
    """
    size = f"size={limits.disk_mb}m,nr_inodes={limits.files}"
    kernel.mount("tmpfs", FOLDER, f"{size},mode=700,uid={user},gid={user}")
    kernel.mount("tmpfs", "/dev/shm", f"{size},mode=700,uid={user},gid={user}")
    kernel.mount("proc", "/proc")
    for name in COUNTERS:
        if os.path.exists(f"/proc/{name}"):
            kernel.bind("/dev/null", f"/proc/{name}")


def _bind(path: str, device: bool = False) -> None:
    """Show a path of the former root, which is at /old, in the new one, which is at /new."""
    source, target = f"/old{path}", f"/new{path}"
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.islink(source):
        os.symlink(os.readlink(source), target)
        return
    if os.path.isdir(source):
        os.mkdir(target)
    else:
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY))
    kernel.bind(source, target)
    kernel.make_read_only(target, devices=device)


def _links_and_place(path: str) -> list[str]:
    """Return the links that a path leads through, and where it ends; none of them holds a link.

    An environment may be a link, lie below one, or be made by an interpreter that is reached by
    one: each of these names has to mean the same in the box.
    """
    links: list[str] = []
    place, ahead = "/", path.split("/")
    while ahead:
        name = ahead.pop(0)
        step = os.path.normpath(os.path.join(place, name))  # by "..", "." and "" too
        if not os.path.islink(step):
            place = step
            continue
        links.append(step)
        target = os.readlink(step)
        place = "/" if target.startswith("/") else place
        ahead = target.split("/") + ahead
    return [*links, place]


def _places_of(module: str) -> list[str]:
    """Return where a module is: its folder or its file."""
    spec = find_spec(module.partition(".")[0])
    if spec is None:
        return []
    if spec.submodule_search_locations is not None:
        return list(spec.submodule_search_locations)
    return [spec.origin] if spec.origin and os.path.isabs(spec.origin) else []


def driver_folders() -> list[str]:
    """Return the folders with the driver's library of which only the environment tells."""
    told = os.environ.get("LD_LIBRARY_PATH", "").split(":")
    there = [one for one in (*told, *_DRIVER) if one and os.path.exists(f"{one}/libcuda.so.1")]
    return list(dict.fromkeys(there))


def gpu_nodes(gpu: Gpu | None) -> list[str]:
    """Return the files by which a session reaches a GPU and its driver; those of none other.

    Args:
        gpu: which; of one whose file nobody names, and for None, those of all GPUs.
    """
    if gpu is not None and gpu.node:
        return [gpu.node, *_GPU_NODES]
    found = sorted(p for p in Path("/dev").glob("nvidia[0-9]*") if p.name[6:].isdigit())
    return [*map(str, found), *_GPU_NODES]
