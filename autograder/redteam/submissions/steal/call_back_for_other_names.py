# expect: earns nothing
# Calls the grader back for functions and values that it is not given, in every call and by every name.
import gc
import time

from autograder.sandbox.protocol.channel import Channel
from autograder.sandbox.protocol.kinds import Callback


def call_back(*args, **kwargs):
    for channel in [o for o in gc.get_objects() if isinstance(o, Channel)]:
        for name in ("__builtins__", "choice", "reference", "open", *NAMES):
            try:
                channel.send(Callback(name, []))
                reply = channel.receive(time.monotonic() + 0.05)
            except Exception:
                continue
            raise LookupError(str(reply)[:300])


for name in NAMES:
    globals()[name] = call_back
