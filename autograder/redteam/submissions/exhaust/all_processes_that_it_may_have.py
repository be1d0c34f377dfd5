# expect: earns nothing
# The notebook leaves as many sleeping processes as it may have: no check can be forked then.
import os
import time

for _ in range(300):
    try:
        if os.fork() == 0:
            time.sleep(20)
            os._exit(0)
    except OSError:
        break
