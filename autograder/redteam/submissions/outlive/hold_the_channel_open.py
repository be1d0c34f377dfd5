# expect: earns nothing
# Leaves, while a child holds the channel open: the grader is not to wait for it.
import os
import time

if os.fork() == 0:
    with open("/proc/self/comm", "w") as file:
        file.write(MARK)
    time.sleep(20)
    os._exit(0)
os._exit(0)
