# expect: earns nothing
# A daemon waits for the gradebook to be written and gives itself full points; here it only signs it.
import os
import time

if os.fork() == 0:
    os.setsid()
    with open("/proc/self/comm", "w") as file:
        file.write(MARK)
    until = time.monotonic() + 20
    while time.monotonic() < until:
        for target in (COURSE, f"{COURSE}/results/{ASSIGNMENT}", f"{COURSE}/submitted/{HONEST}"):
            try:
                with open(f"{target}/{MARK}", "w") as file:
                    file.write("full points")
            except OSError:
                pass
        time.sleep(0.02)
    os._exit(0)
time.sleep(0.1)
