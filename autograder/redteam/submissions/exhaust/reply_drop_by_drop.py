# expect: earns nothing; timed_out
# Sends its reply one byte at a time, each of them in time.
import gc
import struct
import time

from autograder.sandbox.protocol.channel import Channel


def drip(*args, **kwargs):
    for channel in [o for o in gc.get_objects() if isinstance(o, Channel)]:
        try:
            channel._stream.send(struct.pack("<II", 1 << 20, 0))
            while True:
                channel._stream.send(b"x")
                time.sleep(0.02)
        except OSError:
            pass


for name in NAMES:
    globals()[name] = drip
