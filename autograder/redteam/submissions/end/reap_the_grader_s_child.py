# expect: earns nothing
# Ignores the end of children and waits for all of them, so that the session cannot reap its forks.
import os
import signal
import threading

signal.signal(signal.SIGCHLD, signal.SIG_IGN)


def reap():
    while True:
        try:
            os.waitpid(-1, 0)
        except OSError:
            threading.Event().wait(0.01)


os.register_at_fork(before=lambda: threading.Thread(target=reap, daemon=True).start())
