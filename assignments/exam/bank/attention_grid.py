import numpy as np
import torch

from autograder import alternative, mistake


def grid_of_scores(words, sharpness, causal, hidden=-np.inf):
    """Return the scores for the variants below, with `hidden` where a word may not look."""
    scores = sharpness * np.array([[float(a == b) for b in words] for a in words])
    if causal:
        scores[np.triu_indices(len(words), 1)] = hidden
    return scores


def softmax(scores, axis=-1):
    """Return the softmax along an axis."""
    weights = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return weights / weights.sum(axis=axis, keepdims=True)


@mistake("the exponential overflows: subtract the largest score of the row first")
def _(words, sharpness, causal=False):
    with np.errstate(all="ignore"):
        weights = np.exp(grid_of_scores(words, sharpness, causal))
        return weights / weights.sum(axis=1, keepdims=True)


@mistake("the columns sum to one, not the rows")
def _(words, sharpness, causal=False):
    return softmax(grid_of_scores(words, sharpness, causal), axis=0)


@mistake("one softmax over the whole grid, not one for each row")
def _(words, sharpness, causal=False):
    weights = softmax(grid_of_scores(words, sharpness, causal).ravel())
    return weights.reshape(len(words), -1)


@mistake("masked after the softmax: the rows do not sum to one any more")
def _(words, sharpness, causal=False):
    weights = softmax(grid_of_scores(words, sharpness, False))
    return np.tril(weights) if causal else weights


@mistake("a score of zero is no mask: its exponential is one")
def _(words, sharpness, causal=False):
    return softmax(grid_of_scores(words, sharpness, causal, hidden=0.0))


@mistake("causal the wrong way round: only later words are seen")
def _(words, sharpness, causal=False):
    scores = grid_of_scores(words, sharpness, False)
    if causal:
        scores[np.tril_indices(len(words), -1)] = -np.inf
    return softmax(scores)


@mistake("a word does not see itself")
def _(words, sharpness, causal=False):
    scores = grid_of_scores(words, sharpness, causal)
    scores[range(1, len(words)), range(1, len(words))] = -np.inf
    return softmax(scores)


@mistake("causal or not is not asked: later words are always seen")
def _(words, sharpness, causal=False):
    return softmax(grid_of_scores(words, sharpness, False))


@mistake("causal although nobody asked for it")
def _(words, sharpness, causal=True):
    return softmax(grid_of_scores(words, sharpness, True))


@mistake("a word that comes back is taken for another word")
def _(words, sharpness, causal=False):
    return softmax(grid_of_scores([str(place) for place in range(len(words))], sharpness, causal))


@mistake("capital letters are ignored")
def _(words, sharpness, causal=False):
    return softmax(grid_of_scores([word.lower() for word in words], sharpness, causal))


@mistake("the scores are divided by the root of a dimension")
def _(words, sharpness, causal=False):
    return softmax(grid_of_scores(words, sharpness / len(set(words)) ** 0.5, causal))


@mistake("the sharpness is not used")
def _(words, sharpness, causal=False):
    return softmax(grid_of_scores(words, 1.0, causal))


@mistake("shares of equal words, without a softmax")
def _(words, sharpness, causal=False):
    scores = grid_of_scores(words, 1.0, causal, hidden=0.0)
    return scores / scores.sum(axis=1, keepdims=True)


@mistake("different words get a negative score: theirs is zero")
def _(words, sharpness, causal=False):
    scores = 2 * grid_of_scores(words, sharpness, False) - sharpness
    if causal:
        scores[np.triu_indices(len(words), 1)] = -np.inf
    return softmax(scores)


@mistake("the scores, before the softmax")
def _(words, sharpness, causal=False):
    return grid_of_scores(words, sharpness, causal, hidden=0.0)


@mistake("the mask is too weak for a large sharpness")
def _(words, sharpness, causal=False):
    return softmax(grid_of_scores(words, sharpness, causal, hidden=-1000.0))


@alternative("torch's attention on one-hot vectors")
def _(words, sharpness, causal=False):
    vocabulary = sorted(set(words))
    X = torch.eye(len(vocabulary)).double()[[vocabulary.index(word) for word in words]]
    return torch.nn.functional.scaled_dot_product_attention(
        X[None], X[None], torch.eye(len(words)).double()[None], is_causal=causal, scale=sharpness
    )[0].numpy()


@alternative("word by word, by counting")
def _(words, sharpness, causal=False):
    grid = []
    for i, word in enumerate(words):
        seen = words[: i + 1] if causal else words
        weight = np.exp(-abs(sharpness))  # of the kind that is looked at less
        like, unlike = (1.0, weight) if sharpness > 0 else (weight, 1.0)
        if sharpness < 0 and all(other == word for other in seen):
            like = 1.0
        row = [like if other == word else unlike for other in seen]
        grid.append([w / sum(row) for w in row] + [0.0] * (len(words) - len(row)))
    return grid


@alternative("by way of the logarithm of the sum")
def _(words, sharpness, causal=False):
    words = np.array(words)
    scores = np.where(words[:, None] == words, sharpness, 0.0)
    if causal:
        scores = scores + np.triu(np.full((len(words),) * 2, -1e9), 1)
    return np.exp(scores - np.logaddexp.reduce(scores, axis=1, keepdims=True))
