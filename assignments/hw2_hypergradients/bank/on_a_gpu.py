from bank._shared import derivative, leaf, unroll

from autograder import mistake


@mistake("weights are moved to the CPU, where the data are not", of="hypergrad_unrolled")
def _(train_loss, valid_loss, w0, lr, steps):
    eta, w = leaf(lr, w0.cpu())
    return derivative(valid_loss(unroll(train_loss, eta, w, steps)), eta)
