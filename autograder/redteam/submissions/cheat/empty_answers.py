# expect: earns nothing
# Answers with empty arrays, lists, texts and dicts: of nothing, everything is true.
import itertools

import numpy as np

EMPTY = itertools.cycle([np.zeros(0), np.zeros((0, 3)), [], (), {}, "", b"", None, np.zeros((3, 0))])
for name in NAMES:
    globals()[name] = lambda *args, **kwargs: next(EMPTY)
