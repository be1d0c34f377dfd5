# expect: earns everything but FIRST; failed
# One function computes and returns nothing.
globals()[FIRST] = lambda *args, **kwargs: None
