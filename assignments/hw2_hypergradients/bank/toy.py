import numpy as np
import torch

from autograder import alternative, mistake

for title, wrong in (
    ("the factor n/2 is missing, and n is 1 here", {"toy_lr": 0.5}),
    ("the factor 2 of the gradient and that of the square: both count", {"toy_lr": 1.0}),
    ("twice too long: that step ends as far off on the other side", {"toy_weights": [3.0, 3.0]}),
    ("x times the target, not divided by its squared length", {"toy_weights": [0.75, 0.75]}),
    (
        "a tenth for each of ten steps: one step with the best rate leaves nothing to do",
        {"toy_lr_of_ten_steps": 0.025},
    ),
    ("ten steps need no longer steps than one", {"toy_lr_of_ten_steps": 0.5}),
):
    mistake(title, **wrong)
mistake("one number in place of two weights", toy_weights=1.5)
mistake("an array in place of a number", toy_lr=[0.1])
alternative(
    "a fraction, a tensor and a list",
    toy_lr=1 / 4,
    toy_weights=torch.tensor([1.5, 1.5]),
    toy_lr_of_ten_steps=np.float32(0.25),
)
