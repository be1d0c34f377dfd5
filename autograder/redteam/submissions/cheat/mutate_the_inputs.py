# expect: earns nothing
# Overwrites its arguments with zeros and answers with them, so that what is compared is the same.
import numpy as np


def overwrite(*args, **kwargs):
    for argument in (*args, *kwargs.values()):
        if isinstance(argument, np.ndarray) and argument.shape:
            argument[...] = 0
        elif hasattr(argument, "zero_"):
            argument.zero_()
    return args[0] if args else None


for name in NAMES:
    globals()[name] = overwrite
