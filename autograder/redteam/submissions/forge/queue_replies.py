# expect: earns nothing
# Queues replies in the channel before anything was asked, so that each call finds one waiting.
import gc

import numpy as np

from autograder.sandbox.channel import Channel
from autograder.sandbox.wire import Message, Packer


def queue(*args, **kwargs):
    packer = Packer(None)
    values = [packer.pack(args[0] if args else 0.0)]
    for channel in [o for o in gc.get_objects() if isinstance(o, Channel)]:
        for _ in range(50):
            try:
                channel.send(Message("value", values=values, bodies=packer.bodies))
            except Exception:
                break
    return np.zeros(3)


for name in NAMES:
    globals()[name] = queue
