"""Pictures to colour: small scenes drawn from a random generator, and CIFAR-10 where it lies.

Sun, pond, house and tree are darker or brighter than what is behind them, as it happens, and sky
and meadow are equally bright. So a colour can be told from shape, texture and place, and from
brightness alone only every second time.

Pictures are float32 arrays (N, 3, H, W) with values from 0 to 1, the channels red, green, blue.

Source: Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009, for CIFAR-10 and
the format of its files.
"""

import pickle
from pathlib import Path
from typing import Any

import numpy as np

SKY, MEADOW, SUN = (0.38, 0.52, 0.75), (0.42, 0.72, 0.36), (0.75, 0.65, 0.2)
POND, WALL, TREE = (0.3, 0.45, 0.85), (0.85, 0.35, 0.35), (0.25, 0.6, 0.5)
HORSE = 7  # CIFAR-10's number for it


def make_scenes(count: int, rng: np.random.Generator, size: int = 32) -> np.ndarray:
    """Draw landscapes: sky over a meadow, a sun, a pond, a house and a tree.

    Args:
        count: how many.
        rng: where sizes, places, light and texture come from.
        size: height and width in pixels.

    Returns:
        (count, 3, size, size) float32 from 0 to 1.
    """
    y, x = np.mgrid[0.5:size, 0.5:size].astype(np.float32)[:, None] / size
    texture = rng.standard_normal((count, size, size), dtype=np.float32)
    picture = np.zeros((count, 3, size, size), np.float32)

    def draw(low: float, high: float) -> np.ndarray:
        return rng.uniform(low, high, size=(count, 1, 1)).astype(np.float32)

    def light() -> np.ndarray:
        return np.where(draw(0, 1) < 0.5, draw(0.5, 0.72), draw(1.2, 1.45))

    def paint(where: np.ndarray, colour: tuple[float, ...], shade: np.ndarray) -> None:
        for channel, value in enumerate(colour):
            np.copyto(picture[:, channel], value * shade, where=where)

    horizon = draw(0.35, 0.6)
    paint(y < horizon, SKY, draw(0.85, 1.1) * (0.8 + 0.3 * y / horizon) + 0.02 * texture)
    paint(y >= horizon, MEADOW, draw(0.85, 1.1) * (1 + 0.14 * texture))
    across, down, radius = x - draw(0.1, 0.9), y - draw(0.08, 0.28), draw(0.07, 0.13)
    paint(across**2 + down**2 < radius**2, SUN, light() + 0.02 * texture)
    across, down, radius = x - draw(0.1, 0.9), y - draw(0.75, 0.92), draw(0.12, 0.22)
    paint(across**2 + (2.5 * down) ** 2 < radius**2, POND, light() + 0.02 * texture)
    across, up = np.abs(x - draw(0.15, 0.85)), draw(0.65, 0.85) - y
    bricks = np.where(np.floor(y * size) % 3 == 0, np.float32(0.85), np.float32(1))
    paint((across < draw(0.1, 0.17)) & (up > 0) & (up < draw(0.22, 0.38)), WALL, light() * bricks)
    across, up, tall = np.abs(x - draw(0.1, 0.9)), draw(0.62, 0.9) - y, draw(0.3, 0.5)
    paint((up > 0) & (2.6 * across < tall - up), TREE, light() * (1 + 0.07 * texture))
    return np.clip(picture, 0, 1)


def kmeans_colours(
    pictures: np.ndarray, count: int, rng: np.random.Generator, rounds: int = 15, pixels: int = 4000
) -> np.ndarray:
    """Find the colours that stand for all others best: Lloyd's k-means on some of the pixels.

    The first centres are drawn from the pixels. A centre that no pixel is nearest to stays.

    Args:
        pictures: (N, 3, H, W).
        count: how many colours.
        rng: draws the pixels, and the first centres among them.
        rounds: how often the centres move.
        pixels: how many are looked at.

    Returns:
        (count, 3) float32, from dark to bright.

    Source: Lloyd, "Least squares quantization in PCM", 1982.
    """
    every = np.moveaxis(pictures, 1, -1).reshape(-1, 3)
    sample = every[rng.choice(len(every), min(pixels, len(every)), replace=False)]
    distinct = np.unique(sample, axis=0)
    centres = distinct[rng.choice(len(distinct), count, replace=False)].astype(np.float64)
    for _ in range(rounds):
        distances = (sample**2).sum(1)[:, None] - 2 * sample @ centres.T + (centres**2).sum(1)
        members = np.eye(count)[distances.argmin(1)]
        sizes = members.sum(0)
        filled = sizes > 0
        centres[filled] = (members.T @ sample)[filled] / sizes[filled, None]
    return centres[np.argsort(centres.sum(1))].astype(np.float32)


class ArraysOnly(pickle.Unpickler):
    """Reads arrays, texts, numbers and their containers, and refuses everything else."""

    def find_class(self, module: str, name: str) -> Any:
        """Return one of the three names that a pickled array needs; import nothing."""
        known = {
            "ndarray": np.ndarray,
            "dtype": np.dtype,
            "_reconstruct": np.empty(0).__reduce__()[0],
        }
        if module.partition(".")[0] != "numpy" or name not in known:
            raise pickle.UnpicklingError(f"{module}.{name} has no place in a file of pictures")
        return known[name]


def load_cifar10(folder: str | Path, category: int = HORSE) -> tuple[np.ndarray, np.ndarray]:
    """Read the pictures of one category from the files of the Python version of CIFAR-10.

    Args:
        folder: holds ``data_batch_1`` and so on, and ``test_batch``.
        category: the number of the category.

    Returns:
        (N, 3, 32, 32) float32 from 0 to 1 for training, and (M, 3, 32, 32) for validation.

    Raises:
        FileNotFoundError: there is no such file in the folder.
        pickle.UnpicklingError: a file holds something other than data.
    """

    def read(pattern: str) -> np.ndarray:
        found = []
        for path in sorted(Path(folder).glob(pattern)):
            with path.open("rb") as file:
                batch = ArraysOnly(file, encoding="bytes").load()
            found.append(batch[b"data"][np.asarray(batch[b"labels"]) == category])
        if not found:
            raise FileNotFoundError(f"{folder} has no {pattern}")
        return np.concatenate(found).reshape(-1, 3, 32, 32).astype(np.float32) / 255

    return read("data_batch_*"), read("test_batch")
