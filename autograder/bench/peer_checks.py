"""The checks of the seven questions as nbgrader and Otter have them: cells that assert.

The inputs have the shapes of the cases in `course/assignments/seven/seven.py`. `reference_f` is the
function `f` of `course/reference/layers.py`; whoever builds a notebook puts it in front.
"""

__all__ = ["HIDDEN", "VISIBLE"]

VISIBLE = {
    "sgd_step": "assert np.shape(sgd_step(np.ones(3), np.ones(3), lr=0.1)) == (3,)",
    "rmsprop_step": "assert len(rmsprop_step(np.ones(3), np.ones(3), np.ones(3), lr=0.1)) == 2",
    "softmax_xent": "assert np.shape(softmax_xent(np.zeros((2, 3)), np.array([0, 1]))) == ()",
    "conv2d_forward": (
        "assert conv2d_forward(np.ones((1, 1, 5, 5)), np.ones((1, 1, 3, 3)), np.ones(1)).ndim == 4"
    ),
    "batchnorm_forward": (
        "assert batchnorm_forward(np.ones((2, 3)), np.ones(3), np.ones(3)).shape == (2, 3)"
    ),
    "make_cnn": "assert isinstance(make_cnn(1, 3), torch.nn.Module)",
    "train_step": (
        "model = torch.nn.Linear(2, 2)\n"
        "loss = train_step(\n"
        "    model,\n"
        "    torch.optim.SGD(model.parameters(), lr=0.1),\n"
        "    torch.ones(3, 2),\n"
        "    torch.tensor([0, 1, 1]),\n"
        ")\n"
        "assert isinstance(loss, float)"
    ),
}

HIDDEN = {
    "sgd_step": """\
rng = np.random.default_rng(1)
for shape in ((5,), (4, 5), (8, 16, 16)):
    w, grad = rng.normal(size=(2, *shape))
    arguments = w.copy(), grad.copy()
    want = reference_sgd_step(w, grad, lr=0.1)
    np.testing.assert_allclose(sgd_step(w, grad, lr=0.1), want, rtol=1e-7, atol=1e-10)
    np.testing.assert_array_equal(w, arguments[0])
    np.testing.assert_array_equal(grad, arguments[1])
""",
    "rmsprop_step": """\
rng = np.random.default_rng(2)
for shape, scale, decay in (((5,), 1.0, 0.9), ((4, 5), 1.0, 0.5), ((64,), 1e-6, 0.9)):
    w, grad = rng.normal(size=(2, *shape))
    grad, square = scale * grad, scale**2 * rng.uniform(size=shape)
    arguments = w.copy(), grad.copy(), square.copy()
    got = rmsprop_step(w, grad, square, lr=0.01, decay=decay)
    want = reference_rmsprop_step(*arguments, lr=0.01, decay=decay)
    np.testing.assert_allclose(got[0], want[0], rtol=1e-7, atol=1e-10)
    np.testing.assert_allclose(got[1], want[1], rtol=1e-7, atol=1e-10)
    np.testing.assert_array_equal(w, arguments[0])
    np.testing.assert_array_equal(grad, arguments[1])
    np.testing.assert_array_equal(square, arguments[2])
""",
    "softmax_xent": """\
rng = np.random.default_rng(3)
for shape, scale in (((4, 5), 1.0), ((64, 10), 1.0), ((16, 10), 1000.0)):
    logits, labels = scale * rng.normal(size=shape), rng.integers(shape[1], size=shape[0])
    arguments = logits.copy(), labels.copy()
    want = reference_softmax_xent(logits, labels)
    np.testing.assert_allclose(softmax_xent(logits, labels), want, rtol=1e-7, atol=1e-10)
    np.testing.assert_array_equal(logits, arguments[0])
    np.testing.assert_array_equal(labels, arguments[1])
""",
    "conv2d_forward": """\
rng = np.random.default_rng(4)
for x, w, stride, padding in (
    ((1, 1, 5, 5), (1, 1, 3, 3), 1, 0),
    ((2, 3, 8, 8), (4, 3, 3, 3), 1, 1),
    ((2, 3, 9, 7), (4, 3, 3, 2), 2, 1),
):
    x, weight, bias = rng.normal(size=x), rng.normal(size=w), rng.normal(size=w[0])
    arguments = x.copy(), weight.copy(), bias.copy()
    got = conv2d_forward(x, weight, bias, stride=stride, padding=padding)
    want = reference_conv2d_forward(x, weight, bias, stride=stride, padding=padding)
    np.testing.assert_allclose(got, want, rtol=1e-7, atol=1e-9)
    np.testing.assert_array_equal(x, arguments[0])
    np.testing.assert_array_equal(weight, arguments[1])
    np.testing.assert_array_equal(bias, arguments[2])
""",
    "batchnorm_forward": """\
rng = np.random.default_rng(5)
for shape, scale in (((4, 3), 1.0), ((64, 32), 1.0), ((16, 8), 1e-3)):
    x = 3.0 + scale * rng.normal(size=shape)
    gamma, beta = rng.normal(size=(2, shape[1]))
    arguments = x.copy(), gamma.copy(), beta.copy()
    want = reference_batchnorm_forward(x, gamma, beta)
    np.testing.assert_allclose(batchnorm_forward(x, gamma, beta), want, rtol=1e-7, atol=1e-9)
    np.testing.assert_array_equal(x, arguments[0])
    np.testing.assert_array_equal(gamma, arguments[1])
    np.testing.assert_array_equal(beta, arguments[2])
""",
    "make_cnn": """\
def scores(make, images, channels, classes):
    model = make(channels, classes)
    with torch.no_grad():
        for number, parameter in enumerate(model.parameters(), 1):
            flat = torch.arange(parameter.numel()) * (0.7 * number)
            parameter.copy_(0.2 * torch.sin(flat).reshape(parameter.shape))
        shapes = [list(parameter.shape) for parameter in model.parameters()]
        return shapes, model(torch.from_numpy(images)).numpy()

rng = np.random.default_rng(6)
for channels, classes, size in ((1, 3, 8), (3, 10, 12)):
    images = rng.normal(size=(2, channels, size, size)).astype("float32")
    got_shapes, got = scores(make_cnn, images, channels, classes)
    want_shapes, want = scores(reference_make_cnn, images, channels, classes)
    assert got_shapes == want_shapes
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-6)
""",
    "train_step": """\
def train(step, x, y, weight, steps):
    model = torch.nn.Linear(6, 3, bias=False)
    with torch.no_grad():
        model.weight.copy_(torch.from_numpy(weight))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
    x, y = torch.from_numpy(x), torch.from_numpy(y)
    losses = [step(model, optimizer, x, y) for _ in range(steps)]
    return losses, model.weight.detach().numpy()

rng = np.random.default_rng(7)
for steps in (1, 5):
    x = rng.normal(size=(16, 6)).astype("float32")
    y, weight = rng.integers(3, size=16), rng.normal(size=(3, 6)).astype("float32")
    losses, got = train(train_step, x, y, weight, steps)
    want_losses, want = train(reference_train_step, x, y, weight, steps)
    np.testing.assert_allclose(losses, want_losses, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)
""",
}
