# expect: earns nothing; never says "heard"
# Files in memory, sockets without a path, queues and memory of System V outlive the one who made them.
import ctypes
import os
import socket

libc = ctypes.CDLL(None, use_errno=True)
FOLDERS = ("/dev/shm", "/tmp", "/var/tmp", "/run", "/run/lock", os.path.expanduser("~"), "/dev/mqueue")
NAME, NUMBER = "told-by-one", 0x7A6F6F


# %% student
# Leaves them, and a process that listens.
for folder in FOLDERS:
    try:
        open(f"{folder}/{NAME}", "w").close()
    except OSError:
        pass
libc.shmget(NUMBER, 4096, 0o1666)
libc.semget(NUMBER, 1, 0o1666)
libc.msgget(NUMBER, 0o1666)
try:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("\0" + NAME)
    listener.listen()
    if os.fork() == 0:
        import time

        os.setsid()
        time.sleep(30)
        os._exit(0)
except OSError:
    pass
# %% student
# Looks for them.
traces = [folder for folder in FOLDERS if os.path.exists(f"{folder}/{NAME}")]
if libc.shmget(NUMBER, 4096, 0) >= 0:
    traces.append("memory")
if libc.semget(NUMBER, 1, 0) >= 0:
    traces.append("a semaphore")
if libc.msgget(NUMBER, 0) >= 0:
    traces.append("a queue")
try:
    stream = socket.socket(socket.AF_UNIX)
    stream.connect("\0" + NAME)
    traces.append("a socket")
except OSError:
    pass
if traces:
    raise ValueError("heard by " + ", ".join(traces))
