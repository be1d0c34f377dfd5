# expect: earns nothing
# Sends a datagram to a port of this machine.
import socket


def tell(*args, **kwargs):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stream:
        stream.sendto(MARK.encode(), ("127.0.0.1", UDP))


for name in NAMES:
    globals()[name] = tell
tell()
