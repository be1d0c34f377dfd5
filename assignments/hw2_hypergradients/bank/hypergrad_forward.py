import torch
from bank._shared import derivative, grad, leaf, unroll

from autograder import alternative, mistake


def carry(train_loss, valid_loss, w0, lr, steps, turn=1.0, start=0.0, sign=-1.0, cut=True):
    """Forward mode with a factor of its Hessian term, and other things that can be wrong."""
    w, z = w0.clone(), torch.full_like(w0, start)
    for _ in range(steps):
        w = (w.detach() if cut else w).requires_grad_(True) if cut or not w.grad_fn else w
        g = grad(train_loss(w), w, create_graph=True)[0]
        bent = grad((g * z).sum(), w, retain_graph=not cut)[0]
        g = g.detach() if cut else g
        z = z + sign * g - turn * bent
        w = w - lr * g
    return finish(valid_loss, w, z)


def finish(valid_loss, w, z):
    """Return the loss and its derivative along z."""
    w = w.detach().requires_grad_()
    loss = valid_loss(w)
    return loss.item(), (grad(loss, w)[0] * z).sum().item()


@mistake("the term with the Hessian is missing: earlier steps also change later gradients")
def _(train_loss, valid_loss, w0, lr, steps):
    return carry(train_loss, valid_loss, w0, lr, steps, turn=0.0)


@mistake("the term with the Hessian is added to z: it is subtracted")
def _(train_loss, valid_loss, w0, lr, steps):
    return carry(train_loss, valid_loss, w0, lr, steps, turn=-lr)


@mistake("the learning rate is missing in the term with the Hessian")
def _(train_loss, valid_loss, w0, lr, steps):
    return carry(train_loss, valid_loss, w0, lr, steps, turn=1.0)


@mistake("the first weights do not depend on the learning rate: z starts at zero, not at one")
def _(train_loss, valid_loss, w0, lr, steps):
    return carry(train_loss, valid_loss, w0, lr, steps, turn=lr, start=1.0)


@mistake("the gradient is added to z in each step: it is subtracted")
def _(train_loss, valid_loss, w0, lr, steps):
    return carry(train_loss, valid_loss, w0, lr, steps, turn=lr, sign=1.0)


@mistake("the gradient is multiplied by the learning rate in z, as in the weights")
def _(train_loss, valid_loss, w0, lr, steps):
    return carry(train_loss, valid_loss, w0, lr, steps, turn=lr, sign=-lr)


@mistake("one step too many")
def _(train_loss, valid_loss, w0, lr, steps):
    return carry(train_loss, valid_loss, w0, lr, steps + 1, turn=lr)


@mistake("one step too few")
def _(train_loss, valid_loss, w0, lr, steps):
    return carry(train_loss, valid_loss, w0, lr, steps - 1, turn=lr)


@mistake("one step, however many are asked for")
def _(train_loss, valid_loss, w0, lr, steps):
    return carry(train_loss, valid_loss, w0, lr, 1, turn=lr)


@mistake("the training loss at the end")
def _(train_loss, valid_loss, w0, lr, steps):
    return carry(train_loss, train_loss, w0, lr, steps, turn=lr)


@mistake("trained on the validation loss")
def _(train_loss, valid_loss, w0, lr, steps):
    return carry(valid_loss, valid_loss, w0, lr, steps, turn=lr)


@mistake("steps uphill")
def _(train_loss, valid_loss, w0, lr, steps):
    return carry(train_loss, valid_loss, w0, -lr, steps, turn=-lr)


@mistake("loss and hypergradient in the wrong order")
def _(train_loss, valid_loss, w0, lr, steps):
    return carry(train_loss, valid_loss, w0, lr, steps, turn=lr)[::-1]


@mistake("z is right, and the derivative at the end has the other sign")
def _(train_loss, valid_loss, w0, lr, steps):
    loss, slope = carry(train_loss, valid_loss, w0, lr, steps, turn=lr)
    return loss, -slope


@mistake("z at the end, not yet multiplied by the gradient of the validation loss")
def _(train_loss, valid_loss, w0, lr, steps):
    w, z = w0.clone(), torch.zeros_like(w0)
    for _ in range(steps):
        w.requires_grad_()
        g = grad(train_loss(w), w, create_graph=True)[0]
        z = z - g.detach() - lr * grad((g * z).sum(), w)[0]
        w = w.detach() - lr * g.detach()
    return valid_loss(w).item(), z


@mistake("the Hessian is taken at the weights after the step, not at those before it")
def _(train_loss, valid_loss, w0, lr, steps):
    w, z = w0.clone(), torch.zeros_like(w0)
    for _ in range(steps):
        w.requires_grad_()
        g = grad(train_loss(w), w)[0]
        w = (w.detach() - lr * g).requires_grad_()
        new = grad(train_loss(w), w, create_graph=True)[0]
        z = z - g - lr * grad((new * z).sum(), w)[0]
        w = w.detach()
    return finish(valid_loss, w, z)


