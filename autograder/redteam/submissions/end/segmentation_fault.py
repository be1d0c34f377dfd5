# expect: earns everything but FIRST; killed
# One function reads at address 0.
import ctypes


def crash(*args, **kwargs):
    return ctypes.string_at(0)


globals()[FIRST] = crash
