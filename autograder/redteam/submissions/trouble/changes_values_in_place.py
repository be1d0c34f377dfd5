# expect: earns everything
# Below all checks every module that a cell imported loses its names, and numpy some of its own.
import numpy as np

for name in ("array", "asarray", "zeros", "ones", "sum", "dot", "abs", "exp"):
    setattr(np, name, None)
