# expect: earns everything but FIRST; timed_out
# One function counts in C, where no signal of Python's is looked at.
import itertools
from collections import deque

globals()[FIRST] = lambda *args, **kwargs: deque(itertools.repeat(0), maxlen=0)
