# expect: earns everything
# A thread of a library is alive, so that nothing can be forked, and the names are used again.
import threading
import time

threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
# %%
for name in [n for n, v in list(globals().items()) if getattr(v, "__module__", "") == "__main__"]:
    globals()[name] = None
