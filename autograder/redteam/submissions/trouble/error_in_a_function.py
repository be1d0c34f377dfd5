# expect: earns everything but FIRST; errored
# One function raises an error.
def fail(*args, **kwargs):
    return {}["no such key"]


globals()[FIRST] = fail
