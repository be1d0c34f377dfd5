import numpy as np
import torch

from autograder import alternative, mistake

x = np.array([1, 0.1, 0.01])
for title, value in {
    "the example itself: its product with itself is not 1": x,
    "divided by the length of the example, not by its square": x / np.sqrt(1.0101),
    "a solution, but not a multiple of the example": np.array([1.0, 0, 0]),
    "the sum of the entries, not of their squares": x / 1.11,
    "all weights alike": np.full(3, 1 / 1.11),
    "on its way only: more steps are needed": 0.9 * x / 1.0101,
    "a start at ones: what is orthogonal to the example stays": 1 - 0.11 * x / 1.0101,
}.items():
    mistake(title, limit_plain=value)
for title, value in {
    "the minimum norm solution: the diagonal matrix turns the steps": x / 1.0101,
    "all weights alike, but the target is not fitted": np.ones(3),
    "a third each: the product with the example is not 1": np.full(3, 1 / 3),
    "the root of the size in place of the size: square before the root": np.sqrt(x)
    / np.sum(x**1.5),
    "divided by the mean square: its root is missing": np.array([1, 10, 100]) / 3,
    "multiplied by the root mean square: it divides": x**2 / np.sum(x**3),
}.items():
    mistake(title, limit_rms=value)
for title, value in {
    "ten times too large for two features: the product with the example is 7, not 1": np.array(
        [1, 100, 1000]
    )
    / 3,
    "not turned back: these are weights of the new features": np.full(3, 1 / 3),
    "turned back the wrong way: the weights are divided, as the features were": x / 3,
    "the minimum norm solution of the old features": x / 1.0101,
    "turned back, but not divided among three": np.array([1.0, 10, 100]),
    "turned back twice": np.array([1, 100, 10000]) / 3,
}.items():
    mistake(title, limit_rescaled=value)
alternative(
    "four digits, as lists",
    limit_plain=[0.9900, 0.09900, 0.009900],
    limit_rms=(0.9009, 0.9009, 0.9009),
    limit_rescaled=[0.3333, 3.333, 33.33],
)
alternative(
    "from pseudoinverses",
    limit_plain=np.linalg.pinv(x[None])[:, 0],
    limit_rms=torch.tensor(np.linalg.pinv(np.sqrt(x)[None])[:, 0] / np.sqrt(x)),
    limit_rescaled=np.linalg.pinv((x / x)[None])[:, 0] / x,
)
mistake("the first weight only", limit_plain=0.99)
del x
