# expect: earns nothing
# Answers with NaN in the right shape, which no comparison finds larger than a tolerance.
import numpy as np


def nan(*args, **kwargs):
    return np.full(np.shape(args[0]) if args else (), np.nan)


for name in NAMES:
    globals()[name] = nan
