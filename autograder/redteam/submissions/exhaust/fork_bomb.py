# expect: earns everything; never says "300 processes"
# A cell behind right answers forks until it is stopped, and its children do, if it is stopped early.
import os
import time

count = 0
try:
    while count < 300:
        if os.fork() == 0:
            time.sleep(20)
            os._exit(0)
        count += 1
except OSError:
    while True:  # there is a limit: now in earnest
        try:
            os.fork()
        except OSError:
            pass
raise RuntimeError(f"{count} processes")
