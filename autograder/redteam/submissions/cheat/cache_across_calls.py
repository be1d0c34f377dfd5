# expect: earns nothing
# Answers each call with what an earlier call got or a later one might want.
cache = {}


def remember(*args, **kwargs):
    key = str([getattr(a, "shape", a) for a in args])
    return cache.setdefault(key, args[0] if args else None)


for name in NAMES:
    globals()[name] = remember
