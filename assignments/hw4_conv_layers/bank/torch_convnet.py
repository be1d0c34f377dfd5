import torch

from autograder import alternative, mistake
from reference.torch_convnet import TorchConvnet

functional = torch.nn.functional


class Module(TorchConvnet):
    """The right module, for those that change one thing."""


# The module


@mistake("the convolution is not padded: the picture shrinks", of="TorchConvnet")
class Unpadded(Module):
    def forward(self, x):
        convolved = functional.conv2d(x, self.conv.weight, self.conv.bias)
        hidden = functional.max_pool2d(convolved.relu(), 2)
        return self.linear(hidden.flatten(1))


@mistake("one pad for both axes: the kernel is not square", of="TorchConvnet")
class OnePad(Module):
    def forward(self, x):
        pad = self.conv.kernel_size[0] // 2
        convolved = functional.conv2d(x, self.conv.weight, self.conv.bias, padding=pad)
        hidden = functional.max_pool2d(convolved.relu(), 2)
        return self.linear(hidden.flatten(1))


@mistake("the ReLU is forgotten", of="TorchConvnet")
class Linear(Module):
    def forward(self, x):
        return self.linear(functional.max_pool2d(self.conv(x), 2).flatten(1))


@mistake("a ReLU behind the scores: they may be negative", of="TorchConvnet")
class Rectified(Module):
    def forward(self, x):
        return super().forward(x).relu()


@mistake("softmax in the module: the loss takes it once more", of="TorchConvnet")
class Probabilities(Module):
    def forward(self, x):
        return super().forward(x).softmax(1)


@mistake("logarithms of probabilities in place of scores", of="TorchConvnet")
class Logarithms(Module):
    def forward(self, x):
        return super().forward(x).log_softmax(1)


@mistake("means in place of maxima in the pool", of="TorchConvnet")
class MeanPool(Module):
    def forward(self, x):
        return self.linear(functional.avg_pool2d(self.conv(x).relu(), 2).flatten(1))


@mistake("dropout, which nobody asked for", of="TorchConvnet")
class Dropping(Module):
    def forward(self, x):
        hidden = functional.max_pool2d(self.conv(x).relu(), 2).flatten(1)
        return self.linear(functional.dropout(hidden, 0.5))


@mistake("channels last before the pictures are flattened: w2 has another order", of="TorchConvnet")
class ChannelsLast(Module):
    def forward(self, x):
        hidden = functional.max_pool2d(self.conv(x).relu(), 2)
        return self.linear(hidden.permute(0, 2, 3, 1).flatten(1))


@mistake("the sides of the kernel are exchanged", of="TorchConvnet")
class Exchanged(Module):
    def __init__(self, image_shape, kernels, classes):
        super().__init__(image_shape, (kernels[0], kernels[2], kernels[1]), classes)


@mistake("the convolution has no bias", of="TorchConvnet")
class Unbiased(Module):
    def forward(self, x):
        convolved = functional.conv2d(x, self.conv.weight, padding=self.conv.padding)
        return self.linear(functional.max_pool2d(convolved.relu(), 2).flatten(1))


