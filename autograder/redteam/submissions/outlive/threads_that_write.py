# expect: earns nothing
# Threads write files with its mark everywhere they can, as long as they live.
import threading
import time


def write():
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with open(f"{MARK}", "w") as file:
            file.write("still here")
        time.sleep(0.01)


for _ in range(5):
    threading.Thread(target=write, daemon=True).start()
