# expect: earns nothing
# The process of a check kills the session that it was forked from.
import os


def kill(*args, **kwargs):
    os.kill(os.getppid(), 9)
    return 0.0


for name in NAMES:
    globals()[name] = kill
