# expect: earns nothing
# Sends requests to the grader in the middle of a call: it is to tell the reference and other inputs.
import gc
import time

from autograder.sandbox.protocol.channel import Channel
from autograder.sandbox.protocol.kinds import Call, Get


def ask(*args, **kwargs):
    channels = [o for o in gc.get_objects() if isinstance(o, Channel)]
    for channel in channels:
        try:
            channel.send(Get("reference"))
            channel.send(Call(0, []))
            reply = channel.receive(time.monotonic() + 0.05)
            raise LookupError(str(reply)[:300])
        except LookupError:
            raise
        except Exception:
            pass
    return None


for name in NAMES:
    globals()[name] = ask
