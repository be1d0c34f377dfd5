"""The four networks that colour: grey pictures in, a score for each colour at each pixel out.

A network takes (B, num_in_channels, 32, 32) and gives (B, num_colours, 32, 32).

Sources: Zhang, Isola and Efros, "Colorful Image Colorization", 2016, for the task; those of the
architectures stand with their classes.
"""

# The networks' methods carry no annotations, as in most notebooks.
# mypy: allow-untyped-defs, allow-untyped-calls

import torch
from torch import nn


class PoolUpsampleNet(nn.Module):
    """A network that makes its pictures smaller by max pooling, and larger again by upsampling.

    k is the kernel size, an odd number; NIC, NF and NC are the numbers of input channels, filters
    and colours. In the order in which they are used:

    1. convolution NIC -> NF, 2x2 max pooling, batch norm, ReLU;      32x32 becomes 16x16
    2. convolution NF -> 2 NF, 2x2 max pooling, batch norm, ReLU;     16x16 becomes 8x8
    3. convolution 2 NF -> NF, nearest-neighbour upsampling by 2, batch norm, ReLU;  8x8 to 16x16
    4. convolution NF -> NC, nearest-neighbour upsampling by 2, batch norm, ReLU;  16x16 to 32x32
    5. convolution NC -> NC, and nothing behind it: its outputs are the scores.

    Every convolution has stride 1, kernel size k, a bias, and zero padding that keeps height and
    width. What has weights is a `nn.Conv2d` or a `nn.BatchNorm2d` with PyTorch's defaults, one of
    its own for each place.

    Args:
        kernel: k.
        num_filters: NF.
        num_colours: NC.
        num_in_channels: NIC.
    """

    def __init__(self, kernel, num_filters, num_colours, num_in_channels):
        super().__init__()
        ### BEGIN SOLUTION
        same = {"kernel_size": kernel, "padding": kernel // 2}
        self.shrink = nn.Sequential(
            nn.Conv2d(num_in_channels, num_filters, **same),
            nn.MaxPool2d(2),
            nn.BatchNorm2d(num_filters),
            nn.ReLU(),
            nn.Conv2d(num_filters, 2 * num_filters, **same),
            nn.MaxPool2d(2),
            nn.BatchNorm2d(2 * num_filters),
            nn.ReLU(),
        )
        # survives: batch norm gives the same behind nearest-neighbour upsampling as before it
        self.grow = nn.Sequential(
            nn.Conv2d(2 * num_filters, num_filters, **same),
            nn.Upsample(scale_factor=2),
            nn.BatchNorm2d(num_filters),
            nn.ReLU(),
            nn.Conv2d(num_filters, num_colours, **same),
            nn.Upsample(scale_factor=2),
            nn.BatchNorm2d(num_colours),
            nn.ReLU(),
        )
        self.score = nn.Conv2d(num_colours, num_colours, **same)
        ### END SOLUTION

    def forward(self, x):
        """Return the scores (B, NC, 32, 32) of pictures x (B, NIC, 32, 32)."""
        ### BEGIN SOLUTION
        return self.score(self.grow(self.shrink(x)))
        ### END SOLUTION


class ConvTransposeNet(nn.Module):
    """A network that learns how to make its pictures smaller and larger, by strides of 2.

    k is the kernel size, an odd number; NIC, NF and NC are the numbers of input channels, filters
    and colours. In the order in which they are used:

    1. convolution NIC -> NF with stride 2, batch norm, ReLU;                 32x32 becomes 16x16
    2. convolution NF -> 2 NF with stride 2, batch norm, ReLU;                16x16 becomes 8x8
    3. transposed convolution 2 NF -> NF with stride 2, batch norm, ReLU;     8x8 becomes 16x16
    4. transposed convolution NF -> NC with stride 2, batch norm, ReLU;       16x16 becomes 32x32
    5. convolution NC -> NC with stride 1, and nothing behind it: its outputs are the scores.

    Every layer has kernel size k, a bias, and the padding that its sizes above ask for. What has
    weights is a `nn.Conv2d`, `nn.ConvTranspose2d` or `nn.BatchNorm2d` with PyTorch's defaults, one
    of its own for each place.

    Args:
        kernel: k.
        num_filters: NF.
        num_colours: NC.
        num_in_channels: NIC.

    Source: Zeiler et al., "Deconvolutional Networks", 2010.
    """

    def __init__(self, kernel, num_filters, num_colours, num_in_channels):
        super().__init__()
        ### BEGIN SOLUTION
        half = {"kernel_size": kernel, "stride": 2, "padding": kernel // 2}
        self.layers = nn.Sequential(
            nn.Conv2d(num_in_channels, num_filters, **half),
            nn.BatchNorm2d(num_filters),
            nn.ReLU(),
            nn.Conv2d(num_filters, 2 * num_filters, **half),
            nn.BatchNorm2d(2 * num_filters),
            nn.ReLU(),
            nn.ConvTranspose2d(2 * num_filters, num_filters, output_padding=1, **half),
            nn.BatchNorm2d(num_filters),
            nn.ReLU(),
            nn.ConvTranspose2d(num_filters, num_colours, output_padding=1, **half),
            nn.BatchNorm2d(num_colours),
            nn.ReLU(),
            nn.Conv2d(num_colours, num_colours, kernel, padding=kernel // 2),
        )
        ### END SOLUTION

    def forward(self, x):
        """Return the scores (B, NC, 32, 32) of pictures x (B, NIC, 32, 32)."""
        ### BEGIN SOLUTION
        return self.layers(x)
        ### END SOLUTION


def padding_for(kernel: int) -> tuple[int, int, int]:
    """The paddings with which layers of stride 2 halve and double an even height and width.

    A convolution with stride 2 is to make n/2 of every even n, and a transposed convolution with
    stride 2 is to make 2n of every n. PyTorch allows an output padding below the stride only.

    Args:
        kernel: the kernel size of both layers, from 2 up, odd or even.

    Returns:
        The `padding` of the convolution, the `padding` of the transposed convolution, and its
        `output_padding`, in this order.

    Source: Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016.
    """
    return (kernel - 1) // 2, (kernel - 1) // 2, kernel % 2


class UNet(nn.Module):
    """A ConvTransposeNet whose late layers see what the early ones saw, by skip connections.

    k is the kernel size, an odd number; NIC, NF and NC are the numbers of input channels, filters
    and colours. In the order in which they are used:

    1. convolution NIC -> NF with stride 2, batch norm, ReLU;                   32x32 becomes 16x16
    2. convolution NF -> 2 NF with stride 2, batch norm, ReLU;                  16x16 becomes 8x8
    3. transposed convolution 2 NF -> NF with stride 2, batch norm, ReLU;       8x8 becomes 16x16
    4. transposed convolution 2 NF -> NC with stride 2, batch norm, ReLU;       16x16 becomes 32x32;
       its input is the output of 3, then the output of 1, one behind the other along the channels
    5. convolution NC + NIC -> NC with stride 1, and nothing behind it: its outputs are the scores;
       its input is the output of 4, then the network's input x, along the channels.

    Every layer has kernel size k, a bias, and the padding that its sizes above ask for. What has
    weights is a `nn.Conv2d`, `nn.ConvTranspose2d` or `nn.BatchNorm2d` with PyTorch's defaults, one
    of its own for each place.

    Args:
        kernel: k.
        num_filters: NF.
        num_colours: NC.
        num_in_channels: NIC.

    Source: Ronneberger, Fischer and Brox, "U-Net: Convolutional Networks for Biomedical Image
    Segmentation", 2015.
    """

    def __init__(self, kernel, num_filters, num_colours, num_in_channels):
        super().__init__()
        ### BEGIN SOLUTION
        half = {"kernel_size": kernel, "stride": 2, "padding": kernel // 2}
        self.down1 = nn.Sequential(
            nn.Conv2d(num_in_channels, num_filters, **half), nn.BatchNorm2d(num_filters), nn.ReLU()
        )
        self.down2 = nn.Sequential(
            nn.Conv2d(num_filters, 2 * num_filters, **half),
            nn.BatchNorm2d(2 * num_filters),
            nn.ReLU(),
        )
        self.up1 = nn.Sequential(
            nn.ConvTranspose2d(2 * num_filters, num_filters, output_padding=1, **half),
            nn.BatchNorm2d(num_filters),
            nn.ReLU(),
        )
        self.up2 = nn.Sequential(
            nn.ConvTranspose2d(2 * num_filters, num_colours, output_padding=1, **half),
            nn.BatchNorm2d(num_colours),
            nn.ReLU(),
        )
        self.score = nn.Conv2d(
            num_colours + num_in_channels, num_colours, kernel, padding=kernel // 2
        )
        ### END SOLUTION

    def forward(self, x):
        """Return the scores (B, NC, 32, 32) of pictures x (B, NIC, 32, 32)."""
        ### BEGIN SOLUTION
        fine = self.down1(x)
        coarse = self.up1(self.down2(fine))
        full = self.up2(torch.cat([coarse, fine], dim=1))
        return self.score(torch.cat([full, x], dim=1))
        ### END SOLUTION


class DilatedUNet(nn.Module):
    """A UNet with one more block in its middle, which sees further by a dilated convolution.

    Everything is as in UNet, in the same order, except that between its blocks 2 and 3 stands

    - convolution 2 NF -> 2 NF with stride 1 and dilation 2, batch norm, ReLU;   8x8 stays 8x8.

    The kernel size of the dilated convolution is k as well; it has a bias, and zero padding that
    keeps height and width.

    Args:
        kernel: k, an odd number.
        num_filters: NF.
        num_colours: NC.
        num_in_channels: NIC.

    Source: Yu and Koltun, "Multi-Scale Context Aggregation by Dilated Convolutions", 2016.
    """

    def __init__(self, kernel, num_filters, num_colours, num_in_channels):
        super().__init__()
        ### BEGIN SOLUTION
        half = {"kernel_size": kernel, "stride": 2, "padding": kernel // 2}
        self.down1 = nn.Sequential(
            nn.Conv2d(num_in_channels, num_filters, **half), nn.BatchNorm2d(num_filters), nn.ReLU()
        )
        self.down2 = nn.Sequential(
            nn.Conv2d(num_filters, 2 * num_filters, **half),
            nn.BatchNorm2d(2 * num_filters),
            nn.ReLU(),
        )
        self.middle = nn.Sequential(
            nn.Conv2d(2 * num_filters, 2 * num_filters, kernel, padding=kernel - 1, dilation=2),
            nn.BatchNorm2d(2 * num_filters),
            nn.ReLU(),
        )
        self.up1 = nn.Sequential(
            nn.ConvTranspose2d(2 * num_filters, num_filters, output_padding=1, **half),
            nn.BatchNorm2d(num_filters),
            nn.ReLU(),
        )
        self.up2 = nn.Sequential(
            nn.ConvTranspose2d(2 * num_filters, num_colours, output_padding=1, **half),
            nn.BatchNorm2d(num_colours),
            nn.ReLU(),
        )
        self.score = nn.Conv2d(
            num_colours + num_in_channels, num_colours, kernel, padding=kernel // 2
        )
        ### END SOLUTION

    def forward(self, x):
        """Return the scores (B, NC, 32, 32) of pictures x (B, NIC, 32, 32)."""
        ### BEGIN SOLUTION
        fine = self.down1(x)
        coarse = self.up1(self.middle(self.down2(fine)))
        full = self.up2(torch.cat([coarse, fine], dim=1))
        return self.score(torch.cat([full, x], dim=1))
        ### END SOLUTION
