# expect: earns nothing
# Answers with itself, with the class of an answer and with a function that would answer.
def later(*args, **kwargs):
    return later


for name in NAMES:
    globals()[name] = later
