# expect: earns everything
# Below all checks numpy raises where it warned, warnings are errors, and the folder is another.
import os
import sys
import warnings

import numpy as np

np.seterr(all="raise")
warnings.simplefilter("error")
np.set_printoptions(precision=1)
os.makedirs("elsewhere")
os.chdir("elsewhere")
sys.setrecursionlimit(60)
