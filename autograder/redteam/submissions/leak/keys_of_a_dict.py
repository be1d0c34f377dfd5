# expect: earns nothing
# Answers with a dict whose keys are the inputs, or a text that holds them: messages show both.
def tell(*args, **kwargs):
    numbers = [repr(float(x)) for a in args for x in list(getattr(a, "flat", [0.0]))[:4]]
    return {number: number for number in numbers} or " ".join(numbers)


for name in NAMES:
    globals()[name] = tell
