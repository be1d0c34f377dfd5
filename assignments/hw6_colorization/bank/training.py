import torch
from bank._shared import PoolFrame, StridedFrame
from torch import nn

from autograder import alternative, mistake


@mistake("initial weights of zero: all filters stay alike", of="PoolUpsampleNet")
class _(PoolFrame):
    def build(self, blocks, last):
        super().build(blocks, last)
        for p in self.parameters():
            nn.init.zeros_(p)


@mistake("layers in a plain list: only some of the weights are trained", of="PoolUpsampleNet")
class _(PoolFrame):
    def build(self, blocks, last):
        self.convs = [self.conv(i, o) for i, o in blocks]
        self.norms = [self.norm(o) for _, o in blocks]
        self.last = self.conv(*last)


@mistake("frozen weights: nothing can be trained", of="PoolUpsampleNet")
class _(PoolFrame):
    def build(self, blocks, last):
        super().build(blocks, last)
        self.requires_grad_(False)


@mistake("scores that are all the same, whatever the picture", of="PoolUpsampleNet")
class _(PoolFrame):
    def end(self, x):
        return 0 * x + x.mean(dim=(0, 2, 3), keepdim=True)


@mistake("kernels that see one pixel: brightness alone tells too little", of="PoolUpsampleNet")
class _(nn.Module):
    def __init__(self, kernel, num_filters, num_colours, num_in_channels):
        super().__init__()
        self.one = nn.Conv2d(num_in_channels, num_colours, 1)

    def forward(self, x):
        return self.one(x)


@mistake("weights that are set back before every call", of="ConvTransposeNet")
class _(StridedFrame):
    def forward(self, x):
        with torch.no_grad():
            for p in self.parameters():
                p.fill_(0.01)
        return super().forward(x)


@mistake("a detached picture between the layers: one layer learns", of="ConvTransposeNet")
class _(StridedFrame):
    def forward(self, x):
        return self.last(self.up2(self.up1(self.down2(self.down1(x)))).detach())


@mistake("no_grad inside the network: nothing can be trained", of="UNet")
class _(StridedFrame):
    skips = True

    def forward(self, x):
        with torch.no_grad():
            return super().forward(x)


@mistake("initial weights a thousand times too large for the last layer", of="UNet")
class _(StridedFrame):
    skips = True

    def build(self, nf, nc, nic):
        super().build(nf, nc, nic)
        with torch.no_grad():
            self.last.weight *= 1000.0


def kaiming(net):
    """Draw the weights of a network as He et al. propose (2015)."""
    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            nn.init.zeros_(module.bias)


@alternative("layers built in another order, so other initial weights", of="PoolUpsampleNet")
class _(PoolFrame):
    pass


@alternative("initial weights of one's own: He's rule", of="PoolUpsampleNet")
class _(PoolFrame):
    def build(self, blocks, last):
        super().build(blocks, last)
        kaiming(self)


@alternative("layers built in another order, so other initial weights", of="ConvTransposeNet")
class _(StridedFrame):
    pass


@alternative("initial weights of one's own: Glorot's rule", of="ConvTransposeNet")
class _(StridedFrame):
    def build(self, nf, nc, nic):
        super().build(nf, nc, nic)
        for p in self.parameters():
            if p.ndim > 1:
                nn.init.xavier_uniform_(p)


@alternative("layers built in another order, so other initial weights", of="UNet")
class _(StridedFrame):
    skips = True


@alternative("initial weights of one's own: He's rule", of="UNet")
class _(StridedFrame):
    skips = True

    def build(self, nf, nc, nic):
        super().build(nf, nc, nic)
        kaiming(self)
