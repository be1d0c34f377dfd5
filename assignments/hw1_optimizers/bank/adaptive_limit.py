import numpy as np
import torch

from autograder import alternative, mistake
from reference.optimizers import adam_step

for point, misconception in (
    (
        [0.8, 0.4],
        "the minimum norm solution: adaptive methods do not keep the gradient's direction",
    ),
    ([1.0, 0.5], "the direction of x, but not a solution: 2 w1 + w2 has to be 2"),
    ([1.0, 0.0], "only the first weight moves: each coordinate has a rate of its own"),
    ([0.5, 1.0], "the rates are turned around: the larger gradient does not get the smaller step"),
    ([1.0, 1.0], "the right direction, but too far: 2 w1 + w2 has to be 2"),
    ([0.7, 0.7], "one decimal: two are asked for"),
):
    mistake(
        misconception,
        adaptive_limit=np.array(point),
    )

mistake(
    "taken for the minimum norm solution: the divided gradient is no multiple of x",
    adaptive_and_minimum_norm="A",
)
mistake(
    "taken for the shortest solution: a run from zero need not end at the nearest point",
    adaptive_and_minimum_norm="B",
)
mistake("the methods do end at a solution, 2 w1 + w2 = 2", adaptive_and_minimum_norm="C")
mistake("a truth value in place of a letter", adaptive_and_minimum_norm=False)
mistake("one number in place of two", adaptive_limit=0.9428)
alternative(
    "a list with two decimals, and a small letter",
    adaptive_limit=[0.67, 0.67],
    adaptive_and_minimum_norm=" d",
)
alternative("two decimals, the rest cut off", adaptive_limit=[0.66, 0.66])


def end_of_adam():
    """Return where Adam ends by simulation."""
    x, state = np.array([2.0, 1.0]), (np.zeros(2), np.zeros(2), np.zeros(2))
    for t in range(1, 3001):
        state = adam_step(state[0], 2 * (x @ state[0] - 2) * x, state[1], state[2], t, lr=1e-3)
    return state[0]


simulated = end_of_adam()
alternative(
    "found by simulation",
    adaptive_limit=torch.from_numpy(simulated),
    adaptive_and_minimum_norm="A" if np.linalg.norm(simulated) < 0.9 else "D",
)
