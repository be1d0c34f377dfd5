"""Escapes: what a student's code might try, to be tried by us first.

A notebook of ours imports this module in a session, where `attempt_all` is called (see
`autograder.sandbox.isolation.canary`). Each function ``try_…`` tries one escape: it returns
something true if it got out, and raises or returns something false if it was held.
"""

import ctypes
import fcntl
import importlib
import os
import resource
import signal
import socket
import sys
import termios
from collections.abc import Iterable
from typing import Any

from autograder.sandbox.isolation import escape_traces
from autograder.sandbox.isolation.escape_calls import ANSWERED, CALLS, call, let_through

__all__ = ["attempt_all"]

Witness = dict[str, Any]

NEW_USER, NEW_NET = 0x10000000, 0x40000000  # flags of clone
DISKS = ("sda", "vda", "nvme0n1", "mem", "kmem", "port", "kmsg", "fuse", "kvm", "nvram")
SETTINGS = ("kernel/hostname", "kernel/core_pattern", "vm/drop_caches", "kernel/panic")
GROUPS = ("/sys/fs/cgroup/cgroup.procs", "/sys/fs/cgroup/memory/cgroup.procs")


def attempt_all(witness: Witness) -> tuple[int, dict[str, str]]:
    """Try everything; return how much that was, and what got out.

    Args:
        witness: what lies outside; see `autograder.sandbox.isolation.canary`.
    """
    witness["processes"] = [p for p, began in witness["processes"] if not is_other(p, began)]
    known = vars(escape_traces) | globals()  # in this order: later ones may become another user
    tries = {name: known[name] for name in known if name.startswith("try_")}
    got = dict.fromkeys(let_through(), "the kernel looked at it")
    for name, attempt in tries.items():
        try:
            outcome = attempt(witness)
        except (OSError, ImportError, ValueError):
            continue
        if outcome:
            got[name.removeprefix("try_").replace("_", " ")] = str(outcome)[:200]
    return len(tries) + len(CALLS) + len(ANSWERED), got


def is_other(process: int, began: str) -> bool:
    """Return whether a process that we see has only the number of one outside."""
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[19] != began
    except OSError:
        return False


def readable(paths: Iterable[str], marker: str) -> list[str]:
    """Return the files in which the marker can be read."""
    found = []
    for path in paths:
        try:
            with open(path, errors="replace") as file:
                found += [path] if marker in file.read() else []
        except OSError:
            continue
    return found


def writable(folders: Iterable[str]) -> list[str]:
    """Return the folders in which a file can be made."""
    found = []
    for folder in folders:
        path = os.path.join(folder, f"escaped-{os.getpid()}")
        if opens(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL):
            os.unlink(path)
            found.append(folder)
    return found


def opens(path: str, mode: int = os.O_RDONLY) -> bool:
    """Return whether a file can be opened."""
    try:
        os.close(os.open(path, mode | os.O_NONBLOCK))
    except OSError:
        return False
    return True


def others(witness: Witness) -> list[int]:
    """Return the processes that are not the session's own."""
    return [*witness["processes"], *witness["keeper"]]


# Files


def try_read_the_graders_files(witness: Witness) -> object:
    return readable(witness["files"], witness["marker"])


def try_read_through_the_roots_of_others(witness: Witness) -> object:
    paths = [f"/proc/{p}/root{f}" for p in others(witness) for f in witness["files"]]
    return readable(paths, witness["marker"])


def try_read_through_the_folders_of_others(witness: Witness) -> object:
    names = [os.path.basename(f) for f in witness["files"]]
    return readable([f"/proc/{p}/cwd/{n}" for p in others(witness) for n in names], "")


def try_read_above_the_root(witness: Witness) -> object:
    return readable(["/.." * 8 + path for path in witness["files"]], witness["marker"])


def try_find_the_course(witness: Witness) -> object:
    return [path for path in witness["private"] if os.path.exists(path)]


def try_import_the_reference(witness: Witness) -> object:
    return importlib.import_module("reference").__file__


def try_read_the_shadow_file(witness: Witness) -> object:
    return opens("/etc/shadow")


def try_read_shared_memory(witness: Witness) -> object:
    return readable([witness["shared"]], witness["marker"])


def try_write_to_the_interpreter(witness: Witness) -> object:
    return writable([sys.prefix, sys.base_prefix, os.path.dirname(os.__file__)])


def try_write_to_the_package(witness: Witness) -> object:
    return writable([os.path.dirname(str(importlib.import_module("autograder").__file__))])


def try_write_to_the_system(witness: Witness) -> object:
    return writable(["/", "/usr", "/usr/bin", "/etc", "/lib", "/var/tmp", "/var", "/root"])


def try_write_to_the_graders_folders(witness: Witness) -> object:
    return writable(witness["folders"])


def try_open_a_disk(witness: Witness) -> object:
    return [name for name in DISKS if opens(f"/dev/{name}")]


def try_change_the_kernels_settings(witness: Witness) -> object:
    return [name for name in SETTINGS if opens(f"/proc/sys/{name}", os.O_WRONLY)]


def try_trigger_the_kernel(witness: Witness) -> object:
    return opens("/proc/sysrq-trigger", os.O_WRONLY)


