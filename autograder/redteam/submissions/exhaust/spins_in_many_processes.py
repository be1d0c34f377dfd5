# expect: earns nothing
# Each call starts as many processes as it may, and all of them spin.
import os


def spin(*args, **kwargs):
    try:
        while True:
            if os.fork() == 0:
                os.setsid()
                while True:
                    pass
    except OSError:
        while True:
            pass


for name in NAMES:
    globals()[name] = spin
