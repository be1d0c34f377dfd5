# expect: earns nothing; errored
# Answers with lists and dicts of millions of numbers, and thousands of arrays.
import itertools

import numpy as np

ANSWERS = itertools.cycle(
    [
        [0.0] * 5_000_000,
        {str(number): number for number in range(500_000)},
        [np.zeros(1)] * 50_000,
        range(10**9),
        "x" * 50_000_000,
        b"x" * 50_000_000,
    ]
)
for name in NAMES:
    globals()[name] = lambda *args, **kwargs: next(ANSWERS)
