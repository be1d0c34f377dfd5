from bank._shared import StridedFrame
from torch import nn

from autograder import alternative, mistake
from reference.colour_nets import UNet


class DilatedFrame(StridedFrame):
    """A DilatedUNet in parts."""

    skips = dilated = True


@mistake("no block in the middle: this is the UNet", of="DilatedUNet")
class _(DilatedFrame):
    dilated = False


@mistake("padding as without dilation: the picture shrinks in the middle", of="DilatedUNet")
class _(DilatedFrame):
    def wide(self, n):
        return nn.Conv2d(n, n, self.k, padding=self.k // 2, dilation=2)


@mistake("a padding of 2 whatever the kernel size: that fits a kernel of 3 only", of="DilatedUNet")
class _(DilatedFrame):
    def wide(self, n):
        return nn.Conv2d(n, n, self.k, padding=2, dilation=2)


@mistake("the new block has no batch norm", of="DilatedUNet")
class _(DilatedFrame):
    def between(self, n):
        return nn.Sequential(self.wide(n), nn.ReLU())


@mistake("no skip connections: it is a UNet all the same", of="DilatedUNet")
class _(DilatedFrame):
    skips = False


@mistake("the new block stands behind the third one, on larger pictures", of="DilatedUNet")
class _(DilatedFrame):
    def build(self, nf, nc, nic):
        super().build(nf, nc, nic)
        self.middle = self.between(nf)

    def forward(self, x):
        fine = self.down1(x)
        deep = self.middle(self.up1(self.down2(fine)))
        deep = self.up2(self.join(deep, fine))
        return self.last(self.join(deep, x))


@mistake("every convolution is dilated, the padding with it", of="DilatedUNet")
class _(DilatedFrame):
    def half(self, i, o):
        return nn.Conv2d(i, o, self.k, stride=2, padding=self.k - 2, dilation=2)


@mistake("a block in the middle without dilation", of="DilatedUNet")
class _(DilatedFrame):
    def wide(self, n):
        return nn.Conv2d(n, n, self.k, padding=self.k // 2)


@mistake("a dilation of 3 for one of 2", of="DilatedUNet")
class _(DilatedFrame):
    def wide(self, n):
        return nn.Conv2d(n, n, self.k, padding=3 * (self.k // 2), dilation=3)


@mistake("the dilation is as large as half the kernel, not 2", of="DilatedUNet")
class _(DilatedFrame):
    def wide(self, n):
        spread = self.k // 2
        return nn.Conv2d(n, n, self.k, padding=spread * (self.k // 2), dilation=spread)


@mistake("the new block has no ReLU", of="DilatedUNet")
class _(DilatedFrame):
    def between(self, n):
        return nn.Sequential(self.wide(n), self.norm(n))


@mistake("the last convolution is dilated too", of="DilatedUNet")
class _(DilatedFrame):
    def conv(self, i, o):
        return nn.Conv2d(i, o, self.k, padding=self.k - 1, dilation=2)


@mistake("the new block is added to what goes into it", of="DilatedUNet")
class _(DilatedFrame):
    def forward(self, x):
        fine = self.down1(x)
        deep = self.down2(fine)
        deep = self.up1(deep + self.middle(deep))
        deep = self.up2(self.join(deep, fine))
        return self.last(self.join(deep, x))


@alternative("blocks that are built by methods of their own", of="DilatedUNet")
class _(DilatedFrame):
    pass


@alternative("the padding that PyTorch works out for the dilated layer", of="DilatedUNet")
class _(DilatedFrame):
    def wide(self, n):
        return nn.Conv2d(n, n, self.k, padding="same", dilation=2)


@alternative("inherits from UNet and puts a block behind its second one", of="DilatedUNet")
class _(UNet):
    def __init__(self, kernel, num_filters, num_colours, num_in_channels):
        super().__init__(kernel, num_filters, num_colours, num_in_channels)
        n = 2 * num_filters
        spread = nn.Conv2d(n, n, kernel, padding=2 * (kernel // 2), dilation=2)
        self.down2.extend([spread, nn.BatchNorm2d(n), nn.ReLU()])
