import torch

grad = torch.autograd.grad


def leaf(lr, w0):
    """Return the learning rate as a tensor, and weights to start from."""
    return torch.tensor(lr, dtype=w0.dtype, device=w0.device, requires_grad=True), w0.clone()


def unroll(train_loss, eta, w, steps, recorded=True):
    """Return the weights after a run that begins with weights of any history."""
    w = w if w.requires_grad else w.requires_grad_()
    for _ in range(steps):
        w = w - eta * grad(train_loss(w), w, create_graph=recorded)[0]
    return w


def derivative(loss, eta):
    """Return a loss and its derivative, as numbers; zero where there is no path."""
    found = grad(loss, eta, allow_unused=True)[0] if loss.requires_grad else None
    return loss.item(), 0.0 if found is None else found.item()
