# expect: earns nothing
# Connects to a port of this machine and tells what it knows.
import socket


def tell(*args, **kwargs):
    with socket.create_connection(("127.0.0.1", TCP), 0.2) as stream:
        stream.sendall(MARK.encode())


for name in NAMES:
    globals()[name] = tell
tell()
