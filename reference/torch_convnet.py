"""The small convolutional network once more, as a module of PyTorch.

It is the network of `convnet`: convolution, ReLU, max pooling, affine layer; its training is the
same, too. PyTorch brings the layers and their way back.

Sources: LeCun et al., "Gradient-Based Learning Applied to Document Recognition", 1998, for networks
of this kind; Paszke et al., "PyTorch: An Imperative Style, High-Performance Deep Learning
Library", 2019.
"""

# mypy: allow-untyped-calls, no-warn-return-any

import torch


class TorchConvnet(torch.nn.Module):
    """Convolution, ReLU, max pooling (2 by 2, stride 2) and an affine layer, which gives scores.

    The convolution has stride 1 and is padded by half of its kernel, rounded down; both layers have
    a bias. There is no softmax: it belongs to the loss.

    Args:
        image_shape: (C, H, W) of one image.
        kernels: (F, KH, KW), the number of kernels and their sides, which are odd.
        classes: the number K of scores.

    The convolution is the attribute `conv`, the affine layer is the attribute `linear`.
    """

    def __init__(
        self, image_shape: tuple[int, int, int], kernels: tuple[int, int, int], classes: int
    ) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        channels, height, width = image_shape
        filters, rows, columns = kernels
        pad = rows // 2, columns // 2
        self.conv = torch.nn.Conv2d(channels, filters, (rows, columns), padding=pad)
        self.linear = torch.nn.Linear(filters * (height // 2) * (width // 2), classes)
        ### END SOLUTION

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the scores (N, K) of images (N, C, H, W)."""
        ### BEGIN SOLUTION
        hidden = torch.nn.functional.max_pool2d(self.conv(x).relu(), 2)
        return self.linear(hidden.flatten(1))
        ### END SOLUTION


def train_torch_convnet(
    net: TorchConvnet,
    x: torch.Tensor,
    labels: torch.Tensor,
    batches: list[torch.Tensor],
    lr: float = 0.1,
    momentum: float = 0.9,
    reg: float = 0.0,
) -> list[float]:
    """Training takes a step of torch's SGD with momentum for each batch.

    The loss of a batch is the mean cross-entropy plus `reg` / 2 times the sum of the squares of the
    weights of both layers; biases are not penalised. The parameters of `net` change in place.

    Args:
        net: a `TorchConvnet`.
        x: (N, C, H, W) images, a tensor.
        labels: (N,) the right classes, a tensor of integers.
        batches: for each step the rows of x that it uses, a tensor of integers.
        lr: learning rate.
        momentum: share of the old velocity that is kept.
        reg: strength of the penalty.

    Returns:
        A list of floats, the loss of each step with its penalty, before that step is taken.
    """
    optimizer = torch.optim.SGD(net.parameters(), lr=lr, momentum=momentum)
    losses = []
    for rows in batches:
        optimizer.zero_grad()
        penalty = (net.conv.weight**2).sum() + (net.linear.weight**2).sum()
        loss = torch.nn.functional.cross_entropy(net(x[rows]), labels[rows]) + reg / 2 * penalty
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
