"""Small data sets that are drawn, not read: digits of 8 x 8 pixels, and the arms of spirals.

Sources: the digits are like those of Alpaydin and Kaynak, "Optical Recognition of Handwritten
Digits", 1998; the spirals are Lang and Witbrock, "Learning to Tell Two Spirals Apart", 1988, with
three arms.
"""

from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

GLYPHS = (
    "01110 10001 10011 10101 11001 10001 01110",
    "00100 01100 00100 00100 00100 00100 01110",
    "01110 10001 00001 00110 01000 10000 11111",
    "11111 00010 00100 00010 00001 10001 01110",
    "00010 00110 01010 10010 11111 00010 00010",
    "11111 10000 11110 00001 00001 10001 01110",
    "00110 01000 10000 11110 10001 10001 01110",
    "11111 00001 00010 00100 01000 01000 01000",
    "01110 10001 10001 01110 10001 10001 01110",
    "01110 10001 10001 01111 00001 00010 01100",
)


def draw_digits(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw digits: (count, 64) pixels, and (count,) labels from 0 to 9.

    Args:
        rng: draws places, contrasts, noise and labels.
        count: how many digits.
    """
    glyphs = np.array([[[int(p) for p in row] for row in glyph.split()] for glyph in GLYPHS])
    y = rng.integers(10, size=count)
    images = 0.2 * rng.normal(size=(count, 8, 8))
    tops, lefts, contrasts = (
        rng.integers(2, size=count),
        rng.integers(1, 3, size=count),
        rng.uniform(0.5, 1.0, size=count),
    )
    rows = tops[:, None, None] + np.arange(7)[:, None]
    columns = lefts[:, None, None] + np.arange(5)
    images[np.arange(count)[:, None, None], rows, columns] += contrasts[:, None, None] * glyphs[y]
    return images.reshape(count, 64), y


def draw_spirals(
    rng: np.random.Generator, count: int, seam: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Draw points of three spiral arms: (count, 2) coordinates, and (count,) labels from 0 to 2.

    Args:
        rng: draws all of it.
        count: how many points.
        seam: the distance from the middle from which on each arm has another arm's label.
    """
    y, radius = rng.integers(3, size=count), rng.uniform(0.2, 1.0, size=count)
    angle = 4 * radius + 2 * np.pi * y / 3 + 0.15 * rng.normal(size=count)
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return points, (y + 2 * (radius > seam)) % 3


def show_data() -> None:
    """Show ten digits and the spirals."""
    generator = np.random.default_rng(3)
    digits, _ = draw_digits(generator, 10)
    points, arms = draw_spirals(generator, 300)
    _, (left, right) = plt.subplots(
        1, 2, figsize=(9, 3.2), width_ratios=(2, 1), layout="constrained"
    )
    rows = digits.reshape(2, 5, 8, 8).transpose(0, 2, 1, 3).reshape(16, 40)
    left.imshow(rows, cmap="gray_r")
    left.axis("off")
    right.scatter(points[:, 0], points[:, 1], c=arms, s=6)
    right.set_aspect("equal")
    plt.show()


def turned(rng: np.random.Generator, data: str) -> Callable[[int], tuple[np.ndarray, np.ndarray]]:
    """Return a function that draws examples of one kind, all turned in one way that rng draws.

    A network that was trained elsewhere knows other pixels, other spirals and other numbers.

    Args:
        rng: draws the turn, and then the examples.
        data: ``digits`` or ``spirals``.

    Returns:
        From a count to (count, d) examples and (count,) labels.
    """
    features, classes = (64, 10) if data == "digits" else (2, 3)
    numbers = rng.permutation(classes)
    turn = np.linalg.qr(rng.normal(size=(features, features)))[0]
    turn *= rng.choice([-1, 1], size=features)
    seam = rng.uniform(0.45, 0.75)

    def draw(count: int) -> tuple[np.ndarray, np.ndarray]:
        X, y = draw_digits(rng, count) if data == "digits" else draw_spirals(rng, count, seam)
        return X @ turn, numbers[y]

    return draw


def draw_decisions(
    fit: Callable[[np.ndarray, np.ndarray, int, int], Any],
    predict: Callable[[Any, np.ndarray], np.ndarray],
) -> None:
    """Train on the spirals, colour the plane by the labels that come of it, and draw the points.

    Args:
        fit: from (count, 2) points, their labels, the number of classes and a seed to parameters.
        predict: from these and (n, 2) points to (n,) labels.
    """
    points, arms = draw_spirals(np.random.default_rng(1), 400)
    try:
        params = fit(points, arms, 3, 0)
    except NotImplementedError:
        plt.title("write fit_two_layer first")
        return
    ticks = np.linspace(-1.2, 1.2, 120)
    plane = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
    _, axis = plt.subplots(figsize=(4.2, 4), layout="constrained")
    axis.pcolormesh(ticks, ticks, predict(params, plane).reshape(120, 120), alpha=0.3)
    axis.scatter(points[:, 0], points[:, 1], c=arms, s=7)
    axis.set_aspect("equal")
    plt.show()
