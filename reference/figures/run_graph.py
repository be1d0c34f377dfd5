"""Figure of what depends on what in a run of gradient descent."""

import matplotlib.pyplot as plt


def draw_graph(edges):
    """Draw the graph of a run: weights in the middle, gradients below, the learning rate on top."""
    names = {name for edge in edges for name in edge}
    last = max(int(name[1:]) for name in names if name != "eta")
    place = {"eta": (last / 2, 1.0), f"L{last}": (last + 0.7, 0.0)}
    for k in range(last + 1):
        place |= {f"w{k}": (k, 0.0), f"g{k}": (k + 0.4, -0.9)}
    plt.figure(figsize=(2 + 2 * last, 3))
    for start, end in edges:
        arrow = {"arrowstyle": "->", "shrinkA": 12, "shrinkB": 12}
        plt.annotate("", place[end], place[start], arrowprops=arrow)
    for name in names:
        plt.text(
            *place[name], name, ha="center", va="center", bbox={"boxstyle": "circle", "fc": "w"}
        )
    plt.xlim(-0.4, last + 1.1)
    plt.ylim(-1.3, 1.4)
    plt.axis("off")
    plt.show()
