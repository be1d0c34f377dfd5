import torch
from torch import nn


class PoolFrame(nn.Module):
    """A PoolUpsampleNet in parts; a variant below says which part it does in another way."""

    def __init__(self, kernel, num_filters, num_colours, num_in_channels):
        super().__init__()
        self.k = kernel
        self.build(*self.channels(num_filters, num_colours, num_in_channels))

    def channels(self, nf, nc, nic):
        return [(nic, nf), (nf, 2 * nf), (2 * nf, nf), (nf, nc)], (nc, nc)

    def build(self, blocks, last):
        self.convs = nn.ModuleList(self.conv(i, o) for i, o in blocks)
        self.norms = nn.ModuleList(self.norm(o) for _, o in blocks)
        self.last = self.conv(*last)

    def conv(self, i, o):
        return nn.Conv2d(i, o, self.k, padding=self.k // 2)

    def norm(self, n):
        return nn.BatchNorm2d(n)

    def down(self, x, number):
        return nn.functional.max_pool2d(x, 2)

    def up(self, x, number):
        return nn.functional.interpolate(x, scale_factor=2)

    def resize(self, x, number):
        return self.down(x, number) if number < 2 else self.up(x, number)

    def block(self, x, number):
        x = self.resize(self.convs[number](x), number)
        return torch.relu(self.norms[number](x))

    def forward(self, x):
        for number in range(4):
            x = self.block(x, number)
        return self.end(self.last(x))

    def end(self, x):
        return x


class StridedFrame(nn.Module):
    """A ConvTransposeNet or a U-Net in parts; a variant below does one part in another way."""

    skips = dilated = False

    def __init__(self, kernel, num_filters, num_colours, num_in_channels):
        super().__init__()
        self.k = kernel
        self.build(num_filters, num_colours, num_in_channels)

    def build(self, nf, nc, nic):
        self.down1, self.down2 = self.down(nic, nf), self.down(nf, 2 * nf)
        self.middle = self.between(2 * nf) if self.dilated else nn.Identity()
        self.up1, self.up2 = self.up(2 * nf, nf), self.up(2 * nf if self.skips else nf, nc)
        self.last = self.conv(nc + nic if self.skips else nc, nc)

    def conv(self, i, o):
        return nn.Conv2d(i, o, self.k, padding=self.k // 2)

    def half(self, i, o):
        return nn.Conv2d(i, o, self.k, stride=2, padding=self.k // 2)

    def twice(self, i, o):
        return nn.ConvTranspose2d(i, o, self.k, stride=2, padding=self.k // 2, output_padding=1)

    def wide(self, n):
        return nn.Conv2d(n, n, self.k, padding=self.k - 1, dilation=2)

    def norm(self, n):
        return nn.BatchNorm2d(n)

    def finish(self, layer, n):
        return nn.Sequential(layer, self.norm(n), nn.ReLU())

    def down(self, i, o):
        return self.finish(self.half(i, o), o)

    def up(self, i, o):
        return self.finish(self.twice(i, o), o)

    def between(self, n):
        return self.finish(self.wide(n), n)

    def join(self, deep, early):
        return torch.cat([deep, early], dim=1) if self.skips else deep

    def join_input(self, deep, x):
        return self.join(deep, x)

    def forward(self, x):
        fine = self.down1(x)
        deep = self.up1(self.middle(self.down2(fine)))
        deep = self.up2(self.join(deep, fine))
        return self.end(self.last(self.join_input(deep, x)))

    def end(self, x):
        return x
