# expect: earns nothing; killed
# Sends MessagePack extension types, timestamps and unknown fields, of which some readers make objects.
import gc
import itertools
import struct

import msgspec

from autograder.sandbox.protocol.channel import Channel

ANSWERS = itertools.cycle(
    [
        msgspec.msgpack.encode({"kind": "value", "value": msgspec.msgpack.Ext(5, b"x")}),
        msgspec.msgpack.encode({"kind": "value", "value": {"type": "pickle", "data": b"x"}}),
        msgspec.msgpack.encode({"kind": "value", "value": None, "verdict": "passed"}),
        msgspec.msgpack.encode({"kind": "value", "value": None, "bodies": [b"x"]}),
        msgspec.msgpack.encode(["value"]),
        b"\xc1",
        b"",
    ]
)


def answer(*args, **kwargs):
    header = next(ANSWERS)
    for channel in [o for o in gc.get_objects() if isinstance(o, Channel)]:
        try:
            channel._stream.sendall(struct.pack("<II", len(header), 0) + header)
        except OSError:
            pass


for name in NAMES:
    globals()[name] = answer
