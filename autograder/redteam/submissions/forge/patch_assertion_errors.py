# expect: earns nothing
# Replaces AssertionError and CheckFailure by something that nobody raises or catches.
import builtins

import autograder.errors


class Quiet(BaseException):
    def __init__(self, *args):
        pass

    def __new__(cls, *args):
        return None


builtins.AssertionError = Quiet
autograder.errors.CheckFailure = Quiet
autograder.errors.StudentError = Quiet
for name in NAMES:
    globals()[name] = lambda *args, **kwargs: 0.0
