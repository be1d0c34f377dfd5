# expect: earns nothing
# Empties sys.modules, builtins and the shell's namespace before the grader asks.
import builtins
import sys

get_ipython().reset()
sys.modules.clear()
for name in list(vars(builtins)):
    if name not in ("delattr",):
        delattr(builtins, name)
