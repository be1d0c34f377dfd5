# expect: earns nothing
# Queues replies in the channel before anything was asked, so that each call finds one waiting.
import gc

import numpy as np

from autograder.sandbox.protocol.channel import Channel
from autograder.sandbox.protocol.kinds import Value
from autograder.sandbox.protocol.wire import Packer


def queue(*args, **kwargs):
    packer = Packer(None)
    value = Value(packer.pack(args[0] if args else 0.0)).with_bodies(packer.bodies)
    for channel in [o for o in gc.get_objects() if isinstance(o, Channel)]:
        for _ in range(50):
            try:
                channel.send(value)
            except Exception:
                break
    return np.zeros(3)


for name in NAMES:
    globals()[name] = queue
