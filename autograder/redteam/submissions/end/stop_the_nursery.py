# expect: earns nothing
# A cell stops the process that it was forked from, so that the grader waits for it.
import os
import signal

os.kill(os.getppid(), signal.SIGSTOP)
