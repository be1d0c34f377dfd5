# expect: earns nothing
# A thread leaves the process at a random moment of the grading.
import os
import random
import threading
import time


def leave():
    time.sleep(random.random() / 50)
    os._exit(0)


def later(*args, **kwargs):
    threading.Thread(target=leave).start()
    time.sleep(0.05)
    return 0.0


for name in NAMES:
    globals()[name] = later
