# expect: earns nothing
# A cell kills the process that it was forked from.
import os

os.kill(os.getppid(), 9)
