# expect: earns nothing
# Every call forks: parent and child both answer, one after the other.
import os


def fork(*args, **kwargs):
    os.fork()
    return 0.0


for name in NAMES:
    globals()[name] = fork