def try_leave_the_control_group(witness: Witness) -> object:
    return [place for place in GROUPS if opens(place, os.O_WRONLY)]


# Processes


def try_signal_others(witness: Witness) -> object:
    return [process for process in others(witness) if signals(process)]


def signals(process: int) -> bool:
    """Return whether a process can be sent a signal."""
    try:
        os.kill(process, 0)
    except OSError:
        return False
    return True


def try_read_the_memory_of_others(witness: Witness) -> object:
    return [p for p in others(witness) if opens(f"/proc/{p}/mem")]


def try_read_the_environment_of_others(witness: Witness) -> object:
    return [p for p in others(witness) if readable([f"/proc/{p}/environ"], "")]


def try_open_the_files_of_others(witness: Witness) -> object:
    return [p for p in others(witness) for number in range(16) if opens(f"/proc/{p}/fd/{number}")]


def try_limit_others(witness: Witness) -> object:
    return resource.prlimit(1, resource.RLIMIT_NPROC)


# Privileges


def try_become_root(witness: Witness) -> object:
    if not witness["root"]:
        os.setuid(0)
    return not witness["root"]


def try_become_another_user(witness: Witness) -> object:
    another = witness["user"] + 1
    os.setresuid(another, another, another)
    return True


def try_keep_a_capability(witness: Witness) -> object:
    return [line for line in status("CapPrm", "CapEff", "CapAmb") if int(line.split()[1], 16)]


def try_gain_from_a_set_uid_program(witness: Witness) -> object:
    return status("NoNewPrivs") != ["NoNewPrivs:\t1"]


def try_go_without_a_filter(witness: Witness) -> object:
    return status("Seccomp") != ["Seccomp:\t2"]


def status(*names: str) -> list[str]:
    """Return lines of what the kernel says of this process."""
    with open("/proc/self/status") as file:
        return [line.rstrip() for line in file if line.partition(":")[0] in names]


def try_raise_a_limit(witness: Witness) -> object:
    for which in (resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE, resource.RLIMIT_CPU):
        limit = resource.getrlimit(which)[1]
        try:
            resource.setrlimit(which, (limit + 1, limit + 1))
        except (ValueError, OSError):
            continue
        return which
    return None


def try_dump_core(witness: Witness) -> object:
    return resource.getrlimit(resource.RLIMIT_CORE)[1]


def try_a_child_with_new_user_names(witness: Witness) -> object:
    return ended(call(56, 220, NEW_USER | signal.SIGCHLD, 0, 0, 0, 0))


def try_a_child_with_a_new_network(witness: Witness) -> object:
    return ended(call(56, 220, NEW_USER | NEW_NET | signal.SIGCHLD, 0, 0, 0, 0))


def try_a_child_by_the_newer_call(witness: Witness) -> object:
    arguments = (ctypes.c_uint64 * 8)(NEW_USER, 0, 0, 0, signal.SIGCHLD)
    return ended(call(435, 435, ctypes.byref(arguments), ctypes.sizeof(arguments)))


def ended(child: int) -> bool:
    """End a child, in itself and behind it; return whether there was one."""
    if child == 0:
        os._exit(0)
    if child > 0:
        os.waitpid(child, 0)
    return child > 0


def try_type_into_the_terminal(witness: Witness) -> object:
    fcntl.ioctl(0, termios.TIOCSTI, b"x")
    return True


# The network


def try_tcp(witness: Witness) -> object:
    return connects(socket.AF_INET, ("127.0.0.1", witness["tcp"]))


def try_tcp_of_version_6(witness: Witness) -> object:
    return connects(socket.AF_INET6, ("::ffff:127.0.0.1", witness["tcp"]))


def try_an_abstract_socket(witness: Witness) -> object:
    return connects(socket.AF_UNIX, "\0" + witness["abstract"])


def try_a_socket_in_the_file_system(witness: Witness) -> object:
    return connects(socket.AF_UNIX, witness["socket"])


def connects(family: int, address: Any) -> bool:
    """Return True if a listener can be reached."""
    with socket.socket(family, socket.SOCK_STREAM) as stream:
        stream.settimeout(0.2)
        stream.connect(address)
        return True


def try_udp(witness: Witness) -> object:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stream:
        return stream.sendto(b"x", ("127.0.0.1", witness["udp"]))


def try_listen(witness: Witness) -> object:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as stream:
        stream.bind(("127.0.0.1", 0))
        return True


def try_packets(witness: Witness) -> object:
    families = (socket.AF_PACKET, socket.AF_NETLINK, 40, 38)  # and virtual machines, ciphers
    return [int(family) for family in families if speaks(family)]


def speaks(family: int) -> bool:
    """Return whether there are sockets of a family."""
    try:
        socket.socket(family, socket.SOCK_RAW).close()
    except OSError:
        return False
    return True


# What a session knows


def try_find_names_in_the_environment(witness: Witness) -> object:
    with open("/proc/self/environ") as file:  # as it was before any library added to it
        names = {line.partition("=")[0] for line in file.read().split("\0") if line}
    return sorted(names - set(witness["environment"]))


def try_find_a_descriptor(witness: Witness) -> object:
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except OSError:  # that of the listing itself
            continue
        if not target.startswith(("socket:", "/dev/null", "/proc/")):
            found.append(target)
    return found
