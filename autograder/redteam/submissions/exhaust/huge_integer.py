# expect: earns nothing
# Answers with integers of many digits, which take long to print, to compare and to convert.
import itertools

ANSWERS = itertools.cycle([10**5000, -(10**15_000), 10**100_000, 1 << 65_000, 2**63, -(2**63) - 1])
for name in NAMES:
    globals()[name] = lambda *args, **kwargs: next(ANSWERS)
