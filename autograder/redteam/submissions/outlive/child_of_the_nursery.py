# expect: earns nothing
# Makes children of its parent by clone with CLONE_PARENT, which are not its own.
import ctypes
import os
import platform
import time

CLONE_PARENT, SIGCHLD = 0x8000, 17
number = {"x86_64": 56, "aarch64": 220}[platform.machine()]
for _ in range(3):
    if ctypes.CDLL(None).syscall(number, CLONE_PARENT | SIGCHLD, None, None, None, None) == 0:
        os.setsid()
        with open("/proc/self/comm", "w") as file:
            file.write(MARK)
        time.sleep(20)
        os._exit(0)
