# expect: earns nothing; never says "escaped"
# Reads the memory of a process of somebody else by process_vm_readv and by /proc.
import ctypes
import platform

with open(f"/proc/{VICTIM}/maps") as file:
    address = next(int(line.split("-")[0], 16) for line in file if "[heap]" in line)


class Piece(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


buffer = ctypes.create_string_buffer(64)
local = Piece(ctypes.cast(buffer, ctypes.c_void_p), 64)
remote = Piece(address, 64)
number = {"x86_64": 310, "aarch64": 270}[platform.machine()]
count = ctypes.CDLL(None).syscall(
    number, VICTIM, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0
)
if count > 0:
    raise RuntimeError(f"escaped: it read {count} bytes of another process")
