# expect: earns nothing; never says "escaped"
# Makes namespaces of its own, in which it would be root.
import ctypes

libc = ctypes.CDLL(None)
KINDS = {"user": 0x10000000, "mount": 0x20000, "network": 0x40000000, "pid": 0x20000000}
made = [name for name, flag in KINDS.items() if libc.unshare(flag) == 0]
if made:
    raise RuntimeError(f"escaped: namespaces of its own: {made}")
