# expect: earns nothing
# Enters the namespaces of every process that it sees, then connects.
import ctypes
import glob
import os
import socket

libc = ctypes.CDLL(None)
for path in glob.glob("/proc/[0-9]*/ns/net"):
    try:
        libc.setns(os.open(path, os.O_RDONLY), 0)
        with socket.create_connection(("127.0.0.1", TCP), 0.2) as stream:
            stream.sendall(MARK.encode())
            break
    except OSError:
        pass
