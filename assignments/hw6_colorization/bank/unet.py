import torch
from bank._shared import StridedFrame
from torch import nn

from autograder import alternative, mistake


@mistake("no skip connections at all", of="UNet")
class _(StridedFrame):
    pass


@mistake("the last layer does not see the input: its skip connection is missing", of="UNet")
class _(StridedFrame):
    skips = True

    def build(self, nf, nc, nic):
        super().build(nf, nc, nic)
        self.last = self.conv(nc, nc)

    def join_input(self, deep, x):
        return deep


@mistake("only the last layer has a skip connection: the first block's is missing", of="UNet")
class _(StridedFrame):
    skips = True

    def build(self, nf, nc, nic):
        super().build(nf, nc, nic)
        self.up2 = self.up(nf, nc)

    def join(self, deep, early):
        return deep

    def join_input(self, deep, x):
        return torch.cat([deep, x], dim=1)


@mistake("skip connections that are added up in place of concatenated", of="UNet")
class _(StridedFrame):
    def forward(self, x):
        fine = self.down1(x)
        deep = self.up2(self.up1(self.down2(fine)) + fine)
        return self.last(deep + x.mean(dim=1, keepdim=True))


@mistake("the second skip connection takes the output of the second block", of="UNet")
class _(StridedFrame):
    skips = True

    def build(self, nf, nc, nic):
        super().build(nf, nc, nic)
        self.up2 = self.up(3 * nf, nc)

    def forward(self, x):
        coarse = self.down2(self.down1(x))
        larger = nn.functional.interpolate(coarse, scale_factor=2)
        deep = self.up2(torch.cat([self.up1(coarse), larger], dim=1))
        return self.last(torch.cat([deep, x], dim=1))


