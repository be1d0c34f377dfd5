import torch
from bank._shared import torch_net

from autograder import alternative, mistake
from reference.convnet import convnet_loss
from reference.layers import (
    affine_backward,
    affine_forward,
    conv_backward,
    conv_forward,
    max_pool_backward,
    max_pool_forward,
    relu_backward,
    relu_forward,
    softmax_loss,
)

right_net = convnet_loss


def torch_loss(params, x, labels, reg, scores_of=torch_net, penalty=None):
    """Return loss and gradients by torch, with some of the network open for mistakes."""
    scores, leaves = scores_of(params, x)
    loss = torch.nn.functional.cross_entropy(scores, torch.tensor(labels))
    loss = loss + (
        reg / 2 * sum((leaves[n] ** 2).sum() for n in ("w1", "w2"))
        if penalty is None
        else penalty(leaves, reg)
    )
    loss.backward()
    return loss.item(), {name: leaf.grad.numpy() for name, leaf in leaves.items()}


@mistake("the penalty without its one half", costs=1)
def _(params, x, labels, reg=0.0):
    return right_net(params, x, labels, 2 * reg)


@mistake("the penalty's one half is in the gradient, not in the loss")
def _(params, x, labels, reg=0.0):
    return right_net(params, x, labels, 2 * reg)[0], right_net(params, x, labels, reg)[1]


@mistake("no penalty")
def _(params, x, labels, reg=0.0):
    return right_net(params, x, labels)


@mistake("the penalty counts biases as well")
def _(params, x, labels, reg=0.0):
    def penalty(leaves, reg):
        return reg / 2 * sum((leaf**2).sum() for leaf in leaves.values())

    return torch_loss(params, x, labels, reg, penalty=penalty)


@mistake("the penalty counts the kernels only")
def _(params, x, labels, reg=0.0):
    return torch_loss(
        params, x, labels, reg, penalty=lambda leaves, reg: reg / 2 * (leaves["w1"] ** 2).sum()
    )


@mistake("the penalty counts the affine layer only")
def _(params, x, labels, reg=0.0):
    return torch_loss(
        params, x, labels, reg, penalty=lambda leaves, reg: reg / 2 * (leaves["w2"] ** 2).sum()
    )


@mistake("the penalty is a mean of squares: it is a sum")
def _(params, x, labels, reg=0.0):
    def penalty(leaves, reg):
        return reg / 2 * sum((leaves[name] ** 2).mean() for name in ("w1", "w2"))

    return torch_loss(params, x, labels, reg, penalty=penalty)


@mistake("the penalty has no gradient")
def _(params, x, labels, reg=0.0):
    return right_net(params, x, labels, reg)[0], right_net(params, x, labels)[1]


@mistake("the penalty's gradient keeps a factor of two, or a half")
def _(params, x, labels, reg=0.0):
    return right_net(params, x, labels, reg)[0], right_net(params, x, labels, 2 * reg)[1]


