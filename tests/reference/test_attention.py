"""Attention agrees with torch."""

import numpy as np
import pytest
import torch

from reference.attention import attention_grid


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("sharpness", [0.0, 1.7, -2.3, 2000.0, -2000.0])
def test_attention_is_torchs(sharpness, causal):
    words = ["this", "exam", "is", "a", "This", "exam", "a"]
    kinds = sorted(set(words))
    x = torch.eye(len(kinds)).double()[[kinds.index(word) for word in words]][None]
    values = torch.eye(len(words)).double()[None]
    want = torch.nn.functional.scaled_dot_product_attention(
        x, x, values, is_causal=causal, scale=sharpness
    )
    got = attention_grid(words, sharpness, causal)
    np.testing.assert_allclose(got, want[0].numpy(), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(got.sum(axis=1), 1)
