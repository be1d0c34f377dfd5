# expect: earns nothing; never says "escaped"
# Attaches itself to a process of somebody else by ptrace, and reads its memory.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
PTRACE_SEIZE, PTRACE_DETACH = 0x4206, 17
if libc.ptrace(PTRACE_SEIZE, VICTIM, None, None) == 0:
    raise RuntimeError("escaped: it traces another process")
