# expect: earns everything but FIRST; errored; says "is not defined in the notebook"
# One function has another name.
globals()[FIRST + "_2"] = globals().pop(FIRST)
