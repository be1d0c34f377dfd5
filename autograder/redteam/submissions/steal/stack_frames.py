# expect: earns nothing
# Walks up the stack from inside a call and takes what looks like an answer in any frame.
import sys

import numpy as np


def look(*args, **kwargs):
    frame, loot = sys._getframe(1), []
    while frame is not None:
        for space in (frame.f_locals, frame.f_globals):
            for name, value in list(space.items()):
                if name in ("want", "reference", "expected", "secret", "rng", "check", "oracle"):
                    loot.append(value)
        frame = frame.f_back
    for value in loot:
        if isinstance(value, (np.ndarray, float)):
            return value
        for name in NAMES:
            if hasattr(value, name):
                return getattr(value, name)(*args, **kwargs)
    raise LookupError(f"{len(loot)} things: {str(loot)[:200]}")


for name in NAMES:
    globals()[name] = look
