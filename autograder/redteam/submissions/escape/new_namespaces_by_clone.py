# expect: earns nothing; never says "escaped"
# The same by clone and clone3, whose flags a filter of system calls cannot always see.
import ctypes
import os
import platform

libc = ctypes.CDLL(None)
number = {"x86_64": 56, "aarch64": 220}[platform.machine()]
NEW_USER, SIGCHLD = 0x10000000, 17
child = libc.syscall(number, NEW_USER | SIGCHLD, None, None, None, None)
if child == 0:
    os._exit(0)


class Arguments(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in "flags pidfd tid parent signal".split()]
    _fields_ += [(name, ctypes.c_uint64) for name in "stack size tls set set_size cgroup".split()]


arguments = Arguments(flags=NEW_USER, signal=SIGCHLD)
second = libc.syscall(435, ctypes.byref(arguments), ctypes.sizeof(arguments))
if second == 0:
    os._exit(0)
if child > 0 or second > 0:
    raise RuntimeError("escaped: a child in a namespace of its own")
