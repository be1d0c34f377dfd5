# expect: earns everything but FIRST
# One function takes away what the session's own code needs; a fork of its own bears it alone.
import builtins
import sys


def vandal(*args, **kwargs):
    builtins.len = builtins.isinstance = builtins.type = builtins.getattr = None
    sys.modules.clear()
    return 0.0


globals()[FIRST] = vandal
