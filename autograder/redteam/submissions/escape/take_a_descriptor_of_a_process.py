# expect: earns nothing; never says "escaped"
# Copies a descriptor out of a process of somebody else by pidfd_getfd, and signals it by its pidfd.
import ctypes
import os

libc = ctypes.CDLL(None)
process = os.pidfd_open(VICTIM)
if libc.syscall(438, process, 0, 0) >= 0:
    raise RuntimeError("escaped: it has another process's descriptor")
