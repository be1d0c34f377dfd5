# expect: earns nothing
# Answers with a subclass of a tensor that answers every torch function itself; without torch, zeros.
import numpy as np

try:
    import torch

    class Sly(torch.Tensor):
        @classmethod
        def __torch_function__(cls, function, types, args=(), kwargs=None):
            if "equal" in str(function) or "close" in str(function):
                return True
            return torch.Tensor.__torch_function__.__func__(cls, function, types, args, kwargs or {})

        def detach(self):
            return self

        def numpy(self):
            return np.zeros(3)

    def sly(*args, **kwargs):
        return torch.zeros(3).as_subclass(Sly)

except ImportError:

    def sly(*args, **kwargs):
        return np.zeros(3)


for name in NAMES:
    globals()[name] = sly
