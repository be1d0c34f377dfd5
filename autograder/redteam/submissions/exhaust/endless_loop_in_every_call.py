# expect: earns nothing; timed_out
# Every function loops for ever.
def loop(*args, **kwargs):
    while True:
        pass


for name in NAMES:
    globals()[name] = loop
