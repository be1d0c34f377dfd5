"""Handwritten digits that are in no release: what networks are trained and tested on at grading.

450 digits, 45 of each kind, are in `digits.npz` beside this module; the other 1,347 of their set
are in assignments/hw4_conv_layers/data.

Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", 1998, UCI Machine
Learning Repository, https://doi.org/10.24432/C50P49, licence CC BY 4.0: 450 digits of its test
set.
"""

from importlib import resources

import numpy as np

_FOLDER = resources.files(__package__)


def held_back_digits() -> tuple[np.ndarray, np.ndarray]:
    """Return 450 images (450, 1, 8, 8) with values from 0 to 1, and their labels (450,)."""
    with (_FOLDER / "digits.npz").open("rb") as file, np.load(file) as digits:
        return digits["images"][:, None] / 16, digits["labels"].astype(int)
