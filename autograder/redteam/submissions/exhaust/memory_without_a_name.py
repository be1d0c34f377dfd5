# expect: earns everything; never says "had 3 GB"
# Fills files in memory that have no name: a limit on a process's address space does not see them.
import os

hoard = []
for _ in range(200):
    file = os.memfd_create("hoard")
    os.write(file, b"x" * (15 << 20))
    hoard.append(file)
raise RuntimeError("had 3 GB")
