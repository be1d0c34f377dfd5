# expect: earns everything; never says "had 3 GB"
# A cell behind right answers takes memory and touches every page of it.
hoard = []
for _ in range(48):
    hoard.append(bytearray(b"x") * (64 << 20))
raise RuntimeError("had 3 GB")
