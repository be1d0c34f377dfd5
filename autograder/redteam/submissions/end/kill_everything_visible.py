# expect: earns nothing
# Signals all processes that it may; where it might reach others, it only kills the one shown to it.
import os
import signal


def kill_all():
    try:
        os.kill(VICTIM, 0)
    except OSError:  # it is out of reach, and so is everything else on this machine
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.kill(-1, signal.SIGTERM)
        os.kill(-1, signal.SIGKILL)
    else:
        os.kill(VICTIM, 9)


for name in NAMES:
    globals()[name] = lambda *args, **kwargs: kill_all()
kill_all()
