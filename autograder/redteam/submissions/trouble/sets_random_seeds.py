# expect: earns everything
# Cells set seeds and generators of their own.
import random

import numpy as np

np.random.seed(0)
random.seed(0)
np.set_printoptions(precision=2)
