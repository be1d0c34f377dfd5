# expect: earns nothing
# Puts an object in the place of numpy, for the session's own code too.
# %% first
import sys
from unittest.mock import MagicMock

sys.modules["numpy"] = sys.modules["torch"] = MagicMock()
# %%
from autograder.sandbox.inside import host
from autograder.sandbox.protocol import wire

host.np = wire.np = sys.modules["numpy"]
wire.np.ndarray = wire.np.generic = object
for name in NAMES:
    globals()[name] = MagicMock()
