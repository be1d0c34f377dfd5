# expect: earns nothing
# Twenty-one daemons, each of which starts another one every few milliseconds.
import os
import time

for _ in range(21):
    if os.fork() == 0:
        os.setsid()
        with open("/proc/self/comm", "w") as file:
            file.write(MARK)
        until = time.monotonic() + 20
        while time.monotonic() < until:
            time.sleep(0.005)
            try:
                if os.fork():
                    os._exit(0)
            except OSError:
                pass
        os._exit(0)
