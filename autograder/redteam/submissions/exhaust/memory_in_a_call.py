# expect: earns everything but FIRST; never says "had 3 GB"
# One function takes memory and touches every page of it.
def hoard(*args, **kwargs):
    kept = []
    for _ in range(48):
        kept.append(bytearray(b"x") * (64 << 20))
    raise RuntimeError("had 3 GB")


globals()[FIRST] = hoard
