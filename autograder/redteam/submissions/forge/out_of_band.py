# expect: earns nothing
# Sends urgent bytes, out of band, before and after its replies, and shuts one direction down.
import gc
import socket

from autograder.sandbox.protocol.channel import Channel


def answer(*args, **kwargs):
    for channel in [o for o in gc.get_objects() if isinstance(o, Channel)]:
        try:
            channel._stream.send(b"!", socket.MSG_OOB)
            channel._stream.send(b"?", socket.MSG_OOB)
        except OSError:
            pass
    return 0.0


for name in NAMES:
    globals()[name] = answer
