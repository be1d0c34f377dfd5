"""The layers agree with torch's own, in double precision to a relative 1e-8."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from reference import layers
from tests.each import require_each

TIGHT = {"rtol": 1e-8, "atol": 1e-11}  # rounding alone; some entries are sums that cancel
STRIDES = list(itertools.product((1, 2, 3), repeat=2))
PADS = list(itertools.product((0, 1, 2), repeat=2))
KERNELS = [(3, 2), (1, 1), (2, 5)]
MOVES = [(s, p, k) for s in STRIDES for p in PADS for k in KERNELS]


@pytest.fixture
def rng():
    return np.random.default_rng(4)


def leaves(*arrays):
    return [torch.tensor(a, requires_grad=True) for a in arrays]


def gradients(out, dout, tensors):
    return [g.numpy() for g in torch.autograd.grad(out, tensors, torch.tensor(dout))]


def assert_all_close(got, want):
    assert len(got) == len(want)
    for g, w in zip(got, want, strict=True):
        assert g.shape == tuple(w.shape)
        np.testing.assert_allclose(g, w, **TIGHT)


# Layers without pictures


@pytest.mark.parametrize("shape", [(4, 5), (1, 3, 2), (3, 2, 4, 5)])
def test_the_affine_layer_is_torchs_linear_layer(rng, shape):
    x, w, b = rng.normal(size=shape), rng.normal(size=(np.prod(shape[1:]), 6)), rng.normal(size=6)
    dout = rng.normal(size=(shape[0], 6))
    tensors = leaves(x, w, b)
    out = nn.functional.linear(tensors[0].flatten(1), tensors[1].T, tensors[2])
    assert_all_close([layers.affine_forward(x, w, b)], [out.detach()])
    assert_all_close(layers.affine_backward(dout, x, w), gradients(out, dout, tensors))


def test_relu_is_torchs_with_derivative_zero_at_zero(rng):
    x, dout = rng.normal(size=(2, 4, 5, 3))
    x.flat[::5] = 0
    (tensor,) = leaves(x)
    out = torch.relu(tensor)
    assert_all_close([layers.relu_forward(x)], [out.detach()])
    assert_all_close([layers.relu_backward(dout, x)], gradients(out, dout, [tensor]))
    assert (layers.relu_backward(dout, x)[x == 0] == 0).all()


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize(("n", "c"), [(5, 3), (4, 4), (1, 7)])
@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8"])
def test_softmax_loss_is_torchs_cross_entropy(rng, size, n, c, dtype):
    scores, labels = size * rng.normal(size=(n, c)), rng.integers(c, size=n).astype(dtype)
    (tensor,) = leaves(scores)
    out = nn.functional.cross_entropy(tensor, torch.tensor(labels.astype("int64")))
    loss, gradient = layers.softmax_loss(scores, labels)
    assert isinstance(loss, float)
    assert_all_close([np.array(loss)], [out.detach()])
    assert_all_close([gradient], gradients(out, np.array(1.0), [tensor]))


def test_a_network_that_knows_nothing_has_the_loss_ln_10():
    loss, gradient = layers.softmax_loss(np.zeros((3, 10)), np.array([0, 4, 9]))
    assert loss == pytest.approx(2.302585092994046, rel=1e-15)
    assert gradient[0, 0] == pytest.approx(-0.3)
    assert gradient[0, 1] == pytest.approx(1 / 30)


def test_a_wrong_class_by_two_thousand_costs_two_thousand():
    loss, gradient = layers.softmax_loss(np.array([[1000.0, -1000.0]]), np.array([1]))
    assert loss == 2000
    assert gradient.tolist() == [[1, -1]]


# Convolution and pooling


def sides(size, kernel, stride, pad):
    return [(n + 2 * p - k) // s + 1 for n, k, s, p in zip(size, kernel, stride, pad, strict=True)]


def test_convolution_is_torchs():
    def holds(stride, pad, kernel):
        rng = np.random.default_rng(4)
        x, w, b = (
            rng.normal(size=(2, 3, 8, 7)),
            rng.normal(size=(4, 3, *kernel)),
            rng.normal(size=4),
        )
        dout = rng.normal(size=(2, 4, *sides((8, 7), kernel, stride, pad)))
        tensors = leaves(x, w, b)
        out = nn.functional.conv2d(*tensors, stride=stride, padding=pad)
        assert_all_close([layers.conv_forward(x, w, b, stride, pad)], [out.detach()])
        assert_all_close(
            layers.conv_backward(dout, x, w, stride, pad), gradients(out, dout, tensors)
        )

    require_each(MOVES, holds)


def test_convolution_moves_by_one_without_a_frame_by_default(rng):
    x, w, b = rng.normal(size=(1, 2, 5, 4)), rng.normal(size=(3, 2, 2, 3)), rng.normal(size=3)
    got = layers.conv_forward(x, w, b)
    np.testing.assert_array_equal(got, layers.conv_forward(x, w, b, (1, 1), (0, 0)))
    dout = rng.normal(size=got.shape)
    assert_all_close(
        layers.conv_backward(dout, x, w), layers.conv_backward(dout, x, w, (1, 1), (0, 0))
    )


def test_convolution_does_not_flip_its_kernel():
    x, w = np.arange(4.0).reshape(1, 1, 1, 4), np.array([[[[1.0, 10.0]]]])
    got = layers.conv_forward(x, w, np.zeros(1))
    assert got.ravel().tolist() == [10, 21, 32]


POOLS = list(itertools.product([(2, 2), (3, 2), (1, 4)], STRIDES, [False, True]))


def test_max_pooling_is_torchs():
    def holds(size, stride, ties):
        rng = np.random.default_rng(4)
        x = rng.integers(3, size=(2, 3, 8, 7)) - 1.0 if ties else rng.normal(size=(2, 3, 8, 7))
        dout = rng.normal(size=(2, 3, *sides((8, 7), size, stride, (0, 0))))
        (tensor,) = leaves(x)
        out = nn.functional.max_pool2d(tensor, size, stride)
        assert_all_close([layers.max_pool_forward(x, size, stride)], [out.detach()])
        assert_all_close(
            [layers.max_pool_backward(dout, x, size, stride)], gradients(out, dout, [tensor])
        )

    require_each(POOLS, holds)


def test_of_two_largest_numbers_the_first_one_row_by_row_gets_the_gradient():
    x = np.array([[[[0.0, 5.0], [5.0, 0.0]]]])
    dx = layers.max_pool_backward(np.array([[[[2.0]]]]), x, (2, 2), (2, 2))
    assert dx.tolist() == [[[[0, 2], [0, 0]]]]


def test_transposed_convolution_is_torchs():
    def holds(stride, pad, kernel):
        rng = np.random.default_rng(4)
        x, b = rng.normal(size=(2, 3, 4, 5)), rng.normal(size=2)
        w = rng.normal(size=(3, 2, *kernel))
        for extra in itertools.product(range(stride[0]), range(stride[1])):
            shape = [
                (n - 1) * s - 2 * p + k + e
                for n, s, p, k, e in zip((4, 5), stride, pad, kernel, extra, strict=True)
            ]
            if min(shape) < 1:
                continue
            tensors = leaves(x, w, b)
            out = nn.functional.conv_transpose2d(
                *tensors, stride=stride, padding=pad, output_padding=extra
            )
            got = layers.conv_transpose_forward(x, w, b, stride, pad, extra)
            assert_all_close([got], [out.detach()])

    require_each(MOVES, holds)


def test_transposed_convolution_is_the_transpose():
    def holds(stride, pad, kernel):
        rng = np.random.default_rng(4)
        image, w = rng.normal(size=(2, 3, 8, 7)), rng.normal(size=(4, 3, *kernel))
        there = layers.conv_forward(image, w, np.zeros(4), stride, pad)
        drawn = rng.normal(size=there.shape)
        extra = [
            (n + 2 * p - k) % s for n, k, s, p in zip((8, 7), kernel, stride, pad, strict=True)
        ]
        back = layers.conv_transpose_forward(drawn, w, np.zeros(3), stride, pad, extra)
        assert back.shape == image.shape
        assert (there * drawn).sum() == pytest.approx((image * back).sum(), rel=1e-10)

    require_each(MOVES[::4], holds)


# All of them

NET = {
    "affine_forward": ((4, 2, 3), (6, 5), 5),
    "affine_backward": ((4, 5), (4, 2, 3), (6, 5)),
    "relu_forward": ((4, 3),),
    "relu_backward": ((4, 3), (4, 3)),
    "conv_forward": ((2, 3, 5, 6), (4, 3, 2, 3), 4),
    "conv_backward": ((2, 4, 4, 4), (2, 3, 5, 6), (4, 3, 2, 3)),
    "conv_transpose_forward": ((2, 3, 4, 5), (3, 2, 3, 2), 2),
}


@pytest.mark.parametrize("name", NET)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_layer_keeps_its_arguments_and_their_dtype(rng, name, dtype):
    arguments = [np.asarray(rng.normal(size=shape), dtype) for shape in NET[name]]
    before = [a.copy() for a in arguments]
    got = getattr(layers, name)(*arguments)
    for value in got if isinstance(got, tuple) else (got,):
        assert value.dtype == dtype
    for now, then in zip(arguments, before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_backward_functions_agree_with_measured_gradients(rng):
    x, w, b = rng.normal(size=(2, 2, 4, 5)), rng.normal(size=(3, 2, 2, 3)), rng.normal(size=3)
    dout = rng.normal(size=layers.conv_forward(x, w, b, (1, 2), (1, 0)).shape)
    got = layers.conv_backward(dout, x, w, (1, 2), (1, 0))
    for number, values in enumerate((x, w, b)):
        for place in ((0,) * values.ndim, tuple(n - 1 for n in values.shape)):
            losses = []
            for step in (1e-5, -1e-5):
                moved = [a.copy() for a in (x, w, b)]
                moved[number][place] += step
                losses.append((layers.conv_forward(*moved, (1, 2), (1, 0)) * dout).sum())
            measured = (losses[0] - losses[1]) / 2e-5
            assert got[number][place] == pytest.approx(measured, rel=1e-7, abs=1e-8)
