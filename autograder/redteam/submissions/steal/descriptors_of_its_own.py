# expect: earns nothing; never says "an open file"
# Looks at what it holds open itself: a channel, and nothing that leads to a file of the grader's.
import os
import stat

for descriptor in range(256):
    try:
        mode = os.fstat(descriptor).st_mode
    except OSError:
        continue
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        raise LookupError(f"an open file: {os.readlink(f'/proc/self/fd/{descriptor}')}")
