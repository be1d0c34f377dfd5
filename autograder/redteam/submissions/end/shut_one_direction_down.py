# expect: earns nothing; killed
# Shuts down the direction in which it answers, and goes on reading.
import gc
import socket

from autograder.sandbox.protocol.channel import Channel


def answer(*args, **kwargs):
    for channel in [o for o in gc.get_objects() if isinstance(o, Channel)]:
        try:
            channel._stream.shutdown(socket.SHUT_WR)
        except OSError:
            pass
    return 0.0


for name in NAMES:
    globals()[name] = answer
