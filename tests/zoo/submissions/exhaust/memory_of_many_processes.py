# expect: earns everything; never says "had 3 GB"
# Twenty-four processes take a little memory each, and much together.
import os
import time

readers = []
for _ in range(24):
    reader, writer = os.pipe()
    readers.append(reader)
    if os.fork() == 0:
        hoard = bytearray(b"x") * (128 << 20)
        os.write(writer, b"x")
        time.sleep(20)
        os._exit(0)
    os.close(writer)
if all(os.read(reader, 1) for reader in readers):
    raise RuntimeError("had 3 GB")
