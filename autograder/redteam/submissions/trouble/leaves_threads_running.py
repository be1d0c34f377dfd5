# expect: earns everything
# A cell leaves a thread that watches the training for ever.
import threading
import time


def watch():
    while True:
        time.sleep(0.05)


threading.Thread(target=watch, daemon=True).start()
