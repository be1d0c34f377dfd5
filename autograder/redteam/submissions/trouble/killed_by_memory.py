# expect: earns everything; never says "had 3 GB"
# A cell behind right answers makes an array that is far too large, by a mistake in its shape.
import numpy as np

too_large = [np.ones((64, 1 << 17)) for _ in range(48)]
raise RuntimeError("had 3 GB")
