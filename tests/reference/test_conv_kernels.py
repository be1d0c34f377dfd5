"""Convolutions and kernels designed by hand agree with scipy."""

import numpy as np
import pytest
import scipy.ndimage
import scipy.signal

from reference import conv_kernels as answers
from reference.conv_kernels import (
    compose_kernels,
    convolution_matrix,
    convolve_same,
    correlate_same,
)

A = [[0, 1, 1, 0, 0], [0, 1, 1, 1, 0], [1, 1, 1, 1, 0], [0, 1, 1, 1, 0], [0, 0, 1, 0, 0]]
B = [[0, 0, 0, 0, 0], [0, 0, 1, 1, 1], [1, 1, 1, 1, 0], [0, 1, 1, 1, 0], [0, 0, 1, 0, 0]]
LAPLACIAN = [[0, -1, 0], [-1, 4, -1], [0, -1, 0]]
Q = [[0, -1, 0], [-1, 5, -1], [0, -1, 0]]
R = [[-1, -1, -1], [0, 0, 0], [1, 1, 1]]

SIZES = [((6, 5), (3, 3)), ((4, 7), (1, 5)), ((7, 4), (5, 1)), ((2, 3), (7, 5)), ((3, 3), (1, 1))]


def draw(*shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for shape in shapes]


# Convolution


@pytest.mark.parametrize(
    ("name", "image", "kernel"),
    [("laplacian_response", A, LAPLACIAN), ("q_response", B, Q), ("r_response", B, R)],
)
def test_the_responses_by_hand_are_scipys_convolutions(name, image, kernel):
    want = scipy.signal.convolve2d(image, kernel, mode="same", boundary="fill")
    np.testing.assert_array_equal(getattr(answers, name), want)


def test_of_the_three_kernels_only_the_last_tells_convolution_from_correlation():
    for kernel in (LAPLACIAN, Q):
        np.testing.assert_array_equal(kernel, np.rot90(kernel, 2))
    want = -scipy.signal.correlate2d(B, R, mode="same")
    np.testing.assert_array_equal(answers.r_response, want)


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


def test_the_effects_are_those_that_the_kernels_have():
    y, x = np.mgrid[0:9, 0:9].astype(float)
    edge = (x > 4).astype(float)
    inside = slice(1, -1), slice(1, -1)

    def respond(kernel, image):
        return scipy.ndimage.correlate(image, np.array(kernel, dtype=float))[inside]

    assert answers.kernel_effects == "FCD"
    np.testing.assert_allclose(respond(LAPLACIAN, 2 + 3 * x - y), 0, atol=1e-12)
    assert np.abs(respond(LAPLACIAN, edge)).max() == np.abs(respond(LAPLACIAN, edge.T)).max() == 1
    np.testing.assert_allclose(respond(Q, np.full((9, 9), 7.0)), 7)
    assert respond(Q, edge).min() < 0
    assert respond(Q, edge).max() > 1
    np.testing.assert_allclose(respond(R, np.sin(x)), 0, atol=1e-12)
    assert np.abs(respond(R, edge.T)).max() == 3


# Kernels


def correlate(image, kernel, mode="valid"):
    return scipy.signal.correlate2d(image, kernel, mode=mode)


def test_the_edge_kernel_finds_horizontal_edges():
    step = np.zeros((8, 7))
    step[4:] = 1
    assert np.abs(correlate(step, answers.horizontal_edge_kernel)).max() == 4
    assert not correlate(step.T, answers.horizontal_edge_kernel).any()


def test_the_line_kernel_finds_vertical_lines_only():
    y, x = np.mgrid[0:8, 0:9]
    assert correlate(x == 4, answers.vertical_line_kernel).max() == 6
    assert not correlate(y == 4, answers.vertical_line_kernel).any()
    assert not correlate(3 * x - 2 * y, answers.vertical_line_kernel).any()


def test_the_diagonal_kernel_tells_the_diagonals_apart():
    y, x = np.mgrid[0:8, 0:8]
    assert correlate(x > y, answers.diagonal_edge_kernel).any()
    assert not correlate(x + y > 8, answers.diagonal_edge_kernel).any()


def test_the_moving_kernels_move():
    (image,) = draw((6, 7))
    left = np.pad(image[:, 1:], ((0, 0), (0, 1)))
    np.testing.assert_array_equal(correlate(image, answers.left_by_correlation, "same"), left)
    got = scipy.signal.convolve2d(image, answers.left_by_convolution, mode="same")
    np.testing.assert_array_equal(got, left)
    moved = np.pad(image[:-2, :-1], ((2, 0), (1, 0)))
    got = correlate(image, answers.down_down_right_by_correlation, "same")
    np.testing.assert_array_equal(got, moved)


def test_the_blur_keeps_brightness_and_takes_all_of_the_finest_stripes():
    assert answers.blur_kernel.sum() == 1
    stripes = np.tile((-1.0) ** np.arange(8), (8, 1))
    np.testing.assert_allclose(correlate(stripes, answers.blur_kernel), 0, atol=1e-15)
    np.testing.assert_allclose(correlate(stripes.T, answers.blur_kernel), 0, atol=1e-15)


@pytest.mark.parametrize(("p", "q"), [((3, 3), (3, 3)), ((1, 4), (3, 1)), ((2, 5), (4, 3))])
def test_composed_kernels_do_what_two_do(p, q):
    image, first, second = draw((9, 11), p, q)
    kernel = compose_kernels(first, second)
    np.testing.assert_allclose(kernel, scipy.signal.convolve2d(first, second), atol=1e-14)
    want = correlate(correlate(image, first), second)
    np.testing.assert_allclose(correlate(image, kernel), want, atol=1e-12)
