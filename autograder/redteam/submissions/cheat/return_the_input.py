# expect: earns nothing
# Answers with the first argument, or with all of them.
def echo(*args, **kwargs):
    return args[0] if len(args) == 1 else args[:2]


for name in NAMES:
    globals()[name] = echo
