# expect: earns everything; never says "had 3 GB"
# Twenty-four processes take a little memory each, and much together.
import os
import time

children = {}
for _ in range(24):
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        hoard = bytearray(b"x") * (128 << 20)
        os.write(writer, b"x")
        time.sleep(20)
        os._exit(0)
    children[child] = reader
    os.close(writer)
full = [os.read(reader, 1) for reader in children.values()]
if all(full) and all(os.waitpid(child, os.WNOHANG) == (0, 0) for child in children):
    raise RuntimeError("had 3 GB")