@mistake("no ReLU")
def _(params, x, labels, reg=0.0):
    def scores_of(params, x):
        leaves = {name: torch.tensor(value, requires_grad=True) for name, value in params.items()}
        frame = tuple(side // 2 for side in leaves["w1"].shape[2:])
        hidden = torch.nn.functional.conv2d(
            torch.tensor(x), leaves["w1"], leaves["b1"], padding=frame
        )
        hidden = torch.nn.functional.max_pool2d(hidden, 2)
        return hidden.flatten(1) @ leaves["w2"] + leaves["b2"], leaves

    return torch_loss(params, x, labels, reg, scores_of)


@mistake("the mean of each window in place of its largest")
def _(params, x, labels, reg=0.0):
    def scores_of(params, x):
        leaves = {name: torch.tensor(value, requires_grad=True) for name, value in params.items()}
        frame = tuple(side // 2 for side in leaves["w1"].shape[2:])
        hidden = torch.nn.functional.conv2d(
            torch.tensor(x), leaves["w1"], leaves["b1"], padding=frame
        )
        hidden = torch.nn.functional.avg_pool2d(torch.relu(hidden), 2)
        return hidden.flatten(1) @ leaves["w2"] + leaves["b2"], leaves

    return torch_loss(params, x, labels, reg, scores_of)


@mistake("a ReLU on the scores, which cuts off half of them")
def _(params, x, labels, reg=0.0):
    def scores_of(params, x):
        scores, leaves = torch_net(params, x)
        return torch.relu(scores), leaves

    return torch_loss(params, x, labels, reg, scores_of)


@mistake("a softmax before the cross-entropy has one already")
def _(params, x, labels, reg=0.0):
    def scores_of(params, x):
        scores, leaves = torch_net(params, x)
        return scores.softmax(dim=1), leaves

    return torch_loss(params, x, labels, reg, scores_of)


@mistake("the kernels' rows and columns are mixed up in the frame")
def _(params, x, labels, reg=0.0):
    frame = params["w1"].shape[3] // 2, params["w1"].shape[2] // 2
    hidden = max_pool_forward(
        relu_forward(conv_forward(x, params["w1"], params["b1"], pad=frame)), (2, 2), (2, 2)
    )
    return softmax_loss(affine_forward(hidden, params["w2"], params["b2"]), labels)[0], params


@mistake("no frame: the images shrink")
def _(params, x, labels, reg=0.0):
    hidden = relu_forward(conv_forward(x, params["w1"], params["b1"]))
    hidden = max_pool_forward(hidden, (2, 2), (2, 2))
    return softmax_loss(affine_forward(hidden, params["w2"], params["b2"]), labels)[0], params


@mistake("a frame of one, whatever the kernel's size")
def _(params, x, labels, reg=0.0):
    hidden = relu_forward(conv_forward(x, params["w1"], params["b1"], pad=(1, 1)))
    hidden = max_pool_forward(hidden, (2, 2), (2, 2))
    return softmax_loss(affine_forward(hidden, params["w2"], params["b2"]), labels)[0], params


def backward_with(params, x, labels, reg, skip_relu=False, pooled_input=False):
    """The network with a slip on the way back."""
    w1, b1, w2, b2 = (params[name] for name in ("w1", "b1", "w2", "b2"))
    pad = w1.shape[2] // 2, w1.shape[3] // 2
    convolved = conv_forward(x, w1, b1, pad=pad)
    rectified = relu_forward(convolved)
    pooled = max_pool_forward(rectified, (2, 2), (2, 2))
    dscores = softmax_loss(affine_forward(pooled, w2, b2), labels)[1]
    dpooled, dw2, db2 = affine_backward(dscores, pooled, w2)
    source = convolved if pooled_input else rectified
    dhidden = max_pool_backward(dpooled, source, (2, 2), (2, 2))
    if not skip_relu:
        dhidden = relu_backward(dhidden, rectified if pooled_input else convolved)
    _, dw1, db1 = conv_backward(dhidden, x, w1, pad=pad)
    grads = {"w1": dw1 + reg * w1, "b1": db1, "w2": dw2 + reg * w2, "b2": db2}
    return right_net(params, x, labels, reg)[0], grads


@mistake("the ReLU is left out on the way back")
def _(params, x, labels, reg=0.0):
    return backward_with(params, x, labels, reg, skip_relu=True)


@mistake("only the affine layer gets a gradient")
def _(params, x, labels, reg=0.0):
    loss, grads = right_net(params, x, labels, reg)
    return loss, {**grads, "w1": 0 * grads["w1"], "b1": 0 * grads["b1"]}


@mistake("the gradients point downhill")
def _(params, x, labels, reg=0.0):
    loss, grads = right_net(params, x, labels, reg)
    return loss, {name: -grad for name, grad in grads.items()}


@mistake("divided by the batch's size once more: the loss has it already")
def _(params, x, labels, reg=0.0):
    loss, grads = right_net(params, x, labels, reg)
    penalty = {name: reg * params[name] for name in ("w1", "w2")}
    return loss, {n: (g - penalty.get(n, 0)) / len(x) + penalty.get(n, 0) for n, g in grads.items()}


@mistake("the gradients as a tuple: they belong into a dict")
def _(params, x, labels, reg=0.0):
    loss, grads = right_net(params, x, labels, reg)
    return loss, tuple(grads.values())


@mistake("the dict has names of its own: they are those of the parameters")
def _(params, x, labels, reg=0.0):
    loss, grads = right_net(params, x, labels, reg)
    return loss, {f"d{name}": grad for name, grad in grads.items()}


@mistake("overwrites the caller's parameters")
def _(params, x, labels, reg=0.0):
    result = right_net(params, x, labels, reg)
    params["b2"] -= 0.1
    return result


@alternative("torch's autograd for the whole network")
def _(params, x, labels, reg=0.0):
    return torch_loss(params, x, labels, reg)


@alternative("the ReLU after the pooling, which comes to the same")
def _(params, x, labels, reg=0.0):
    return torch_loss(params, x, labels, reg, lambda p, images: torch_net(p, images, True))


@alternative("the largest number's place found before the ReLU")
def _(params, x, labels, reg=0.0):
    return backward_with(params, x, labels, reg, pooled_input=True)
