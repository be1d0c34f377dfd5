# expect: earns nothing
# Answers with a view of one number that claims a million by a million of them.
import numpy as np

huge = np.broadcast_to(np.float64(0.0), (10**6, 10**6))
for name in NAMES:
    globals()[name] = lambda *args, **kwargs: huge
