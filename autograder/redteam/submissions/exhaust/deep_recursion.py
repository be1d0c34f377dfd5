# expect: earns everything but FIRST; errored
# One function calls itself without end.
def deeper(*args, **kwargs):
    return deeper(*args, **kwargs) + 1


globals()[FIRST] = deeper
