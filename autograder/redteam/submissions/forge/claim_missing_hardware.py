# expect: earns nothing
# Raises the grader's own exceptions, in the hope that a case is pending, skipped or broken.
import itertools

from autograder import errors

KINDS = itertools.cycle(
    [errors.HarnessError, errors.WireError, errors.UnsendableArgument, errors.UnsafeHere]
)


def excuse(*args, **kwargs):
    raise next(KINDS)("needs a GPU")


for name in NAMES:
    globals()[name] = excuse
