"""Probe of a convolutional network in PyTorch: its scores, and what its training comes to."""

import numpy as np
import torch


def run_torch_convnet(notebook, params, x, labels, batches, settings):
    """Return the scores of a TorchConvnet with given parameters, and what its training comes to."""
    w1, w2 = params["w1"], params["w2"]
    kernels = w1.shape[0], w1.shape[2], w1.shape[3]
    net = notebook.TorchConvnet(x.shape[1:], kernels, w2.shape[1])
    own = net.conv.weight, net.conv.bias, net.linear.weight, net.linear.bias
    given = w1, params["b1"], np.ascontiguousarray(w2.T), params["b2"]
    for parameter, value in zip(own, given, strict=True):
        if parameter.shape != value.shape:
            raise ValueError(
                f"a parameter has the shape {tuple(parameter.shape)}, expected {value.shape}"
            )
        parameter.data = torch.tensor(value)
    images, found = torch.tensor(x), {}
    found["scores"] = net(images).detach().numpy()
    if batches:
        rows = [torch.tensor(batch) for batch in batches]
        losses = notebook.train_torch_convnet(net, images, torch.tensor(labels), rows, **settings)
        w1, b1, w2, b2 = (parameter.detach().numpy() for parameter in own)
        found["losses"] = [float(loss) for loss in losses]
        found["params"] = {"w1": w1, "b1": b1, "w2": w2.T, "b2": b2}
    return found
