import torch
from bank._shared import StridedFrame
from torch import nn

from autograder import alternative, mistake


class BlendingUp(nn.Sequential):
    """A layer that copies pixels and then convolves, in place of a transposed convolution."""

    def __init__(self, i, o, k):
        super().__init__(nn.Upsample(scale_factor=2), nn.Conv2d(i, o, k, padding=k // 2))


@mistake(
    "no output padding: of the two sizes that fit, the smaller one comes out", of="ConvTransposeNet"
)
class _(StridedFrame):
    def twice(self, i, o):
        return nn.ConvTranspose2d(i, o, self.k, stride=2, padding=self.k // 2)


@mistake(
    "the padding is 1 whatever the kernel size: that fits a kernel of 3 only", of="ConvTransposeNet"
)
class _(StridedFrame):
    def conv(self, i, o):
        return nn.Conv2d(i, o, self.k, padding=1)

    def half(self, i, o):
        return nn.Conv2d(i, o, self.k, stride=2, padding=1)

    def twice(self, i, o):
        return nn.ConvTranspose2d(i, o, self.k, stride=2, padding=1, output_padding=1)


@mistake(
    "only the last convolution has a padding of 1 whatever the kernel size", of="ConvTransposeNet"
)
class _(StridedFrame):
    def conv(self, i, o):
        return nn.Conv2d(i, o, self.k, padding=1)


@mistake("strides of 1: nothing shrinks or grows", of="ConvTransposeNet")
class _(StridedFrame):
    def half(self, i, o):
        return nn.Conv2d(i, o, self.k, padding=self.k // 2)

    def twice(self, i, o):
        return nn.ConvTranspose2d(i, o, self.k, padding=self.k // 2)


@mistake("pooling behind a stride of 1 in place of a stride of 2", of="ConvTransposeNet")
class _(StridedFrame):
    def down(self, i, o):
        return nn.Sequential(self.conv(i, o), nn.MaxPool2d(2), self.norm(o), nn.ReLU())


@mistake(
    "copied pixels and a convolution in place of a transposed convolution", of="ConvTransposeNet"
)
class _(StridedFrame):
    def twice(self, i, o):
        return BlendingUp(i, o, self.k)


@mistake("the last layer is a transposed convolution too", of="ConvTransposeNet")
class _(StridedFrame):
    def conv(self, i, o):
        return nn.ConvTranspose2d(i, o, self.k, padding=self.k // 2)


@mistake("the kernel size is 3 whatever the argument says", of="ConvTransposeNet")
class _(StridedFrame):
    def __init__(self, kernel, num_filters, num_colours, num_in_channels):
        super().__init__(3, num_filters, num_colours, num_in_channels)


@mistake("one input channel whatever the argument says", of="ConvTransposeNet")
class _(StridedFrame):
    def build(self, nf, nc, nic):
        super().build(nf, nc, 1)


@mistake("filters and colours are swapped among the arguments", of="ConvTransposeNet")
class _(StridedFrame):
    def build(self, nf, nc, nic):
        super().build(nc, nf, nic)


@mistake("24 colours whatever the argument says", of="ConvTransposeNet")
class _(StridedFrame):
    def build(self, nf, nc, nic):
        super().build(nf, 24, nic)


@mistake("the number of filters is not doubled in the middle", of="ConvTransposeNet")
class _(StridedFrame):
    def build(self, nf, nc, nic):
        self.down1, self.down2 = self.down(nic, nf), self.down(nf, nf)
        self.middle = nn.Identity()
        self.up1, self.up2 = self.up(nf, nf), self.up(nf, nc)
        self.last = self.conv(nc, nc)


@mistake("the last convolution is missing", of="ConvTransposeNet")
class _(StridedFrame):
    def forward(self, x):
        return self.up2(self.up1(self.down2(self.down1(x))))


@mistake("convolutions without a bias", of="ConvTransposeNet")
class _(StridedFrame):
    def finish(self, layer, n):
        layer.register_parameter("bias", None)
        return super().finish(layer, n)


@mistake("there is no batch norm", of="ConvTransposeNet")
class _(StridedFrame):
    def norm(self, n):
        return nn.Identity()


@mistake(
    "batch norm only on the way down: the transposed convolutions have one too",
    of="ConvTransposeNet",
)
class _(StridedFrame):
    def up(self, i, o):
        return nn.Sequential(self.twice(i, o), nn.ReLU())


@mistake(
    "one batch norm for two places: each needs statistics and weights of its own",
    of="ConvTransposeNet",
)
class _(StridedFrame):
    def build(self, nf, nc, nic):
        super().build(nf, nc, nic)
        self.up1[1] = self.down1[1]


@mistake(
    "layers in a plain list: PyTorch does not find their weights, so nothing trains them",
    of="ConvTransposeNet",
)
class _(StridedFrame):
    def build(self, nf, nc, nic):
        self.blocks = [
            self.down(nic, nf),
            self.down(nf, 2 * nf),
            self.up(2 * nf, nf),
            self.up(nf, nc),
        ]
        self.last = self.conv(nc, nc)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.last(x)


@mistake("skip connections: those come with the U-Net", of="ConvTransposeNet")
class _(StridedFrame):
    skips = True


@mistake("the strides of 2 start at the second pixel: pads one side only", of="ConvTransposeNet")
class _(StridedFrame):
    def half(self, i, o):
        shifted = nn.Conv2d(i, o, self.k, stride=2, padding=self.k // 2)
        shifted.register_forward_pre_hook(lambda _, xs: (xs[0].roll((-1, -1), (2, 3)),))
        return shifted


@mistake(
    "output pixels are added at the top and left, not at the bottom and right",
    of="ConvTransposeNet",
)
class _(StridedFrame):
    def twice(self, i, o):
        shifted = super().twice(i, o)
        shifted.register_forward_hook(lambda _, xs, y: y.roll((1, 1), (2, 3)))
        return shifted


@mistake("a ReLU behind the last convolution: scores may be negative", of="ConvTransposeNet")
class _(StridedFrame):
    def end(self, x):
        return torch.relu(x)


@mistake(
    "a softmax inside the network: the loss takes scores and does it itself", of="ConvTransposeNet"
)
class _(StridedFrame):
    def end(self, x):
        return torch.softmax(x, dim=1)


@mistake("batch norm behind the ReLU: it belongs in front of it", of="ConvTransposeNet")
class _(StridedFrame):
    def finish(self, layer, n):
        return nn.Sequential(layer, nn.ReLU(), self.norm(n))


@mistake("the ReLUs are missing", of="ConvTransposeNet")
class _(StridedFrame):
    def finish(self, layer, n):
        return nn.Sequential(layer, self.norm(n))


@mistake("the fourth block has no ReLU in front of the last layer", of="ConvTransposeNet")
class _(StridedFrame):
    def build(self, nf, nc, nic):
        super().build(nf, nc, nic)
        self.up2 = self.up2[:2]


@mistake("statistics of the batch in evaluation mode too", of="ConvTransposeNet")
class _(StridedFrame):
    def norm(self, n):
        return nn.BatchNorm2d(n, track_running_stats=False)


@mistake("another eps of batch norm", of="ConvTransposeNet")
class _(StridedFrame):
    def norm(self, n):
        return nn.BatchNorm2d(n, eps=1e-3)


@mistake(
    "adds up the caller's pictures in place: += changes them for everybody", of="ConvTransposeNet"
)
class _(StridedFrame):
    def forward(self, x):
        scores = super().forward(x.clone())
        x += 1.0
        return scores


@mistake("another momentum of batch norm", of="ConvTransposeNet")
class _(StridedFrame):
    def norm(self, n):
        return nn.BatchNorm2d(n, momentum=0.9)


@mistake("detach in the middle: the way down gets no gradient", of="ConvTransposeNet")
class _(StridedFrame):
    def forward(self, x):
        return self.last(self.up2(self.up1(self.down2(self.down1(x)).detach())))


@mistake("the last layer is frozen", of="ConvTransposeNet")
class _(StridedFrame):
    def build(self, nf, nc, nic):
        super().build(nf, nc, nic)
        self.last.requires_grad_(False)


@alternative("blocks that are built by methods of their own", of="ConvTransposeNet")
class _(StridedFrame):
    pass


@alternative("attributes, and ReLU as a function", of="ConvTransposeNet")
class _(nn.Module):
    def __init__(self, kernel, num_filters, num_colours, num_in_channels):
        super().__init__()
        pad = (kernel - 1) // 2
        self.end = nn.Conv2d(num_colours, num_colours, kernel, padding=pad)
        self.norms = nn.ModuleList(
            nn.BatchNorm2d(n) for n in (num_filters, 2 * num_filters, num_filters, num_colours)
        )
        self.c1 = nn.Conv2d(num_in_channels, num_filters, kernel, stride=2, padding=pad)
        self.c2 = nn.Conv2d(num_filters, 2 * num_filters, kernel, stride=2, padding=pad)
        self.t1 = nn.ConvTranspose2d(2 * num_filters, num_filters, kernel, 2, pad, 1)
        self.t2 = nn.ConvTranspose2d(num_filters, num_colours, kernel, 2, pad, 1)

    def forward(self, x):
        for layer, norm in zip((self.c1, self.c2, self.t1, self.t2), self.norms, strict=True):
            x = norm(layer(x)).clamp(min=0)
        return self.end(x)


@alternative("the output size asked for in the call, ReLU that overwrites", of="ConvTransposeNet")
class _(StridedFrame):
    def twice(self, i, o):
        return nn.ConvTranspose2d(i, o, self.k, stride=2, padding=self.k // 2)

    def forward(self, x):
        x = self.down2(self.down1(x))
        for block, size in ((self.up1, [16, 16]), (self.up2, [32, 32])):
            x = block[1](block[0](x, output_size=size)).relu_()
        return self.last(x)
