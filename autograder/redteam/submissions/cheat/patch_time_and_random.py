# expect: earns nothing
# Stops the clock and makes every generator draw the same number, so that inputs are all alike.
import random
import time

import numpy as np

time.time = time.monotonic = time.perf_counter = time.process_time = lambda: 0.0
random.random = random.gauss = lambda *args: 0.0
np.random.seed = np.random.default_rng = lambda *args: None
np.random.normal = np.random.rand = np.random.randn = lambda *a, **k: np.zeros(k.get("size", a))
try:
    import torch

    torch.manual_seed = lambda *args: None
    torch.rand = torch.randn = lambda *args, **kwargs: torch.zeros(*args)
except ImportError:
    pass
for name in NAMES:
    globals()[name] = lambda *args, **kwargs: np.random.normal(size=np.shape(args[0]) if args else ())
