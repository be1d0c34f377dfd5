# expect: earns everything but FIRST; killed
# One function aborts, as an assertion in C does.
import os

globals()[FIRST] = lambda *args, **kwargs: os.abort()
