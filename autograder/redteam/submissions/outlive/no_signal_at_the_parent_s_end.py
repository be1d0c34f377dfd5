# expect: earns nothing
# Clears the signal that it gets when its parent ends, becomes a reaper of its own and leaves orphans.
import ctypes
import os
import time

libc = ctypes.CDLL(None)
libc.prctl(1, 0, 0, 0, 0)
libc.prctl(36, 1, 0, 0, 0)
if os.fork() == 0:
    libc.prctl(1, 0, 0, 0, 0)
    with open("/proc/self/comm", "w") as file:
        file.write(MARK)
    for _ in range(5):
        if os.fork() == 0:
            os.setsid()
    time.sleep(20)
    os._exit(0)
