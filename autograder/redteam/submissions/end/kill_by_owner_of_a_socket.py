# expect: earns nothing
# Has the kernel send signals to other processes: by the owner of a socket, a timer and a parent's end.
import ctypes
import fcntl
import os
import signal
import socket


def signal_others():
    here, there = socket.socketpair()
    for process in (VICTIM, -VICTIM, os.getppid(), 1):
        try:
            fcntl.fcntl(here, fcntl.F_SETOWN, process)
            fcntl.fcntl(here, 10, signal.SIGKILL)  # F_SETSIG
            fcntl.fcntl(here, fcntl.F_SETFL, os.O_ASYNC)
            there.send(b"x")
        except OSError:
            pass


signal_others()
