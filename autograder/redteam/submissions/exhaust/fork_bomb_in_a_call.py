# expect: earns everything but FIRST; never says "300 processes"
# One function forks until it is stopped.
import os
import time


def bomb(*args, **kwargs):
    for _ in range(300):
        if os.fork() == 0:
            time.sleep(20)
            os._exit(0)
    raise RuntimeError("300 processes")


globals()[FIRST] = bomb
