# expect: earns nothing; never says "1000 threads"
# Starts threads until it is stopped, and leaves them.
import threading

for _ in range(1000):
    threading.Thread(target=threading.Event().wait, daemon=True).start()
raise RuntimeError("1000 threads")
