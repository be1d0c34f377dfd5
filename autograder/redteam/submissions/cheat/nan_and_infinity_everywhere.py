# expect: earns nothing
# Answers with infinities, signed zeros, complex NaN and NaN as Python numbers, in lists and alone.
import itertools

import numpy as np

ANSWERS = itertools.cycle(
    [float("nan"), [float("inf")] * 3, complex("nan"), -0.0, np.float64("nan"), {"nan": np.nan}]
)
for name in NAMES:
    globals()[name] = lambda *args, **kwargs: next(ANSWERS)
