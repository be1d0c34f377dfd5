# expect: earns nothing; never says "escaped"
# Keeps a text in a keyring of the kernel, where a later session might find it.
import ctypes
import platform

number = {"x86_64": 248, "aarch64": 217}[platform.machine()]
libc = ctypes.CDLL(None)
USER_KEYRING = -4
key = libc.syscall(number, b"user", MARK.encode(), b"text", 4, USER_KEYRING)
if key > 0:
    unlink = {"x86_64": 250, "aarch64": 219}[platform.machine()]
    libc.syscall(unlink, 9, key, USER_KEYRING)
    raise RuntimeError("escaped: it has a keyring")
