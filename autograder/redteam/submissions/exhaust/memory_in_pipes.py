# expect: earns nothing; never says "had 1 GB"
# Fills the buffers of sockets and pipes, which the kernel holds for it.
import os
import socket

hoard, count = [], 0
try:
    while count < 1 << 30:
        pair = socket.socketpair()
        pair[0].setblocking(False)
        for end in pair:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 24)
        hoard.append(pair)
        try:
            while True:
                count += pair[0].send(b"x" * 65536)
        except BlockingIOError:
            pass
except OSError:
    pass
if count >= 1 << 30:
    raise RuntimeError("had 1 GB")
