# expect: earns nothing
# Registers functions that write a fake result and loop for ever when the interpreter ends.
import atexit
import json
import os
import threading
import time


def at_the_end():
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, json.dumps({"earned": 100}).encode())
        except OSError:
            pass
    time.sleep(60)


atexit.register(at_the_end)
threading._register_atexit(at_the_end)
for name in NAMES:
    globals()[name] = lambda *args, **kwargs: (at_the_end, os.kill(os.getpid(), 15))
