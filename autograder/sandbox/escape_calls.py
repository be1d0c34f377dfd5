"""Calls to the kernel that a session may not make, with arguments that do nothing.

The error that comes back tells whether the kernel looked at them, or refused the call itself.
"""

import ctypes
import errno
import os
from typing import Any

__all__ = ["CALLS", "call", "lets_through"]

LIBC = ctypes.CDLL(None, use_errno=True)
MACHINE = 1 if os.uname().machine == "aarch64" else 0
REFUSED = (errno.EPERM, errno.ENOSYS, errno.EACCES, errno.EAFNOSUPPORT, errno.ENOTTY)

# What to find out, then the call's numbers on x86-64 and aarch64, and its arguments.
CALLS: tuple[tuple[Any, ...], ...] = (
    ("take new names", 272, 97, 1),  # 1 is no kind of names
    ("enter other names", 308, 268, -1, 0),
    ("mount", 165, 40, b"tmpfs", b"/nowhere", b"tmpfs", 0, 0),
    ("mount by a newer call", 430, 430, b"nothing", 0),
    ("copy a mount", 428, 428, -1, b"", 0),
    ("make a mount writable", 442, 442, -1, b"", 0, 0, 0),
    ("unmount", 166, 39, b"/nowhere", 0),
    ("change the root", 161, 51, b"/nowhere"),
    ("turn the root", 155, 41, b"/nowhere", b"/nowhere"),
    ("open by handle", 304, 265, -1, 0, 0),
    ("make a device", 259, 33, -1, b"disk", 0o060600, 0xFE00),
    ("trace", 101, 117, 16, 0, 0, 0),
    ("read memory by call", 310, 270, 0, 0, 0, 0, 0, 0),
    ("take a descriptor", 438, 438, -1, 0, 0),
    ("keep a key", 248, 217, 0, 0, 0, 0, 0),
    ("read a key", 250, 219, 0, -3, 0),
    ("load a program into the kernel", 321, 280, 99, 0, 0),
    ("load a module", 175, 105, 0, 0, 0),
    ("watch the processor", 298, 241, 0, 0, -1, -1, 0),
    ("handle page faults", 323, 282, -1),
    ("queue calls", 425, 425, 0, 0),
    ("end the machine", 169, 142, 0, 0, 0, 0),
    ("start another kernel", 246, 104, 0, -1, 0, -1),
    ("account", 163, 89, b"/nowhere"),
    ("swap", 167, 224, b"/nowhere", 0),
    ("set a quota", 179, 60, -1, 0, 0, 0),
    ("keep memory", 29, 194, 0, 4096, 0o1600),
    ("keep messages", 68, 186, 0, 0o1600),
    ("change the personality", 135, 92, 0x0040000),
    ("rename the machine", 170, 161, 0, -1),
    ("set the clock", 227, 112, 99, 0),
    ("read the kernel's log", 103, 116, 10, 0, 0),
)


def call(*numbers_and_arguments: Any) -> int:
    """Make a system call; return its result."""
    number = numbers_and_arguments[MACHINE]
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in numbers_and_arguments[2:]]
    return int(LIBC.syscall(ctypes.c_long(number), *words))


def lets_through(*numbers_and_arguments: Any) -> bool:
    """Return whether the kernel looks at the arguments of a system call at all."""
    return call(*numbers_and_arguments) >= 0 or ctypes.get_errno() not in REFUSED
