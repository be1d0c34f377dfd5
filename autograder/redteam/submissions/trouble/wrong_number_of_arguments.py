# expect: earns everything but FIRST; errored
# One function takes no arguments.
globals()[FIRST] = lambda: 0.0