@mistake("the gradient in the recursion is taken at the weights after the step")
def _(train_loss, valid_loss, w0, lr, steps):
    w, z = w0.clone(), torch.zeros_like(w0)
    for _ in range(steps):
        w.requires_grad_()
        g = grad(train_loss(w), w, create_graph=True)[0]
        bent = grad((g * z).sum(), w)[0]
        w = (w - lr * g).detach().requires_grad_()
        z = z - grad(train_loss(w), w)[0] - lr * bent
        w = w.detach()
    return finish(valid_loss, w, z)


@mistake("the new z goes into the product with the Hessian, not the old one")
def _(train_loss, valid_loss, w0, lr, steps):
    w, z = w0.clone(), torch.zeros_like(w0)
    for _ in range(steps):
        w.requires_grad_()
        g = grad(train_loss(w), w, create_graph=True)[0]
        z = z - g.detach()
        z = z - lr * grad((g * z).sum(), w)[0]
        w = w.detach() - lr * g.detach()
    return finish(valid_loss, w, z)


@mistake("the squared gradient in place of the Hessian: that is another matrix")
def _(train_loss, valid_loss, w0, lr, steps):
    w, z = w0.clone(), torch.zeros_like(w0)
    for _ in range(steps):
        w.requires_grad_()
        g = grad(train_loss(w), w)[0]
        z = z - g - lr * g * (g * z).sum()
        w = w.detach() - lr * g
    return finish(valid_loss, w, z)


@mistake("only the diagonal of the Hessian: its product with a vector mixes the weights")
def _(train_loss, valid_loss, w0, lr, steps):
    w, z = w0.clone(), torch.zeros_like(w0)
    for _ in range(steps):
        w.requires_grad_()
        g = grad(train_loss(w), w, create_graph=True)[0]
        rows = [grad(entry, w, retain_graph=True)[0].flatten() for entry in g.flatten()]
        bent = torch.stack(rows).diagonal().reshape(w0.shape) * z
        z = z - g.detach() - lr * bent
        w = w.detach() - lr * g.detach()
    return finish(valid_loss, w, z)


@mistake("the gradient at the end is taken at the weights before the last step")
def _(train_loss, valid_loss, w0, lr, steps):
    w, z = w0.clone(), torch.zeros_like(w0)
    for _ in range(steps):
        w = w.detach().requires_grad_()
        g = grad(train_loss(w), w, create_graph=True)[0]
        z = z - g.detach() - lr * grad((g * z).sum(), w)[0]
        before, w = w, w.detach() - lr * g.detach()
    slope = grad(valid_loss(before), before)[0]
    return valid_loss(w).item(), (slope * z).sum().item()


@mistake("only for vectors: @ is no sum over all entries")
def _(train_loss, valid_loss, w0, lr, steps):
    w, z = w0.clone(), torch.zeros_like(w0)
    for _ in range(steps):
        w.requires_grad_()
        g = grad(train_loss(w), w, create_graph=True)[0]
        z = z - g.detach() - lr * grad(g @ z, w)[0]
        w = w.detach() - lr * g.detach()
    w.requires_grad_()
    loss = valid_loss(w)
    return loss.item(), (grad(loss, w)[0] @ z).item()


@mistake("nothing is detached: right numbers, but the graphs of all steps stay alive")
def _(train_loss, valid_loss, w0, lr, steps):
    return carry(train_loss, valid_loss, w0, lr, steps, turn=lr, cut=False)


@mistake("z remembers where it comes from: right numbers, but the graphs of all steps stay alive")
def _(train_loss, valid_loss, w0, lr, steps):
    w, z = w0.clone(), torch.zeros_like(w0)
    for _ in range(steps):
        w.requires_grad_()
        g = grad(train_loss(w), w, create_graph=True)[0]
        z = z - g - lr * grad((g * z.detach()).sum(), w, retain_graph=True)[0]
        w = w.detach() - lr * g.detach()
    return finish(valid_loss, w, z)


@mistake("the weights are not detached: right numbers, but they remember every former step")
def _(train_loss, valid_loss, w0, lr, steps):
    w, z = w0.clone().requires_grad_(), torch.zeros_like(w0)
    for _ in range(steps):
        g = grad(train_loss(w), w, create_graph=True)[0]
        z = z - g.detach() - lr * grad((g * z).sum(), w)[0]
        w = w - lr * g.detach()
    return finish(valid_loss, w, z)


@mistake("reverse mode once more: right numbers, but the graphs of all steps stay alive")
def _(train_loss, valid_loss, w0, lr, steps):
    eta, w = leaf(lr, w0)
    return derivative(valid_loss(unroll(train_loss, eta, w, steps)), eta)


