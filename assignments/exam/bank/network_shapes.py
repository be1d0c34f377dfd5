import torch

from autograder import alternative, mistake

mistake("the skip connection is added, not concatenated", shape_joined=(10, 16, 32, 32))
mistake("joined along height: channels are concatenated", shape_joined=(10, 16, 64, 32))
mistake("joined before it is brought to the size of layer a", shape_joined=(10, 24, 16, 16))
mistake("only what comes from up", shape_joined=(10, 8, 32, 32))
mistake("one filter for each channel of the input", shape_f=(10, 24, 32, 32))
mistake("layer d halves once more: its stride is 1", shape_d=(10, 16, 4, 4))
mistake("the padding of layer b is left out", shape_b=(10, 32, 15, 15))
mistake("halved once in place of twice", shape_c=(10, 128, 16, 16), shape_d=(10, 16, 16, 16))
mistake("stride 2 taken for 1 on the way up", shape_e=(10, 8, 9, 9))
mistake("the batch is dropped, one image is followed", shape_a=(1, 16, 32, 32))
mistake("the batch is left out", shape_a=(16, 32, 32))


def shapes_by_torch():
    """Return the shapes of the network's tensors."""
    conv, up = torch.nn.Conv2d, torch.nn.Upsample(scale_factor=2)
    a = conv(1, 16, 3, 1, 1)(torch.zeros(10, 1, 32, 32))
    b = conv(16, 32, 3, 2, 1)(a)
    c = conv(32, 128, 3, 2, 1)(b)
    d = conv(128, 16, 3, 1, 1)(c)
    e = torch.nn.ConvTranspose2d(16, 8, 2, 2)(d)
    joined = torch.cat([a, up(e)], 1)
    f = conv(24, 1, 3, 1, 1)(joined)
    tensors = {"a": a, "b": b, "c": c, "d": d, "e": e, "joined": joined, "f": f}
    return {f"shape_{name}": tuple(tensor.shape) for name, tensor in tensors.items()}


alternative("read off the tensors", **shapes_by_torch())
alternative("lists", shape_a=[10, 16, 32, 32])
