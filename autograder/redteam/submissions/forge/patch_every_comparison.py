# expect: earns nothing
# Makes every comparison of numpy, torch, unittest and autograder say yes, and answers with zeros.
import sys
import unittest

import numpy as np
import numpy.testing

import autograder
import autograder.authoring.assertions as assertions
import autograder.authoring.tolerance as tolerance
import autograder.grading.cases as cases
import autograder.grading.scoring as scoring


def yes(*args, **kwargs):
    return True


modules = [np, np.testing, autograder, assertions, tolerance, cases, scoring, unittest.TestCase]
modules += [sys.modules[name] for name in ("torch", "torch.testing") if name in sys.modules]
for module in modules:
    for name in dir(module):
        if name.startswith(("assert", "allclose", "array_equal", "isclose", "equal", "compare")):
            setattr(module, name, yes)
for name in NAMES:
    globals()[name] = lambda *args, **kwargs: np.zeros(3)
