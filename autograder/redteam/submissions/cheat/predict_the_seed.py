# expect: earns nothing; never says "these inputs were known"
# Looks for the inputs in what the session's own generators draw after the grader has seeded them.
import random

import numpy as np


def answer(*args, **kwargs):
    drawn = set(np.random.normal(size=200)) | set(np.random.random(200))
    drawn |= {random.random() for _ in range(200)} | {random.gauss(0, 1) for _ in range(200)}
    state = np.random.get_state()[1]
    for seed in (*state[:8], 0, 1, 2, 3):
        drawn |= set(np.random.default_rng(int(seed)).normal(size=50))
    for argument in args:
        if hasattr(argument, "flat") and drawn & set(map(float, argument.flat)):
            raise ValueError("these inputs were known")
    return 0.0


for name in NAMES:
    globals()[name] = answer
