# expect: earns everything but FIRST; killed
# One function sends itself SIGKILL.
import os
import signal


def kill(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)


globals()[FIRST] = kill
