# expect: earns nothing
# The notebook's own process learns the hidden inputs, then lets itself be asked about visible cases.
import threading

# A thread: the session cannot be forked, so that one process sees many cases.
threading.Thread(target=threading.Event().wait, daemon=True).start()
known = []


def tell(*args, **kwargs):
    known.extend(repr(float(x)) for a in args for x in list(getattr(a, "flat", [0.0]))[:2])
    raise ValueError(" ".join(known)[-500:])


for name in NAMES:
    globals()[name] = tell
