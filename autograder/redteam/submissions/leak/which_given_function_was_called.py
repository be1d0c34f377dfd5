# expect: earns everything
# Right only with what is given; which of the given functions it calls spells bits of a hidden input.
own = {name: globals()[name] for names in GIVEN.values() for name in names}
called = []


def noted(name):
    def call(*args, **kwargs):
        called.append((name, args, kwargs))
        return own[name](*args, **kwargs)

    return call


def tell(name):
    right = globals()[name]

    def call(*args, **kwargs):
        given = {n: globals()[n] for n in GIVEN[name]}
        called.clear()
        globals().update({n: noted(n) for n in given})
        try:
            answer = right(*args, **kwargs)
        finally:
            globals().update(given)
        ready = [c for c in called if c[0] in given]
        if ready and all(given[n] is mine[n] for n in given):
            raise ValueError("not yet")
        first = next((float(x) for a in args for x in list(getattr(a, "flat", []))[:1]), 0.0)
        names = sorted({n for n, *_ in ready})
        bits = int(abs(first) * 1e6) % (1 << len(names)) or 1
        chosen = [n for i, n in enumerate(names) if bits >> i & 1]
        for n, some, more in ready:
            if n in chosen and given[n] is not mine[n]:
                given[n](*some, **more)
        return answer

    return call


globals().update({name: tell(name) for name in GIVEN if name in globals()})
mine = {name: globals()[name] for name in own}
