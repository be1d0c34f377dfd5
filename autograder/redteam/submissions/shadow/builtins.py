# expect: earns nothing
# Replaces builtins that the session's code uses by functions that always agree.
import builtins

builtins.isinstance = lambda *args: True
builtins.len = lambda *args: 0
builtins.all = builtins.any = builtins.callable = lambda *args: True
builtins.type = lambda *args: float
for name in NAMES:
    globals()[name] = lambda *args, **kwargs: "right"
