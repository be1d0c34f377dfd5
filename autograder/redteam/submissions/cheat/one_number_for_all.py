# expect: earns nothing
# Answers with a number, or an array of one, which numpy would stretch to any shape.
import itertools

import numpy as np

ANSWERS = itertools.cycle([0.0, np.zeros(1), np.zeros((1, 1)), np.zeros((1, 1, 1)), np.float64(1.0)])
for name in NAMES:
    globals()[name] = lambda *args, **kwargs: next(ANSWERS)
