# expect: earns nothing
# Sends callbacks when nothing is given, while it is asked to fork, and behind each reply.
import gc

from autograder.sandbox.inside import worker
from autograder.sandbox.protocol.channel import Channel
from autograder.sandbox.protocol.kinds import Callback, Give, Value

real = worker._fork


def call_back():
    for channel in [o for o in gc.get_objects() if isinstance(o, Channel)]:
        for message in (Callback(NAMES[0], ["passed"]), Give([NAMES[0]]), Value("passed")):
            try:
                channel.send(message)
            except Exception:
                pass


def fork(*args, **kwargs):
    call_back()
    return real(*args, **kwargs)


def answer(*args, **kwargs):
    call_back()
    return 0.0


worker._fork = fork
for name in NAMES:
    globals()[name] = answer
