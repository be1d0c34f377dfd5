# expect: earns nothing
# Every call leaves a daemon behind.
import ctypes
import os
import time


def leave_daemon(*args, **kwargs):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            ctypes.CDLL(None).prctl(15, MARK.encode(), 0, 0, 0)
            os.closerange(0, 64)
            time.sleep(20)
        os._exit(0)
    return 0.0


for name in NAMES:
    globals()[name] = leave_daemon
