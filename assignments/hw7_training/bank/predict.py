import numpy as np
import torch

from autograder import alternative, mistake


@mistake("the example of the highest score, for each class")
def _(params, X):
    hidden = np.maximum(X @ params["W1"] + params["b1"], 0)
    return (hidden @ params["W2"] + params["b2"]).argmax(axis=0)


@mistake("the class of the lowest score")
def _(params, X):
    hidden = np.maximum(X @ params["W1"] + params["b1"], 0)
    return (hidden @ params["W2"] + params["b2"]).argmin(axis=1)


@mistake("the ReLU is left out")
def _(params, X):
    hidden = X @ params["W1"] + params["b1"]
    return (hidden @ params["W2"] + params["b2"]).argmax(axis=1)


@mistake("the biases are left out")
def _(params, X):
    return (np.maximum(X @ params["W1"], 0) @ params["W2"]).argmax(axis=1)


@mistake("the output biases are left out")
def _(params, X):
    return (np.maximum(X @ params["W1"] + params["b1"], 0) @ params["W2"]).argmax(axis=1)


@mistake("the hidden biases are left out")
def _(params, X):
    return (np.maximum(X @ params["W1"], 0) @ params["W2"] + params["b2"]).argmax(axis=1)


@mistake("the scores, not the class of the highest")
def _(params, X):
    return np.maximum(X @ params["W1"] + params["b1"], 0) @ params["W2"] + params["b2"]


@mistake("of several highest scores the last one")
def _(params, X):
    scores = np.maximum(X @ params["W1"] + params["b1"], 0) @ params["W2"] + params["b2"]
    return scores.shape[1] - 1 - scores[:, ::-1].argmax(axis=1)


@mistake("a ReLU on the scores: where all are negative, class 0 wins")
def _(params, X):
    scores = np.maximum(X @ params["W1"] + params["b1"], 0) @ params["W2"] + params["b2"]
    return np.maximum(scores, 0).argmax(axis=1)


@alternative("torch, as a tensor of labels")
def _(params, X):
    p = {name: torch.as_tensor(value) for name, value in params.items()}
    scores = torch.relu(torch.as_tensor(X) @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]
    return torch.tensor([row.tolist().index(max(row.tolist())) for row in scores])


@alternative("example by example, a list")
def _(params, X):
    labels = []
    for x in X:
        z = x @ params["W1"] + params["b1"]
        scores = np.where(z > 0, z, 0.0) @ params["W2"] + params["b2"]
        best = 0
        for c in range(1, len(scores)):
            best = c if scores[c] > scores[best] else best
        labels.append(best)
    return np.array(labels)
