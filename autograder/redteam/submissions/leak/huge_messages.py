# expect: earns nothing; errored
# Raises messages of a hundred million characters.
def tell(*args, **kwargs):
    raise ValueError("inputs: " + "x" * 100_000_000)


for name in NAMES:
    globals()[name] = tell
raise ValueError("y" * 100_000_000)
