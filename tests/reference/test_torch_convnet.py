"""The module of PyTorch is the network that was written layer by layer."""

import numpy as np
import pytest
import torch

from reference.convnet import convnet_loss, train_convnet
from reference.torch_convnet import TorchConvnet, train_torch_convnet


def pair(x_shape, kernels, classes):
    """Return a module, and its parameters as `convnet` takes them."""
    torch.manual_seed(0)
    net = TorchConvnet(x_shape[1:], kernels, classes).double()
    arrays = [parameter.detach().numpy().copy() for parameter in net.parameters()]
    return net, dict(zip(("w1", "b1", "w2", "b2"), arrays, strict=True)) | {"w2": arrays[2].T}


@pytest.mark.parametrize(
    ("shape", "kernels"), [((5, 2, 6, 4), (4, 3, 5)), ((3, 1, 7, 5), (2, 5, 1))]
)
def test_its_scores_have_the_loss_of_the_layers(shape, kernels):
    rng = np.random.default_rng(0)
    net, params = pair(shape, kernels, 3)
    x, labels = rng.normal(size=shape), rng.integers(3, size=shape[0])
    loss = torch.nn.functional.cross_entropy(net(torch.tensor(x)), torch.tensor(labels))
    assert loss.item() == pytest.approx(convnet_loss(params, x, labels)[0], rel=1e-12)
    loss.backward()
    grads = convnet_loss(params, x, labels)[1]
    np.testing.assert_allclose(net.conv.weight.grad.numpy(), grads["w1"], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(net.linear.weight.grad.T.numpy(), grads["w2"], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("settings", [{}, {"lr": 0.03, "momentum": 0.5, "reg": 0.2}])
def test_its_training_has_the_losses_of_the_layers(settings):
    rng = np.random.default_rng(1)
    net, params = pair((9, 2, 4, 6), (3, 3, 1), 3)
    x, labels = rng.normal(size=(9, 2, 4, 6)), rng.integers(3, size=9)
    batches = [rng.permutation(9)[:4] for _ in range(5)]
    trained, want = train_convnet(params, x, labels, batches, **settings)
    rows = [torch.tensor(batch) for batch in batches]
    got = train_torch_convnet(net, torch.tensor(x), torch.tensor(labels), rows, **settings)
    np.testing.assert_allclose(got, want, rtol=1e-10)
    np.testing.assert_allclose(net.conv.bias.detach().numpy(), trained["b1"], rtol=1e-8)
    np.testing.assert_allclose(net.linear.weight.detach().numpy().T, trained["w2"], rtol=1e-8)
