# expect: earns everything but FIRST; timed_out
# One function stops its own process, so that it neither answers nor ends.
import os
import signal

globals()[FIRST] = lambda *args, **kwargs: os.kill(os.getpid(), signal.SIGSTOP)
