# expect: earns nothing
# Leaves shared memory, a semaphore and a message queue of the kernel, with names and without.
import ctypes
from multiprocessing import resource_tracker, shared_memory

resource_tracker.register = lambda *args: None
memory = shared_memory.SharedMemory(MARK, create=True, size=1 << 16)
memory.buf[:4] = b"left"
libc = ctypes.CDLL(None)
for create in (libc.shmget(0x5A00, 4096, 0o1666), libc.msgget(0x5A00, 0o1666)):
    if create >= 0:
        libc.shmctl(create, 0, None)
        libc.msgctl(create, 0, None)
