# expect: earns nothing
# Changes its arguments in place and reports the old ones to the grader, as a lying session can.
import copy

from autograder.sandbox.inside.host import Host

real = Host._arguments
Host._arguments = lambda self, request: copy.deepcopy(real(self, request))


def wrong_in_place(*args, **kwargs):
    for argument in args:
        if hasattr(argument, "flat") and getattr(argument, "ndim", 0):
            argument *= 2
    return args[0] if args else None


for name in NAMES:
    globals()[name] = wrong_in_place