@mistake("no output padding: of the two sizes that fit, the smaller one comes out", of="UNet")
class _(StridedFrame):
    skips = True

    def twice(self, i, o):
        return nn.ConvTranspose2d(i, o, self.k, stride=2, padding=self.k // 2)


@mistake("the padding is 1 whatever the kernel size: that fits a kernel of 3 only", of="UNet")
class _(StridedFrame):
    skips = True

    def conv(self, i, o):
        return nn.Conv2d(i, o, self.k, padding=1)

    def half(self, i, o):
        return nn.Conv2d(i, o, self.k, stride=2, padding=1)

    def twice(self, i, o):
        return nn.ConvTranspose2d(i, o, self.k, stride=2, padding=1, output_padding=1)


@mistake("room for one input channel only in the last layer's skip connection", of="UNet")
class _(StridedFrame):
    skips = True

    def build(self, nf, nc, nic):
        super().build(nf, nc, nic)
        self.last = self.conv(nc + 1, nc)


@mistake("one batch norm for two places: each needs statistics and weights of its own", of="UNet")
class _(StridedFrame):
    skips = True

    def build(self, nf, nc, nic):
        super().build(nf, nc, nic)
        self.up1[1] = self.down1[1]


@mistake("concatenated along the pictures of the batch, not along the channels", of="UNet")
class _(StridedFrame):
    skips = True

    def join(self, deep, early):
        return torch.cat([deep, early], dim=0)


@mistake("a dilated block in the middle: that comes next", of="UNet")
class _(StridedFrame):
    skips = dilated = True


@mistake("both skip connections in the wrong order: late pictures come first", of="UNet")
class _(StridedFrame):
    skips = True

    def join(self, deep, early):
        return torch.cat([early, deep], dim=1)


@mistake("the input in front of the fourth block's output: late pictures come first", of="UNet")
class _(StridedFrame):
    skips = True

    def join_input(self, deep, x):
        return torch.cat([x, deep], dim=1)


@mistake("the first block's output in front of the third's: late pictures come first", of="UNet")
class _(StridedFrame):
    skips = True

    def join(self, deep, early):
        return torch.cat([early, deep], dim=1)

    def join_input(self, deep, x):
        return torch.cat([deep, x], dim=1)


@mistake("the third block's output twice, and the first one's never", of="UNet")
class _(StridedFrame):
    skips = True

    def join(self, deep, early):
        return (
            torch.cat([deep, deep], dim=1)
            if deep.shape == early.shape
            else super().join(deep, early)
        )


@mistake("the skip connection starts in front of the first block's ReLU", of="UNet")
class _(StridedFrame):
    skips = True

    def forward(self, x):
        fine = self.down1[:2](x)
        deep = self.up1(self.down2(torch.relu(fine)))
        deep = self.up2(torch.cat([deep, fine], dim=1))
        return self.last(torch.cat([deep, x], dim=1))


@mistake("the skip connection starts in front of the first block's batch norm", of="UNet")
class _(StridedFrame):
    skips = True

    def forward(self, x):
        fine = self.down1[0](x)
        deep = self.up1(self.down2(self.down1[2](self.down1[1](fine))))
        deep = self.up2(torch.cat([deep, fine], dim=1))
        return self.last(torch.cat([deep, x], dim=1))


@mistake("the first channel of the input for all of them in the last skip connection", of="UNet")
class _(StridedFrame):
    skips = True

    def join_input(self, deep, x):
        return torch.cat([deep, x[:, :1].expand_as(x)], dim=1)


@mistake("a ReLU behind the last convolution: scores may be negative", of="UNet")
class _(StridedFrame):
    skips = True

    def end(self, x):
        return torch.relu(x)


@mistake("a softmax inside the network: the loss takes scores and does it itself", of="UNet")
class _(StridedFrame):
    skips = True

    def end(self, x):
        return torch.softmax(x, dim=1)


@mistake("batch norm behind the ReLU: it belongs in front of it", of="UNet")
class _(StridedFrame):
    skips = True

    def finish(self, layer, n):
        return nn.Sequential(layer, nn.ReLU(), self.norm(n))


@mistake("the ReLUs are missing", of="UNet")
class _(StridedFrame):
    skips = True

    def finish(self, layer, n):
        return nn.Sequential(layer, self.norm(n))


@mistake("changes the caller's pictures: what comes last overwrites its argument", of="UNet")
class _(StridedFrame):
    skips = True

    def forward(self, x):
        scores = super().forward(x.clone())
        x *= 2.0
        return scores


@mistake("detached skip connections: no gradient reaches the first block by them", of="UNet")
class _(StridedFrame):
    skips = True

    def join(self, deep, early):
        return torch.cat([deep, early.detach()], dim=1)


@mistake("only the skip connections carry gradients", of="UNet")
class _(StridedFrame):
    skips = True

    def join(self, deep, early):
        return torch.cat([deep.detach(), early], dim=1)


@mistake("the layers on the way up are frozen", of="UNet")
class _(StridedFrame):
    skips = True

    def build(self, nf, nc, nic):
        super().build(nf, nc, nic)
        self.up1.requires_grad_(False)


@mistake("layers in a plain list: they stay behind on the CPU", of="UNet")
class _(StridedFrame):
    skips = True

    def build(self, nf, nc, nic):
        super().build(nf, nc, nic)
        self.blocks = [self.up1]
        del self.up1

    def up1(self, x):
        return self.blocks[0](x)


@alternative("blocks that are built by methods of their own", of="UNet")
class _(StridedFrame):
    skips = True


@alternative(
    "attributes, and arrays that are filled in place of concatenated ones",
    of="UNet",
)
class _(nn.Module):
    def __init__(self, kernel, num_filters, num_colours, num_in_channels):
        super().__init__()
        nf, nc, nic, pad = num_filters, num_colours, num_in_channels, (kernel - 1) // 2
        self.end = nn.Conv2d(nic + nc, nc, kernel, 1, pad)
        self.up2 = nn.ConvTranspose2d(nf + nf, nc, kernel, 2, pad, 1)
        self.up1 = nn.ConvTranspose2d(nf + nf, nf, kernel, 2, pad, 1)
        self.down2 = nn.Conv2d(nf, nf + nf, kernel, 2, pad)
        self.down1 = nn.Conv2d(nic, nf, kernel, 2, pad)
        self.n1, self.n2 = nn.BatchNorm2d(nf), nn.BatchNorm2d(nf + nf)
        self.n3, self.n4 = nn.BatchNorm2d(nf), nn.BatchNorm2d(nc)

    def forward(self, x):
        early = nn.functional.relu(self.n1(self.down1(x)))
        small = nn.functional.relu(self.n2(self.down2(early)))
        late = nn.functional.relu(self.n3(self.up1(small)))
        both = x.new_empty(len(x), 2 * late.shape[1], *late.shape[2:])
        both[:, : late.shape[1]], both[:, late.shape[1] :] = late, early
        out = nn.functional.relu(self.n4(self.up2(both)))
        return self.end(torch.hstack((out, x)))
