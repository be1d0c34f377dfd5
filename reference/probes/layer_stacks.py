"""Stacks of layers, drawn by chance, whose receptive fields are asked for."""


def draw_stack(rng, count, dilation):
    """Return `count` layers of many sizes, of which the last has the largest dilation."""
    rows = rng.integers([1, 1, 1], [6, 4, dilation + 1], size=(count, 3))
    rows[:1, 0], rows[-1:, 2] = rng.integers(2, 6), dilation
    return [tuple(row) for row in rows.tolist()]
