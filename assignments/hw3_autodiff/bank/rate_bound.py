import numpy as np
import torch

from autograder import alternative, mistake

for misconception, wrong in (
    (
        "the bound on the sum: it still has to be divided by the number of steps",
        lambda B, rho, T: (B / (rho * T**0.5), B * rho * T**0.5),
    ),
    (
        "only one of the two terms: at the best step size they are equal, and add up",
        lambda B, rho, T: (B / (rho * T**0.5), B * rho / (2 * T**0.5)),
    ),
    (
        "twice the bound: each of the two terms has its one half",
        lambda B, rho, T: (B / (rho * T**0.5), 2 * B * rho / T**0.5),
    ),
    (
        "a rate of one over T, which such functions do not allow",
        lambda B, rho, T: (B / (rho * T**0.5), B * rho / T),
    ),
    (
        "the step size without the root of T",
        lambda B, rho, T: (B / (rho * T), B * rho / T**0.5),
    ),
    (
        "the square of the best step size: the root was forgotten",
        lambda B, rho, T: (B**2 / (rho**2 * T), B * rho / T**0.5),
    ),
    (
        "the step size upside down: steep functions need short steps",
        lambda B, rho, T: (rho / (B * T**0.5), B * rho / T**0.5),
    ),
    (
        "the step size does not depend on T",
        lambda B, rho, T: (B / rho, B * rho / T**0.5),
    ),
    (
        "one over rho as the step size",
        lambda B, rho, T: (1 / (rho * T**0.5), B * rho / T**0.5),
    ),
    (
        "the squares of B and rho in the bound",
        lambda B, rho, T: (B / (rho * T**0.5), B**2 * rho**2 / T**0.5),
    ),
    (
        "the quotient of B and rho in the bound, not their product",
        lambda B, rho, T: (B / (rho * T**0.5), B / (rho * T**0.5)),
    ),
    (
        "the two answers are swapped",
        lambda B, rho, T: (B * rho / T**0.5, B / (rho * T**0.5)),
    ),
    (
        "without the root of two: the two terms have the same factor one half",
        lambda B, rho, T: (B / (rho * (2 * T) ** 0.5), B * rho * (2 / T) ** 0.5),
    ),
    ("the bound alone", lambda B, rho, T: B * rho / T**0.5),
):
    mistake(misconception, rate_bound=wrong)


@alternative("the bound from the two terms at the best step size")
def _(B, rho, T):
    eta = np.sqrt(B**2 / (rho**2 * T))
    return eta, (B**2 / (2 * eta) + eta * T * rho**2 / 2) / T


@alternative("by the inequality of the means")
def _(B, rho, T):
    bound = torch.sqrt(torch.tensor((B * rho) ** 2 / T, dtype=torch.float64))
    return [bound / rho**2, bound]


@alternative("logarithms")
def _(B, rho, T):
    b, r, t = np.log([B, rho, T])
    return np.exp(b - r - t / 2), np.exp(b + r - t / 2)
