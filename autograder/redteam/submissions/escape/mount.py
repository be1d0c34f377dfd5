# expect: earns nothing; never says "escaped"
# Mounts a file system in its own folder, and remounts the root to be writable.
import ctypes
import os

libc = ctypes.CDLL(None)
os.makedirs("there", exist_ok=True)
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
if libc.unshare(0x20000) == 0:  # so that nobody else sees what is mounted
    libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None)
    if libc.mount(b"none", b"there", b"tmpfs", 0, None) == 0:
        raise RuntimeError("escaped: it mounts")
if libc.mount(b"/nowhere", b"there", None, MS_BIND, None) == 0:
    raise RuntimeError("escaped: it mounts")
