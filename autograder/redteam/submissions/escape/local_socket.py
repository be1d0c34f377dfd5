# expect: earns nothing
# Connects to a local socket by its path.
import socket

with socket.socket(socket.AF_UNIX) as stream:
    stream.connect(SOCKET)
    stream.sendall(MARK.encode())
