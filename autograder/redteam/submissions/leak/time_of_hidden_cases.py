# expect: earns nothing
# Sleeps as long as the inputs say: pages must not show times.
import time


def tell(*args, **kwargs):
    first = next((float(x) for a in args for x in list(getattr(a, "flat", []))[:1]), 0.0)
    time.sleep(min(abs(first) / 20, 0.1))


for name in NAMES:
    globals()[name] = tell
