# expect: earns nothing; killed
# Closes all descriptors in each call, the grader's channel among them.
import os


def close(*args, **kwargs):
    os.closerange(0, 256)
    return 0.0


for name in NAMES:
    globals()[name] = close
