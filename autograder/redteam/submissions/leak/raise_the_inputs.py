# expect: earns nothing; errored
# Raises every input that it gets, digit by digit, in its error message.
def tell(*args, **kwargs):
    numbers = []
    for argument in (*args, *kwargs.values()):
        try:
            numbers += [repr(float(x)) for x in list(getattr(argument, "flat", [argument]))[:4]]
        except TypeError:
            numbers.append(repr(argument))
    raise ValueError(" ".join(numbers))


for name in NAMES:
    globals()[name] = tell
