# expect: earns everything but FIRST
# One function computes in eight processes at once.
import os


def compute(*args, **kwargs):
    for _ in range(3):
        os.fork()
    while True:
        pass


globals()[FIRST] = compute
