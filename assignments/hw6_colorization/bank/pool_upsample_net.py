import torch
from bank._shared import PoolFrame
from torch import nn

from autograder import alternative, mistake


@mistake(
    "the second max pooling is missing: the scores come out twice as large", of="PoolUpsampleNet"
)
class _(PoolFrame):
    def down(self, x, number):
        return nn.functional.max_pool2d(x, 2) if number == 0 else x


@mistake("the second max pooling and the second upsampling are missing", of="PoolUpsampleNet")
class _(PoolFrame):
    def resize(self, x, number):
        return x if number in (1, 3) else super().resize(x, number)


@mistake(
    "the padding is 1 whatever the kernel size: that fits a kernel of 3 only",
    of="PoolUpsampleNet",
)
class _(PoolFrame):
    def conv(self, i, o):
        return nn.Conv2d(i, o, self.k, padding=1)


@mistake("no padding at all", of="PoolUpsampleNet")
class _(PoolFrame):
    def conv(self, i, o):
        return nn.Conv2d(i, o, self.k)


@mistake(
    "the kernel size is 3 whatever the argument says",
    of="PoolUpsampleNet",
)
class _(PoolFrame):
    def conv(self, i, o):
        return nn.Conv2d(i, o, 3, padding=1)


@mistake(
    "one input channel whatever the argument says",
    of="PoolUpsampleNet",
)
class _(PoolFrame):
    def channels(self, nf, nc, nic):
        return super().channels(nf, nc, 1)


@mistake("24 colours whatever the argument says", of="PoolUpsampleNet")
class _(PoolFrame):
    def channels(self, nf, nc, nic):
        return super().channels(nf, 24, nic)


@mistake("filters and colours are swapped among the arguments", of="PoolUpsampleNet")
class _(PoolFrame):
    def channels(self, nf, nc, nic):
        return super().channels(nc, nf, nic)


@mistake("the number of filters is not doubled in the middle", of="PoolUpsampleNet")
class _(PoolFrame):
    def channels(self, nf, nc, nic):
        return [(nic, nf), (nf, nf), (nf, nf), (nf, nc)], (nc, nc)


@mistake(
    "colours come only with the last layer: the fourth block gives NC channels already",
    of="PoolUpsampleNet",
)
class _(PoolFrame):
    def channels(self, nf, nc, nic):
        return [(nic, nf), (nf, 2 * nf), (2 * nf, nf), (nf, nf)], (nf, nc)


@mistake("the last convolution is missing", of="PoolUpsampleNet")
class _(PoolFrame):
    def forward(self, x):
        for number in range(4):
            x = self.block(x, number)
        return x


@mistake("the fourth block has neither batch norm nor ReLU", of="PoolUpsampleNet")
class _(PoolFrame):
    def block(self, x, number):
        return super().block(x, number) if number < 3 else self.up(self.convs[3](x), 3)


@mistake("there is no batch norm", of="PoolUpsampleNet")
class _(PoolFrame):
    def norm(self, n):
        return nn.Identity()


