# expect: earns everything
# Functions and a network are compiled by torch, where torch is.
try:
    import torch
except ImportError:
    torch = None
# %%
if torch is not None:

    @torch.compile(fullgraph=True, mode="max-autotune")
    def double(x):
        return 2 * x

    layer = torch.compile(torch.nn.Linear(2, 1))
    assert double(torch.ones(2)).tolist() == [2, 2]
    assert layer(torch.ones(1, 2)).shape == (1, 1)
