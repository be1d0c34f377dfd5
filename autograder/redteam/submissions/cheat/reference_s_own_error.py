# expect: earns nothing
# Raises what a check might take for its own mistake: AssertionError, CheckFailure, TypeError.
import itertools

from autograder.errors import CheckFailure

KINDS = itertools.cycle([AssertionError, CheckFailure, TypeError, AttributeError, MemoryError])


def fail(*args, **kwargs):
    raise next(KINDS)("")


for name in NAMES:
    globals()[name] = fail
