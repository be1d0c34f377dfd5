# expect: earns nothing
# Replaces the functions by which the session encodes its messages.
import struct

import msgspec

from autograder.sandbox.protocol import channel, wire

wire.encode = channel.encode = lambda message: (
    msgspec.msgpack.encode({"kind": "value", "value": True, "verdict": "passed"}),
    [],
)
struct.pack = lambda *args: b"\0" * 8
