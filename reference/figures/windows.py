"""Figure of the windows on a padded image that a convolution looks at."""

import matplotlib.pyplot as plt


def draw_windows(height, width, kernel, stride, pad, ax):
    """Draw the padded image, its pixels, and the first, the second and the last window."""
    ax.add_patch(
        plt.Rectangle((-pad[1], -pad[0]), width + 2 * pad[1], height + 2 * pad[0], fc="#eee")
    )
    ax.add_patch(plt.Rectangle((0, 0), width, height, fc="#9ecae1"))
    rows = range(-pad[0], height + pad[0] - kernel[0] + 1, stride[0])
    columns = range(-pad[1], width + pad[1] - kernel[1] + 1, stride[1])
    shown = ((rows[0], columns[0]), (rows[0], columns[1]), (rows[-1], columns[-1]))
    for (row, column), colour in zip(shown, ("#d94801", "#31a354", "#6a51a3"), strict=True):
        place = column + 0.07, row + 0.07
        size = kernel[1] - 0.14, kernel[0] - 0.14
        ax.add_patch(plt.Rectangle(place, *size, fill=False, ec=colour, lw=2.5))
    ax.set_xlim(-pad[1], width + pad[1])
    ax.set_ylim(height + pad[0], -pad[0])
    ax.set_xticks(range(-pad[1], width + pad[1] + 1))
    ax.set_yticks(range(-pad[0], height + pad[0] + 1))
    ax.grid(color="white")
    ax.set_aspect("equal")
    ax.set_title(f"kernel {kernel}, stride {stride}, pad {pad}", fontsize=9)
