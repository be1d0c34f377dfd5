"""Attention between the words of a sentence.

Source: Vaswani et al., "Attention Is All You Need", 2017, equation 1, and the mask of section
3.2.3.
"""

import numpy as np


def attention_grid(words: list[str], sharpness: float, causal: bool = False) -> np.ndarray:
    """The weights with which each word of a sentence attends to each word, itself included.

    The score of two words is `sharpness` if they are the same text, and 0 if they are not, as the
    product of their one-hot vectors times `sharpness` gives it. The weights of a word are the
    softmax of its scores. With `causal`, a word attends only to itself and to the words before it.

    Args:
        words: the n words of the sentence, in order; at least one.
        sharpness: any number, also a negative one, or one so large that its exponential overflows.
        causal: whether later words get the weight 0.

    Returns:
        (n, n) weights; row i holds those of word i, and sums to 1.
    """
    same = np.array([[one == other for other in words] for one in words])
    scores = np.where(same, sharpness, 0.0)
    if causal:
        scores = np.where(np.tri(len(words), dtype=bool), scores, -np.inf)
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    grid: np.ndarray = weights / weights.sum(axis=1, keepdims=True)
    return grid