@mistake("the pool rounds up: an odd row makes a window of its own", of="TorchConvnet")
class RoundedUp(Module):
    def forward(self, x):
        hidden = functional.max_pool2d(self.conv(x).relu(), 2, ceil_mode=True)
        return self.linear(hidden[..., : x.shape[2] // 2 + 1, : x.shape[3] // 2 + 1].flatten(1))


@alternative("modules in a row, and the ReLU behind the pool", of="TorchConvnet")
class Sequence(torch.nn.Module):
    def __init__(self, image_shape, kernels, classes):
        super().__init__()
        self.conv = torch.nn.Conv2d(image_shape[0], kernels[0], kernels[1:], padding="same")
        units = kernels[0] * (image_shape[1] // 2) * (image_shape[2] // 2)
        self.linear = torch.nn.Linear(units, classes)
        middle = torch.nn.MaxPool2d(2), torch.nn.ReLU(), torch.nn.Flatten()
        self.all = torch.nn.Sequential(self.conv, *middle, self.linear)

    def forward(self, x):
        return self.all(x)


@alternative("a frame of zeros, and the affine layer as a product", of="TorchConvnet")
class Framed(torch.nn.Module):
    def __init__(self, image_shape, kernels, classes):
        super().__init__()
        (channels, height, width), (filters, rows, columns) = image_shape, kernels
        self.frame = torch.nn.ZeroPad2d((columns // 2, columns // 2, rows // 2, rows // 2))
        self.conv = torch.nn.Conv2d(channels, filters, (rows, columns))
        self.linear = torch.nn.Linear(filters * (height // 2) * (width // 2), classes)

    def forward(self, x):
        hidden = torch.clamp(self.conv(self.frame(x)), min=0)
        pooled = functional.max_pool2d(hidden, (2, 2), stride=(2, 2))
        return pooled.reshape(len(x), -1) @ self.linear.weight.T + self.linear.bias


# Training


for title, old, new in (
    ("gradients add up: zero_grad is missing", "        optimizer.zero_grad()\n", ""),
    ("momentum is not used", ", momentum=momentum", ""),
    ("the penalty is not halved", "reg / 2 * penalty", "reg * penalty"),
    ("reg is not used", " + reg / 2 * penalty", ""),
    ("only the affine layer is penalised", "(net.conv.weight**2).sum() + ", ""),
    ("sizes of the weights, not their squares", "net.conv.weight**2", "net.conv.weight.abs()"),
    ("all images at every step", "net(x[rows]), labels[rows]", "net(x), labels"),
    (
        "returns after the first batch: mind the indentation",
        "    return losses",
        "        return losses",
    ),
):
    mistake(title, of="train_torch_convnet", edit=(old, new))


def steps_with(groups, penalty, net, x, labels, batches, **settings):
    """Train with groups of parameters of one's own; a loss has a penalty of one's own."""
    optimizer, losses = torch.optim.SGD(groups, **settings), []
    for rows in batches:
        optimizer.zero_grad()
        loss = functional.cross_entropy(net(x[rows]), labels[rows])
        loss.backward()
        losses.append(loss.item() + float(penalty()))
        optimizer.step()
    return losses


def squares(net):
    """Return the sum of the squares of both layers' weights."""
    return (net.conv.weight**2).sum().item() + (net.linear.weight**2).sum().item()


@mistake(
    "the optimizer's weight_decay for all parameters: biases are free", of="train_torch_convnet"
)
def _(net, x, labels, batches, lr=0.1, momentum=0.9, reg=0.0):
    groups = [{"params": list(net.parameters()), "weight_decay": reg}]
    settings = {"lr": lr, "momentum": momentum}
    return steps_with(groups, lambda: reg / 2 * squares(net), net, x, labels, batches, **settings)


@mistake("by weight_decay: the penalty is missing in the losses", of="train_torch_convnet")
def _(net, x, labels, batches, lr=0.1, momentum=0.9, reg=0.0):
    weights, biases = [net.conv.weight, net.linear.weight], [net.conv.bias, net.linear.bias]
    groups = [{"params": weights, "weight_decay": reg}, {"params": biases}]
    return steps_with(groups, lambda: 0.0, net, x, labels, batches, lr=lr, momentum=momentum)


@mistake("Nesterov's look-ahead in place of plain momentum", of="train_torch_convnet")
def _(net, x, labels, batches, lr=0.1, momentum=0.9, reg=0.0):
    weights, biases = [net.conv.weight, net.linear.weight], [net.conv.bias, net.linear.bias]
    groups = [{"params": weights, "weight_decay": reg}, {"params": biases}]
    settings = {"lr": lr, "momentum": momentum, "nesterov": momentum > 0}
    return steps_with(groups, lambda: reg / 2 * squares(net), net, x, labels, batches, **settings)


@alternative("weight_decay for the weights alone, and the penalty added", of="train_torch_convnet")
def _(net, x, labels, batches, lr=0.1, momentum=0.9, reg=0.0):
    weights, biases = [net.conv.weight, net.linear.weight], [net.conv.bias, net.linear.bias]
    groups = [{"params": weights, "weight_decay": reg}, {"params": biases}]
    settings = {"lr": lr, "momentum": momentum}
    return steps_with(groups, lambda: reg / 2 * squares(net), net, x, labels, batches, **settings)


@alternative("without an optimizer", of="train_torch_convnet")
def _(net, x, labels, batches, lr=0.1, momentum=0.9, reg=0.0):
    parameters, losses = list(net.parameters()), []
    velocity = [torch.zeros_like(parameter) for parameter in parameters]
    for rows in batches:
        loss = functional.cross_entropy(net(x[rows]), labels[rows])
        loss = loss + sum(reg * (p * p).sum() / 2 for p in parameters if p.ndim > 1)
        gradients = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            for p, v, g in zip(parameters, velocity, gradients, strict=True):
                v.mul_(momentum).add_(g)
                p.sub_(lr * v)
        losses.append(loss.detach())
    return losses
