import numpy as np
import torch

from autograder import alternative, mistake


@mistake("a true convolution: the filters are flipped")
def _(x, weight, bias, stride=1, padding=0):
    flipped = torch.tensor(weight[:, :, ::-1, ::-1].copy())
    out = torch.conv2d(torch.tensor(x), flipped, torch.tensor(bias), stride, padding)
    return out.numpy()


@mistake("the bias is forgotten")
def _(x, weight, bias, stride=1, padding=0):
    return torch.conv2d(torch.tensor(x), torch.tensor(weight), None, stride, padding).numpy()


@mistake("the stride is not used")
def _(x, weight, bias, stride=1, padding=0):
    out = torch.conv2d(torch.tensor(x), torch.tensor(weight), torch.tensor(bias), 1, padding)
    return out.numpy()


@alternative("a loop over everything")
def _(x, weight, bias, stride=1, padding=0):
    n, c, h, w = x.shape
    f, _, kh, kw = weight.shape
    padded = np.zeros((n, c, h + 2 * padding, w + 2 * padding))
    padded[:, :, padding : padding + h, padding : padding + w] = x
    oh, ow = (h + 2 * padding - kh) // stride + 1, (w + 2 * padding - kw) // stride + 1
    out = np.zeros((n, f, oh, ow))
    for image in range(n):
        for k in range(f):
            for i in range(oh):
                for j in range(ow):
                    top, left = i * stride, j * stride
                    window = padded[image, :, top : top + kh, left : left + kw]
                    out[image, k, i, j] = np.sum(window * weight[k]) + bias[k]
    return out


@alternative("torch's own")
def _(x, weight, bias, stride=1, padding=0):
    tensors = [torch.tensor(a) for a in (x, weight, bias)]
    return torch.conv2d(*tensors, stride, padding).numpy()
