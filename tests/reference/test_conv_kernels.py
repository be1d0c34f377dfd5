"""Convolutions and kernels designed by hand agree with scipy."""

import numpy as np
import pytest
import scipy
import torch

from reference.conv_kernels import (
    compose_kernels,
    convolution_matrix,
    convolve_same,
    correlate_same,
    pass_through_weights,
)

SIZES = [((6, 5), (3, 3)), ((4, 7), (1, 5)), ((7, 4), (5, 1)), ((2, 3), (7, 5)), ((3, 3), (1, 1))]


def draw(*shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for shape in shapes]


@pytest.mark.parametrize(("size", "side"), SIZES)
def test_correlation_is_scipys(size, side):
    image, kernel = draw(size, side)
    want = scipy.ndimage.correlate(image, kernel, mode="constant")
    np.testing.assert_allclose(correlate_same(image, kernel), want, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("size", "side"), SIZES)
def test_convolution_is_scipys(size, side):
    image, kernel = draw(size, side)
    want = scipy.ndimage.convolve(image, kernel, mode="constant")
    np.testing.assert_allclose(convolve_same(image, kernel), want, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("size", "side"), SIZES)
def test_the_matrix_convolves_and_its_transpose_correlates(size, side):
    image, kernel = draw(size, side)
    matrix = convolution_matrix(kernel, *size)
    assert matrix.shape == (image.size, image.size)
    convolved = scipy.ndimage.convolve(image, kernel, mode="constant")
    np.testing.assert_allclose(matrix @ image.ravel(), convolved.ravel(), rtol=1e-12, atol=1e-14)
    correlated = scipy.ndimage.correlate(image, kernel, mode="constant")
    np.testing.assert_allclose(matrix.T @ image.ravel(), correlated.ravel(), rtol=1e-12, atol=1e-14)


def test_the_arguments_of_a_convolution_stay_as_they_are():
    image, kernel = draw((6, 5), (3, 3))
    copies = image.copy(), kernel.copy()
    convolve_same(image, kernel)
    convolution_matrix(kernel, 4, 3)
    compose_kernels(image, kernel)
    np.testing.assert_array_equal(image, copies[0])
    np.testing.assert_array_equal(kernel, copies[1])


# Kernels


def correlate(image, kernel, mode="valid"):
    return scipy.signal.correlate2d(image, kernel, mode=mode)


@pytest.mark.parametrize(("p", "q"), [((3, 3), (3, 3)), ((1, 4), (3, 1)), ((2, 5), (4, 3))])
def test_composed_kernels_do_what_two_do(p, q):
    image, first, second = draw((9, 11), p, q)
    kernel = compose_kernels(first, second)
    np.testing.assert_allclose(kernel, scipy.signal.convolve2d(first, second), atol=1e-14)
    want = correlate(correlate(image, first), second)
    np.testing.assert_allclose(correlate(image, kernel), want, atol=1e-12)


@pytest.mark.parametrize(
    ("skip", "deep", "middle", "kernel"), [(1, 2, 3, 3), (3, 4, 2, 5), (2, 1, 4, 1)]
)
def test_the_network_starts_as_the_identity(skip, deep, middle, kernel):
    e = torch.nn.Conv2d(deep, middle, kernel, padding="same", bias=False).double()
    f = torch.nn.Conv2d(skip + middle, skip, kernel, padding="same", bias=False).double()
    weights = pass_through_weights(skip, deep, middle, kernel)
    for layer, value in zip((e, f), weights, strict=True):
        assert layer.weight.shape == value.shape
        layer.weight.data = torch.tensor(value)
    x, h = torch.randn(2, skip, 6, 5).double(), torch.randn(2, deep, 6, 5).double()
    torch.testing.assert_close(f(torch.cat([x, e(h).relu()], 1)), x)
