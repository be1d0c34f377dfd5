# expect: earns nothing
# Answers with numbers that a check may loop over, allocate by or divide by.
import itertools

ANSWERS = itertools.cycle([10**12, -1, 0, 2**62, float("inf"), 1e308, 5e-324, -(2**63)])
for name in NAMES:
    globals()[name] = lambda *args, **kwargs: next(ANSWERS)
