# expect: earns nothing; killed
# Every function leaves the process with success.
import os

for name in NAMES:
    globals()[name] = lambda *args, **kwargs: os._exit(0)
