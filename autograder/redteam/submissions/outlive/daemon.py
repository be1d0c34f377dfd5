# expect: earns nothing
# A cell leaves a daemon, forked twice in a session of its own, that ignores every signal.
import os
import signal
import time

if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        with open("/proc/self/comm", "w") as file:
            file.write(MARK)
        for number in range(1, 32):
            try:
                signal.signal(number, signal.SIG_IGN)
            except OSError:
                pass
        time.sleep(20)
    os._exit(0)
os.wait()
