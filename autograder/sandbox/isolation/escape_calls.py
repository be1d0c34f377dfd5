"""Calls to the kernel that a session may not make, with arguments that do nothing.

The error that comes back tells whether the kernel looked at them, or refused the call itself.
"""

import ctypes
import errno
import os
from typing import Any

__all__ = ["ANSWERED", "CALLS", "call", "let_through"]

LIBC = ctypes.CDLL(None, use_errno=True)
MACHINE = 1 if os.uname().machine == "aarch64" else 0
REFUSED = (-errno.EPERM, -errno.ENOSYS, -errno.EACCES, -errno.EAFNOSUPPORT, -errno.ENOTTY)

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
    ("ask what of a file is in memory", 451, 451, -1, 0, 0, 0),
    ("have a file read into memory", 187, 213, -1, 0, 0),
    ("watch files", 294, 26, -1),
    ("watch a file system", 300, 262, 0xFFFF, 0),
    ("take a file's handle", 303, 264, -1, b"", 0, 0, 0),
    ("give pages to a pipe", 278, 75, -1, 0, 0, 0),
    ("read by a queue", 206, 0, 0, 0),
    ("advise on memory of others", 440, 440, -1, 0, 0, 0, 1),
    ("move pages", 279, 239, -1, 0, 0, 0, 0, 0),
    ("compare processes", 312, 272, 0, 0, 99, 0, 0),
    ("change a priority", 141, 140, 9, 0, 0),
    ("change a priority at the disk", 251, 30, 9, 0, 0),
    ("take a semaphore of all", 64, 190, 0, -1, 0o600),
    ("open a queue of all", 240, 180, 0, 0, 0, 0),
)

# Calls that honest code may make, and that are answered without being done: they would tell of a
# file that others have too, or leave something at it. What to find out, the answer (a number below
# 0 is an error), the numbers, and arguments to which the kernel itself would say something else.
ANSWERED: tuple[tuple[Any, ...], ...] = (
    ("read only what is in memory", -errno.ENOSYS, 327, 286, -1, 0, 0, 0, 0, 8),
    ("write past the memory", -errno.ENOSYS, 328, 287, -1, 0, 0, 0, 0, 0x80),
    ("ask which pages are in memory", -errno.ENOSYS, 27, 232, 1, 1, 0),
    ("have a file written back", -errno.ENOSYS, 277, 84, -1, 0, 0, 0),
    ("put a file out of memory", 0, 221, 223, -1, 0, 0, 4),
    ("lock a file", 0, 73, 32, -1, 1),
    ("lock a record", 0, 72, 25, -1, 6, 0),
    ("lock a record and wait", 0, 72, 25, -1, 7, 0),
    ("lock a record of an open file", 0, 72, 25, -1, 37, 0),
    ("lock a record of an open file and wait", 0, 72, 25, -1, 38, 0),
    ("lease a file", -errno.EINVAL, 72, 25, -1, 1024, 0),
    ("find another's lease", -errno.EINVAL, 72, 25, -1, 1025, 0),
    ("be told of a folder", -errno.EINVAL, 72, 25, -1, 1026, 1),
    ("read a file's hint", -errno.EINVAL, 72, 25, -1, 1035, 0),
    ("leave a hint at a file", -errno.EINVAL, 72, 25, -1, 1036, 0),
    ("read an open file's hint", -errno.EINVAL, 72, 25, -1, 1037, 0),
    ("leave a hint at an open file", -errno.EINVAL, 72, 25, -1, 1038, 0),
    ("have memory filled from its file", -errno.EINVAL, 28, 233, 0, 4096, 3),
    ("have memory aged", -errno.EINVAL, 28, 233, 0, 4096, 20),
    ("put memory out", -errno.EINVAL, 28, 233, 0, 4096, 21),
    ("have memory faulted in", -errno.EINVAL, 28, 233, 0, 4096, 22),
    ("have equal memory merged", -errno.EINVAL, 28, 233, 0, 4096, 12),
)


def call(*numbers_and_arguments: Any) -> int:
    """Make a system call; return its result."""
    number = numbers_and_arguments[MACHINE]
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in numbers_and_arguments[2:]]
    return int(LIBC.syscall(ctypes.c_long(number), *words))


def let_through() -> list[str]:
    """Return what of all this the kernel itself has answered."""
    found = [name for name, *rest in CALLS if _outcome(*rest) not in REFUSED]
    return found + [name for name, answer, *rest in ANSWERED if _outcome(*rest) != answer]


def _outcome(*numbers_and_arguments: Any) -> int:
    """Make a system call; return its result, or its error as a number below 0."""
    result = call(*numbers_and_arguments)
    return result if result >= 0 else -ctypes.get_errno()
