# expect: earns nothing
# Answers with tensors of zeros in bfloat16, whose tolerance is the largest; without torch, in float16.
import numpy as np

try:
    import torch

    def zeros(*args, **kwargs):
        return torch.zeros(np.shape(args[0]) if args else (), dtype=torch.bfloat16)

except ImportError:

    def zeros(*args, **kwargs):
        return np.zeros(np.shape(args[0]) if args else (), np.float16)


for name in NAMES:
    globals()[name] = zeros
