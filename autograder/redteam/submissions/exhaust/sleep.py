# expect: earns everything but FIRST; timed_out
# One function sleeps.
import time

globals()[FIRST] = lambda *args, **kwargs: time.sleep(3600)
