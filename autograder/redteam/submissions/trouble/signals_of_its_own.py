# expect: earns everything
# A cell sets alarms and handlers, as a time limit of its own.
import signal

signal.signal(signal.SIGALRM, lambda *args: None)
signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
