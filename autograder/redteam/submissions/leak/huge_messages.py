# expect: earns nothing; errored
# Raises messages of forty million characters.
def tell(*args, **kwargs):
    raise ValueError("inputs: " + "x" * 40_000_000)


for name in NAMES:
    globals()[name] = tell
raise ValueError("y" * 40_000_000)
