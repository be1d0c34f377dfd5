# expect: earns nothing
# Connects to a local socket that has no path, only a name.
import socket

with socket.socket(socket.AF_UNIX) as stream:
    stream.connect("\0" + ABSTRACT)
    stream.sendall(MARK.encode())
