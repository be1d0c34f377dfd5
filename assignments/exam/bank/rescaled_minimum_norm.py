import numpy as np
import torch

from autograder import alternative, mistake
from reference.sgd_convergence import preconditioned_limit


@mistake("turned back the wrong way: divide by the scale again")
def _(X, y, scale):
    return np.linalg.pinv(X / scale) @ y * scale


@mistake("turned back too far, by one factor too many")
def _(X, y, scale):
    return np.linalg.pinv(X / scale) @ y / scale**2


@mistake("not turned back: these weigh the new features")
def _(X, y, scale):
    return np.linalg.pinv(X / scale) @ y


@mistake("the scale is not used")
def _(X, y, scale):
    return np.linalg.pinv(X) @ y


@mistake("the features are multiplied, not divided")
def _(X, y, scale):
    return np.linalg.pinv(X * scale) @ y * scale


@mistake("the roots of the scales")
def _(X, y, scale):
    return np.linalg.pinv(X / np.sqrt(scale)) @ y / np.sqrt(scale)


@mistake("the normal equations of a singular matrix")
def _(X, y, scale):
    Z = X / scale
    return np.linalg.solve(Z.T @ Z, Z.T @ y) / scale


@mistake("a ridge term: the targets are missed by a little")
def _(X, y, scale):
    Z = X / scale
    return np.linalg.solve(Z.T @ Z + 1e-4 * np.eye(len(scale)), Z.T @ y) / scale


@mistake("the wrong matrix is inverted: it is d by d")
def _(X, y, scale):
    Z = X / scale
    return Z.T @ np.linalg.inv(Z.T @ Z) @ y / scale


@alternative("the pseudoinverse")
def _(X, y, scale):
    return np.linalg.pinv(X / scale) @ y / scale


@alternative("as the limit of preconditioned steps")
def _(X, y, scale):
    return preconditioned_limit(X, y, 1 / scale**2)


@alternative("a least squares routine, and matrices")
def _(X, y, scale):
    D = torch.diag(1 / torch.from_numpy(scale))
    Z = torch.from_numpy(X) @ D
    return D @ torch.linalg.lstsq(Z, torch.from_numpy(y)[:, None], driver="gelsd").solution[:, 0]
