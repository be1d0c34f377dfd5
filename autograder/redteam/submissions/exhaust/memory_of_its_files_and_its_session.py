# expect: earns nothing; never says "from outside"
# Files fill the memory of all processes, so that the kernel ends the session and not the fork.
import mmap
import os

kept = []
for name in ("/session/one", "/dev/shm/two"):
    try:
        with open(name, "wb") as file:
            for _ in range(500):
                file.write(bytes(1 << 20))
    except OSError:
        pass
# %%
for _ in range(8):
    try:
        block = mmap.mmap(-1, 200 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        for page in range(0, len(block), 4096):
            block[page] = 1
        kept.append(block)
    except (OSError, MemoryError):
        break
# %%
def hungry(*args, **kwargs):
    blocks = []
    while True:
        block = mmap.mmap(-1, 50 << 20, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
        for page in range(0, len(block), 4096):
            block[page] = 1
        blocks.append(block)


for name in NAMES:
    globals()[name] = hungry
