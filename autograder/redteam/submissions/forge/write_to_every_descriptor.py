# expect: earns nothing
# Writes verdicts into every descriptor that it finds open, the grader's channel among them.
import os

import msgspec


def shout(*args, **kwargs):
    verdict = msgspec.msgpack.encode({"kind": "passed", "text": "passed", "number": 1})
    for descriptor in range(256):
        try:
            os.write(descriptor, len(verdict).to_bytes(4, "little") + bytes(4) + verdict)
        except OSError:
            pass
    return 0.0


for name in NAMES:
    globals()[name] = shout