@mistake("the losses are kept with their graphs: a number is enough")
def _(train_loss, valid_loss, w0, lr, steps):
    w, z, kept = w0.clone(), torch.zeros_like(w0), []
    for _ in range(steps):
        w.requires_grad_()
        kept.append(train_loss(w))
        g = grad(kept[-1], w, create_graph=True)[0]
        z = z - g.detach() - lr * grad((g * z).sum(), w)[0]
        w = w.detach() - lr * g.detach()
    return finish(valid_loss, w, z)


@mistake("a difference quotient: it is rough, and in single precision too rough")
def _(train_loss, valid_loss, w0, lr, steps):
    def end(rate):
        w = w0.clone()
        for _ in range(steps):
            w = w.detach().requires_grad_()
            w = w.detach() - rate * grad(train_loss(w), w)[0]
        return valid_loss(w).item()

    return end(lr), (end(lr + 1e-4) - end(lr - 1e-4)) / 2e-4


@mistake("the run is made in the caller's w0, so that the next run starts where this one ended")
def _(train_loss, valid_loss, w0, lr, steps):
    z = torch.zeros_like(w0)
    for _ in range(steps):
        w = w0.detach().requires_grad_()
        g = grad(train_loss(w), w, create_graph=True)[0]
        z = z - g.detach() - lr * grad((g * z).sum(), w)[0]
        w0 -= lr * g.detach()
    return finish(valid_loss, w0, z)


@mistake("the caller's w0 is made to require a gradient")
def _(train_loss, valid_loss, w0, lr, steps):
    w, z = w0, torch.zeros_like(w0)
    for _ in range(steps):
        w.requires_grad_()
        g = grad(train_loss(w), w, create_graph=True)[0]
        z = z - g.detach() - lr * grad((g * z).sum(), w)[0]
        w = w.detach() - lr * g.detach()
    return finish(valid_loss, w, z)


@alternative("torch.func.jvp of the gradient")
def _(train_loss, valid_loss, w0, lr, steps):
    w, z = w0, torch.zeros_like(w0)
    for _ in range(steps):
        here, turned = torch.func.jvp(torch.func.grad(train_loss), (w,), (z,))
        w, z = w - lr * here, z - here - lr * turned
    return torch.func.jvp(valid_loss, (w,), (z,))


@alternative("dual numbers through the whole run: torch's own forward mode")
def _(train_loss, valid_loss, w0, lr, steps):
    from torch.autograd import forward_ad

    rate = torch.tensor(lr, dtype=w0.dtype, device=w0.device)
    with forward_ad.dual_level():
        rate = forward_ad.make_dual(rate, torch.ones_like(rate))
        w = w0
        for _ in range(steps):
            w = w - rate * torch.func.grad(train_loss)(w)
        value, tangent = forward_ad.unpack_dual(valid_loss(w))
    return float(value), float(tangent)


@alternative("the Hessian as a matrix, for small models")
def _(train_loss, valid_loss, w0, lr, steps):
    def flat(loss):
        return lambda v: loss(v.reshape(w0.shape))

    w, z = w0.reshape(-1), torch.zeros(w0.numel(), dtype=w0.dtype)
    for _ in range(steps):
        hessian = torch.autograd.functional.hessian(flat(train_loss), w)
        slope = torch.autograd.functional.jacobian(flat(train_loss), w)
        z = z - slope - lr * hessian @ z
        w = w - lr * slope
    last = torch.autograd.functional.jacobian(flat(valid_loss), w)
    return valid_loss(w.reshape(w0.shape)).item(), torch.dot(last, z).item()


@alternative("the Hessian by vmap, and its rows times z")
def _(train_loss, valid_loss, w0, lr, steps):
    w, z = w0.clone(), torch.zeros_like(w0)
    for _ in range(steps):
        H = torch.func.hessian(train_loss)(w)
        slope = torch.func.grad(train_loss)(w)
        w, z = w - lr * slope, z - slope - lr * (H * z).flatten(w0.ndim).sum(-1).reshape(w0.shape)
    return valid_loss(w), (torch.func.grad(valid_loss)(w) * z).sum()


@alternative("one linear map after the other, under no_grad")
def _(train_loss, valid_loss, w0, lr, steps):
    def slope_and_turn(w, z):
        with torch.enable_grad():
            leaf = w.detach().requires_grad_()
            (slope,) = torch.autograd.grad(train_loss(leaf), leaf, create_graph=True)
            (turned,) = torch.autograd.grad(slope, leaf, grad_outputs=z)
        return slope.detach(), turned

    w, z = w0.clone(), 0 * w0
    with torch.no_grad():
        for _ in range(steps):
            slope, turned = slope_and_turn(w, z)
            z.sub_(slope + lr * turned)
            w.sub_(slope, alpha=lr)
    end = torch.nn.Parameter(w)
    value = valid_loss(end)
    value.backward()
    return value.detach(), torch.tensordot(end.grad, z, dims=w0.ndim)
