# expect: earns nothing; never says "heard"
# Locks, leases, hints, attributes and times of files that all may read tell what one left at them.
import ctypes
import fcntl
import os
import struct
import sys

paths = [os.__file__, sys.executable, "/usr/bin/env", "/etc/ld.so.cache"]
opened = [os.open(path, os.O_RDONLY) for path in paths if os.path.exists(path)]
SET_HINT, GET_HINT, SEALS = 1036, 1035, 1033


def attempt(call, *args):
    try:
        return call(*args)
    except OSError:
        return None


# %% student
# Leaves them, and a process that keeps the locks.
for file in opened:
    attempt(fcntl.fcntl, file, SET_HINT, struct.pack("Q", 4))
    attempt(fcntl.fcntl, file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    attempt(fcntl.fcntl, file, SEALS, 1)
    attempt(os.setxattr, file, "user.told", b"told")
    attempt(os.utime, file, (1, 1))
    attempt(fcntl.flock, file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    attempt(fcntl.lockf, file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    attempt(os.read, file, 1)
if os.fork() == 0:
    os.setsid()
    import time

    time.sleep(30)
    os._exit(0)
# %% student
# Reads them.
traces = []
for file in opened:
    hint = attempt(fcntl.fcntl, file, GET_HINT, bytes(8))
    if hint and struct.unpack("Q", hint)[0]:
        traces.append("a hint")
    if attempt(fcntl.fcntl, file, fcntl.F_GETLEASE) == fcntl.F_RDLCK:
        traces.append("a lease")
    if attempt(os.getxattr, file, "user.told"):
        traces.append("an attribute")
    if os.fstat(file).st_mtime == 1:
        traces.append("a time")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        traces.append("a lock")
    except OSError:
        pass
    lock = struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0)
    found = attempt(fcntl.fcntl, file, fcntl.F_GETLK, lock)
    if found and struct.unpack("hhqqi4x", found)[0] != fcntl.F_UNLCK:
        traces.append("a record's lock")
if traces:
    raise ValueError("heard by " + ", ".join(traces))
