# expect: earns nothing; killed
# Writes a frame to the channel whose header claims a body of 7 terabytes, or a header of 4 GB.
import gc
import itertools
import struct

from autograder.sandbox.protocol.channel import Channel

LIES = itertools.cycle(
    [
        struct.pack("<II", 10, 1) + struct.pack("<Q", 7 << 40),
        struct.pack("<II", 2**32 - 1, 0),
        struct.pack("<II", 10, 2**32 - 1),
        struct.pack("<II", 10, 4096) + struct.pack("<Q", 2**63) * 4096,
    ]
)


def lie(*args, **kwargs):
    for channel in [o for o in gc.get_objects() if isinstance(o, Channel)]:
        try:
            channel._stream.sendall(next(LIES))
        except OSError:
            pass


for name in NAMES:
    globals()[name] = lie
