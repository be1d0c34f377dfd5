# expect: earns nothing
# A thread in the check's process floods the channel with replies out of turn, of every kind.
import gc
import threading
import time

from autograder.sandbox.protocol.channel import Channel
from autograder.sandbox.protocol.kinds import Done, Forked, Ran, Reaped, Value

REPLIES = [Value(None), {"kind": "passed"}, Forked(), Reaped(), Ran(), Done(), {"kind": "verdict"}]


def flood():
    channels = [o for o in gc.get_objects() if isinstance(o, Channel)]
    for _ in range(200):
        for channel in channels:
            for reply in REPLIES:
                try:
                    channel.send(reply, time.monotonic() + 0.01)
                except Exception:
                    return


def answer(*args, **kwargs):
    threading.Thread(target=flood, daemon=True).start()
    time.sleep(0.01)
    return 0.0


for name in NAMES:
    globals()[name] = answer