@mistake("convolutions without a bias", of="PoolUpsampleNet")
class _(PoolFrame):
    def conv(self, i, o):
        return nn.Conv2d(i, o, self.k, padding=self.k // 2, bias=False)


@mistake(
    "one batch norm for two places: each needs statistics and weights of its own",
    of="PoolUpsampleNet",
)
class _(PoolFrame):
    def block(self, x, number):
        x = self.resize(self.convs[number](x), number)
        return torch.relu(self.norms[0 if number == 2 else number](x))


@mistake(
    "layers in a plain list: PyTorch does not find their weights, so nothing trains them",
    of="PoolUpsampleNet",
)
class _(PoolFrame):
    def build(self, blocks, last):
        self.convs = [self.conv(i, o) for i, o in blocks]
        self.norms = [self.norm(o) for _, o in blocks]
        self.last = self.conv(*last)


@mistake("strides in place of pooling: this network has no stride", of="PoolUpsampleNet")
class _(PoolFrame):
    def block(self, x, number):
        self.convs[number].stride = (2, 2) if number < 2 else (1, 1)
        x = self.convs[number](x)
        return torch.relu(self.norms[number](x if number < 2 else self.up(x, number)))


@mistake("pools and upsamples in front of the convolution, not behind it", of="PoolUpsampleNet")
class _(PoolFrame):
    def block(self, x, number):
        x = self.convs[number](self.resize(x, number))
        return torch.relu(self.norms[number](x))


@mistake("a ReLU behind the last convolution: scores may be negative", of="PoolUpsampleNet")
class _(PoolFrame):
    def end(self, x):
        return torch.relu(x)


@mistake(
    "a softmax inside the network: the loss takes scores and does it itself", of="PoolUpsampleNet"
)
class _(PoolFrame):
    def end(self, x):
        return torch.softmax(x, dim=1)


@mistake("a log-softmax inside the network: scores are wanted", of="PoolUpsampleNet")
class _(PoolFrame):
    def end(self, x):
        return torch.log_softmax(x, dim=1)


@mistake("a sigmoid behind the last convolution", of="PoolUpsampleNet")
class _(PoolFrame):
    def end(self, x):
        return torch.sigmoid(x)


@mistake("batch norm behind the ReLU: it belongs in front of it", of="PoolUpsampleNet")
class _(PoolFrame):
    def block(self, x, number):
        return self.norms[number](torch.relu(self.resize(self.convs[number](x), number)))


@mistake(
    "batch norm in front of the pooling: with a negative scale the largest becomes the smallest",
    of="PoolUpsampleNet",
)
class _(PoolFrame):
    def block(self, x, number):
        return torch.relu(self.resize(self.norms[number](self.convs[number](x)), number))


@mistake(
    "bilinear upsampling: the nearest pixel is copied, nothing is blended", of="PoolUpsampleNet"
)
class _(PoolFrame):
    def up(self, x, number):
        return nn.functional.interpolate(x, scale_factor=2, mode="bilinear")


@mistake("upsampling that fills in zeros between the pixels", of="PoolUpsampleNet")
class _(PoolFrame):
    def up(self, x, number):
        wide = torch.zeros(*x.shape[:2], 2 * x.shape[2], 2 * x.shape[3], dtype=x.dtype)
        wide[:, :, ::2, ::2] = x
        return wide


@mistake("copies whole pictures side by side in place of pixels", of="PoolUpsampleNet")
class _(PoolFrame):
    def up(self, x, number):
        return x.repeat(1, 1, 2, 2)


@mistake("average pooling: the largest pixel is kept, not the mean", of="PoolUpsampleNet")
class _(PoolFrame):
    def down(self, x, number):
        return nn.functional.avg_pool2d(x, 2)


@mistake("every second pixel in place of the largest of four", of="PoolUpsampleNet")
class _(PoolFrame):
    def down(self, x, number):
        return x[:, :, ::2, ::2]


@mistake("max pooling of 3x3 pixels that overlap", of="PoolUpsampleNet")
class _(PoolFrame):
    def down(self, x, number):
        return nn.functional.max_pool2d(x, 3, stride=2, padding=1)


@mistake("the ReLUs are missing", of="PoolUpsampleNet")
class _(PoolFrame):
    def block(self, x, number):
        return self.norms[number](self.resize(self.convs[number](x), number))


@mistake("the fourth block has no ReLU in front of the last layer", of="PoolUpsampleNet")
class _(PoolFrame):
    def block(self, x, number):
        if number < 3:
            return super().block(x, number)
        return self.norms[3](self.up(self.convs[3](x), 3))


@mistake("leaky ReLUs in place of ReLUs", of="PoolUpsampleNet")
class _(PoolFrame):
    def block(self, x, number):
        x = self.resize(self.convs[number](x), number)
        return nn.functional.leaky_relu(self.norms[number](x))


@mistake("padding by reflection: the border is filled with zeros", of="PoolUpsampleNet")
class _(PoolFrame):
    def conv(self, i, o):
        return nn.Conv2d(i, o, self.k, padding=self.k // 2, padding_mode="reflect")


@mistake("statistics of the batch in evaluation mode too", of="PoolUpsampleNet")
class _(PoolFrame):
    def norm(self, n):
        return nn.BatchNorm2d(n, track_running_stats=False)


@mistake("batch norm stays in evaluation mode while training", of="PoolUpsampleNet")
class _(PoolFrame):
    def train(self, mode=True):
        return super().train(False)


@mistake("another eps of batch norm", of="PoolUpsampleNet")
class _(PoolFrame):
    def norm(self, n):
        return nn.BatchNorm2d(n, eps=1e-3)


@mistake("dropout that nobody asked for", of="PoolUpsampleNet")
class _(PoolFrame):
    def end(self, x):
        return nn.functional.dropout(x, 0.2, self.training)


@mistake(
    "centres the caller's pictures in place: -= changes them for everybody", of="PoolUpsampleNet"
)
class _(PoolFrame):
    def forward(self, x):
        scores = super().forward(x.clone())
        x -= x.mean()
        return scores


@mistake("another momentum of batch norm", of="PoolUpsampleNet")
class _(PoolFrame):
    def norm(self, n):
        return nn.BatchNorm2d(n, momentum=0.9)


@mistake("detach between the blocks: the early layers get no gradient", of="PoolUpsampleNet")
class _(PoolFrame):
    def block(self, x, number):
        return super().block(x.detach() if number == 2 else x, number)


@mistake("no_grad inside the network: nothing can be trained", of="PoolUpsampleNet")
class _(PoolFrame):
    def forward(self, x):
        with torch.no_grad():
            return super().forward(x)


@mistake("works on x.data: what comes out remembers nothing of the weights", of="PoolUpsampleNet")
class _(PoolFrame):
    def end(self, x):
        return nn.Parameter(x.data)


@mistake("the first layer is frozen", of="PoolUpsampleNet")
class _(PoolFrame):
    def build(self, blocks, last):
        super().build(blocks, last)
        self.convs[0].requires_grad_(False)


@alternative("ReLU and max pooling as functions, layers in a ModuleList", of="PoolUpsampleNet")
class _(PoolFrame):
    pass


@alternative("attributes, registered in another order than they are used in", of="PoolUpsampleNet")
class _(nn.Module):
    def __init__(self, kernel, num_filters, num_colours, num_in_channels):
        super().__init__()
        pad = (kernel - 1) // 2
        self.bn4, self.bn3 = nn.BatchNorm2d(num_colours), nn.BatchNorm2d(num_filters)
        self.bn2, self.bn1 = nn.BatchNorm2d(2 * num_filters), nn.BatchNorm2d(num_filters)
        self.conv5 = nn.Conv2d(num_colours, num_colours, kernel_size=kernel, padding=pad)
        self.conv4 = nn.Conv2d(num_filters, num_colours, kernel_size=kernel, padding=pad)
        self.conv3 = nn.Conv2d(2 * num_filters, num_filters, kernel_size=kernel, padding=pad)
        self.conv2 = nn.Conv2d(num_filters, 2 * num_filters, kernel_size=kernel, padding=pad)
        self.conv1 = nn.Conv2d(num_in_channels, num_filters, kernel_size=kernel, padding=pad)
        self.relu = nn.ReLU(inplace=True)
        self.up = nn.UpsamplingNearest2d(scale_factor=2)
        self.pool = nn.MaxPool2d(kernel_size=2, stride=2)

    def forward(self, x):
        x = self.relu(self.bn1(self.pool(self.conv1(x))))
        x = self.relu(self.bn2(self.pool(self.conv2(x))))
        x = self.relu(self.bn3(self.up(self.conv3(x))))
        x = self.relu(self.bn4(self.up(self.conv4(x))))
        return self.conv5(x)


@alternative(
    "the padding that PyTorch works out, pixels copied by repeat_interleave", of="PoolUpsampleNet"
)
class _(PoolFrame):
    def conv(self, i, o):
        return nn.Conv2d(i, o, (self.k, self.k), padding="same")

    def up(self, x, number):
        return x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)

    def down(self, x, number):
        pairs = x.unflatten(3, (-1, 2)).unflatten(2, (-1, 2))
        return pairs.amax(dim=(3, 5))


@alternative(
    "upsampling behind batch norm and ReLU, with which copying pixels commutes",
    of="PoolUpsampleNet",
)
class _(PoolFrame):
    def block(self, x, number):
        if number < 2:
            return super().block(x, number)
        return self.up(torch.relu(self.norms[number](self.convs[number](x))), number)


@alternative("zeros put around the pictures by hand", of="PoolUpsampleNet")
class _(PoolFrame):
    def conv(self, i, o):
        return nn.Conv2d(i, o, self.k)

    def block(self, x, number):
        return super().block(nn.functional.pad(x, [self.k // 2] * 4), number)

    def forward(self, x):
        for number in range(4):
            x = self.block(x, number)
        return self.last(nn.functional.pad(x, [self.k // 2] * 4))
