"""Figures of convolutions: edges of three kinds, and layers with a skip connection."""

import matplotlib.pyplot as plt
import numpy as np


def draw_network():
    """Draw the network of Question 1.2: a box for each step, an arrow for each connection."""
    steps = ["image", "a", "b", "c", "d", "e", "up", "join", "f"]
    _, axes = plt.subplots(figsize=(9, 1.9))
    places = [-0.15, *range(1, 9)]
    for x, name in zip(places, steps, strict=True):
        box = {"boxstyle": "round,pad=0.4", "facecolor": "#dbe9f6", "edgecolor": "#33577b"}
        axes.text(x, 0, name, ha="center", va="center", bbox=box)
    arrow = {"arrowstyle": "->", "color": "#33577b", "shrinkA": 14, "shrinkB": 14}
    for x in range(len(steps) - 1):
        axes.annotate("", (x + 1, 0), (x + 0.08, 0), arrowprops=arrow)
    skip = {**arrow, "connectionstyle": "arc3,rad=-0.25"}
    axes.annotate("", (7, 0), (1, 0), arrowprops=skip)
    axes.text(4, 0.95, "skip connection", ha="center", color="#33577b")
    axes.set(xlim=(-0.6, 8.6), ylim=(-0.5, 1.3))
    axes.axis("off")
    plt.show()


def draw_edges():
    """Draw the three kinds of edges of Question 1.3."""
    row, column = np.mgrid[:10, :10]
    images = {"horizontal": row < 5, "falling": row < column, "rising": row + column < 9}
    figure, axes = plt.subplots(1, 3, figsize=(6.4, 2.4))
    for place, (title, image) in zip(axes, images.items(), strict=True):
        place.imshow(np.where(image, 0.85, 0.25), cmap="gray", vmin=0, vmax=1)
        place.set(title=title, xticks=[], yticks=[])
    figure.tight_layout()
    plt.show()
