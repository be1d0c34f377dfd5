# expect: earns nothing
# Answers with an array that is larger than a message may be.
import numpy as np

for name in NAMES:
    globals()[name] = lambda *args, **kwargs: np.zeros((300, 1 << 20), np.uint8)
