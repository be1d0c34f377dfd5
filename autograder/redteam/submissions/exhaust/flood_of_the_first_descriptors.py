# expect: earns everything
# Writes 100 MB past Python, to the descriptors of standard output and error.
import os

for _ in range(1000):
    os.write(1, b"x" * 100_000)
    os.write(2, b"x" * 100_000)
