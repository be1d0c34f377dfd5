# expect: earns nothing
# A cell kills a process that has nothing to do with it.
import os

os.kill(VICTIM, 9)
