"""Loss curves of short trainings, and pictures of them and of what makes them so.

Losses are in nats. The trainings are made from seeds by `assignments/hw7_training/curves.py`.

Sources: Karpathy, "A Recipe for Training Neural Networks", 2019, for what curves tell; He et al.,
"Delving Deep into Rectifiers", 2015, for how the size of signals changes with depth.
"""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np

# Hundredths of a nat, by panel and epoch: training loss, then validation loss.
LOSSES = """
A 296 296 296 296 296 296 296 296 296 296 296 296 296 296 296 296 296 296 296 296 296 296 296 296
A 300 300 300 300 300 300 300 300 300 300 300 300 300 300 300 300 300 300 300 300 300 300 300 300
B 226 127 102 74 69 48 47 41 36 29 29 26 24 22 19 17 16 14 14 13 12 12 11 10
B 142 117 96 85 82 90 98 88 99 86 99 98 109 94 99 99 100 100 99 100 100 103 103 103
C 272 237 220 193 180 175 163 156 146 145 138 130 126 124 118 113 109 105 102 99 95 92 88 86
C 223 206 182 171 165 150 139 138 129 123 121 116 114 114 102 99 95 91 88 87 85 82 79 76
D 1108 944 489 303 219 321 200 153 295 235 410 820 742 761 264 421 260 197 197 577 405 416 210 211
D 984 352 1055 278 491 410 511 387 589 481 595 1139 672 725 876 520 876 527 513 922 812 724 570 582
E 208 175 163 159 158 156 154 153 152 152 151 151 150 150 150 150 149 149 149 149 149 148 148 148
E 191 172 169 169 166 164 165 165 164 164 164 163 163 163 163 163 164 164 164 164 163 164 163 163
F 222 154 118 98 84 75 68 62 58 54 51 49 47 45 43 41 40 39 37 36 35 34 33 33
F 181 138 113 99 89 82 77 73 70 68 66 64 63 62 61 60 59 58 57 57 56 56 55 55
G 312 310 308 306 304 302 301 299 297 295 293 292 290 288 287 285 283 282 280 278 277 275 274 272
G 318 316 314 313 311 309 308 306 304 303 301 299 298 296 295 293 292 290 289 287 286 285 283 282
H 2413 1194 738 546 438 351 298 256 221 201 179 163 154 140 131 119 113 106 98 93 87 81 77 74
H 1418 784 546 459 382 342 302 280 276 278 278 265 273 252 254 263 252 243 253 239 249 243 246 243
"""
_ROWS = [line.split() for line in LOSSES.strip().splitlines()]
# By panel: the training losses, and the validation losses.
CURVES = {
    row[0]: [np.array(other[1:], float) / 100 for other in _ROWS if other[0] == row[0]]
    for row in _ROWS
}


def draw_curves() -> None:
    """Draw the eight panels."""
    _, axes = plt.subplots(2, 4, figsize=(13, 5.4), sharex=True, layout="constrained")
    for axis, (panel, (train, valid)) in zip(axes.flat, CURVES.items(), strict=True):
        epochs = np.arange(1, len(train) + 1)
        axis.axhline(2.303, color="grey", linestyle=":", linewidth=1)
        axis.plot(epochs, train, color="tab:blue", label="training")
        axis.plot(epochs, valid, color="tab:orange", linestyle="--", label="validation")
        axis.set_title(f"Panel {panel}", loc="left", fontweight="bold")
        low, high = min(train.min(), valid.min()), max(train.max(), valid.max())
        axis.set_ylim(max(0, low - 0.15 * (high - low)), high + 0.1 * (high - low) + 0.02)
    for axis in axes[-1]:
        axis.set_xlabel("epoch")
    for axis in axes[:, 0]:
        axis.set_ylabel("cross-entropy")
    axes[0, 1].legend(frameon=False)
    plt.show()


def draw_depth(depth: int = 30, width: int = 100) -> None:
    """Send 50 random inputs through deep networks of ReLUs and draw what comes of their size.

    Args:
        depth: how many layers.
        width: of each layer.
    """
    generator = np.random.default_rng(0)
    _, axis = plt.subplots(figsize=(6.5, 3.4), layout="constrained")
    for size in (0.10, 0.14, 0.20):
        values, squares = generator.normal(size=(50, width)), []
        for _layer in range(depth):
            before = values @ generator.normal(scale=size, size=(width, width))
            squares.append((before**2).mean())
            values = np.maximum(before, 0)
        axis.semilogy(range(1, depth + 1), squares, marker=".", label=f"std {size:.2f}")
    axis.set_xlabel("layer")
    axis.set_ylabel("mean square")
    axis.legend(frameon=False)
    plt.show()


def draw_steps(losses: Sequence[float], what: str) -> None:
    """Draw the losses of a training, step by step.

    Args:
        losses: in their order.
        what: names them, on the vertical axis.
    """
    _, axis = plt.subplots(figsize=(6, 2.6), layout="constrained")
    axis.plot(range(1, len(losses) + 1), losses, marker=".")
    axis.axhline(0, color="grey", linestyle=":", linewidth=1)
    axis.set_xlabel("step")
    axis.set_ylabel(what)
    plt.show()
