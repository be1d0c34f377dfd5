# expect: earns everything but FIRST; timed_out
# One function ignores and blocks every signal, then loops.
import signal


def deaf(*args, **kwargs):
    for number in signal.valid_signals():
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    while True:
        pass


globals()[FIRST] = deaf
