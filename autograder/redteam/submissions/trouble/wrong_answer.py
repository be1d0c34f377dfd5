# expect: earns everything but FIRST; failed
# One function answers with something else.
globals()[FIRST] = lambda *args, **kwargs: "forty-two"
