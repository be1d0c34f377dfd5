# expect: earns nothing
# Answers with arrays whose shapes spell the digits of the inputs.
import numpy as np


def tell(*args, **kwargs):
    first = next((float(x) for a in args for x in list(getattr(a, "flat", []))[:1]), 0.0)
    digits = [int(c) for c in repr(abs(first)) if c.isdigit()][:7]
    return np.zeros([d + 1 for d in digits])


for name in NAMES:
    globals()[name] = tell
