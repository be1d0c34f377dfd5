"""Probes of networks that colour pictures: layers, scores, an epoch, an evaluation, a training."""

import warnings

import numpy as np
import torch


def probe_network(notebook, name, sizes, numbers, x, slopes, training, device="cpu"):
    """Write numbers into a network's layers, in their order of use, and return what it does.

    sizes: kernel, num_filters, num_colours, num_in_channels.
    numbers: from 0 to 1; as many as are needed are taken, from the start again where they end.
    x: pictures. slopes: the gradient of some loss with respect to the scores, of their shape; None
        for pictures that are even, and numbers that keep all that comes out positive.
    """
    kinds = (torch.nn.Conv2d, torch.nn.ConvTranspose2d, torch.nn.BatchNorm2d)
    net = getattr(notebook, name)(*sizes)
    used, rows = [], []

    def note(module, inputs, output):
        kind = next((k.__name__ for k in kinds if isinstance(module, k)), None)
        if kind is None:
            return
        row = f"{kind} of {inputs[0].shape[1]} channels"
        if kind != "BatchNorm2d":
            row += f" with kernel {tuple(module.kernel_size)} to {tuple(output.shape[1:])}"
        row += ", without bias" if module.bias is None else ""
        row += ", used before" if any(module is other for other in used) else ""
        rows.append(row)
        used.append(module)

    net.eval()
    with torch.no_grad():  # a hook for all modules sees those too that nobody registered
        hook = torch.nn.modules.module.register_module_forward_hook(note)
        try:
            net(torch.zeros(x.shape))
        finally:
            hook.remove()
    rows.append(f"{sum(p.numel() for p in net.parameters())} weights registered in all")

    net = net.to(device).double()
    place = 0

    def fill(tensor, low, high, axis=None):
        """Write a number into each place of a tensor, or into each place along one axis."""
        nonlocal place
        if tensor is not None:
            shape = [n if axis in (None, i) else 1 for i, n in enumerate(tensor.shape)]
            picked = np.take(numbers, place + np.arange(np.prod(shape, dtype=int)), mode="wrap")
            place += picked.size
            with torch.no_grad():
                tensor.copy_(torch.tensor(low + (high - low) * picked).reshape(shape))

    used, even = list(dict.fromkeys(used)), slopes is None
    for module in used:
        if isinstance(module, torch.nn.BatchNorm2d):
            fill(module.weight, 0.5 if even else -1.5, 1.5)
            fill(module.running_mean, *((0.0, 0.0) if even else (-0.5, 0.5)))
            fill(module.running_var, 0.5 if even else 0.05, 1.0)
        elif even:
            axis = int(isinstance(module, torch.nn.ConvTranspose2d))
            mean = module.weight.shape[axis] / module.weight.numel()
            fill(module.weight, 0.5 * mean, 2.0 * mean, axis)
        else:
            width = 3 * (module.weight[0].numel()) ** -0.5
            fill(module.weight, -width, width)
        fill(module.bias, 0.1 if even else -0.5, 0.5)

    net.train(training)
    x = torch.tensor(x, dtype=torch.float64, device=device)
    kept = x.clone()
    scores = net(x)
    found = {"layers": rows, "shape": list(scores.shape), "input kept": bool((x == kept).all())}
    if even:
        middle = [size // 2 for size in scores.shape[2:]]
        return found | {"middle": scores[:, :, middle[0], middle[1]].detach().numpy()}
    if scores.shape != slopes.shape:
        return found
    some = [0, 1, 6, 13, 18, 27, 30, 31]
    found["scores"] = scores.detach().cpu()[:, :, some][:, :, :, some].numpy()
    (scores * torch.tensor(slopes, device=device)).sum().backward()
    weights = [p for module in used for p in (module.weight, module.bias) if p is not None]
    grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in weights]
    found["gradients"] = torch.cat([g.flatten() for g in grads]).cpu().numpy()
    norms = [m for m in used if isinstance(m, torch.nn.BatchNorm2d) and m.running_var is not None]
    for key, stats in (
        ("running means", [m.running_mean for m in norms]),
        ("running variances", [m.running_var for m in norms]),
    ):
        found[key] = torch.cat([s.cpu() for s in stats]).numpy() if norms else np.zeros(0)
    return found


def train_small_network(
    notebook, weights, grey, categories, batch_size, settings, evaluating, device="cpu"
):
    """Train a small network of ours for an epoch by a student's function; return what it became.

    It comes with gradients of an earlier loss, and in evaluation mode if so asked. Afterwards it
    scores two pictures: in training mode, and in evaluation mode, it would score them differently.
    """
    colours = (len(weights) - 36) // 4
    net = torch.nn.Sequential(
        torch.nn.Conv2d(1, 3, 3, padding=1),
        torch.nn.BatchNorm2d(3),
        torch.nn.ReLU(),
        torch.nn.Conv2d(3, colours, 1),
    ).to(device, torch.float64)
    torch.nn.utils.vector_to_parameters(torch.tensor(weights, device=device), net.parameters())
    x, y = torch.tensor(grey, device=device), torch.tensor(categories, device=device)
    sum((3.0 * p).sum() for p in net.parameters()).backward()
    net.train(not evaluating)
    sgd = torch.optim.SGD(net.parameters(), **settings)
    loss = notebook.colour_epoch(net, sgd, x, y, batch_size)
    found = {
        "loss": loss,
        "weights": torch.cat([p.detach().flatten() for p in net.parameters()]).cpu().numpy(),
        "running means": net[1].running_mean.cpu().numpy(),
        "grey": x.cpu().numpy(),
        "categories": y.cpu().numpy(),
    }
    with torch.no_grad():  # in the mode in which it was left
        return found | {"later": net(torch.tensor(grey[:2], device=device)).cpu().numpy()}


def evaluate_small_network(notebook, weights, grey, categories, batch_size, training, telling):
    """Let a student's function evaluate a small network of ours; return what came of both.

    telling: three rows, a number for each colour. In evaluation mode the network adds the first row
        to the scores of a picture; the second row, if it is one of more than `batch_size`; the
        third, if gradients are recorded. So loss and accuracy tell how they were computed.
    """

    class Telling(torch.nn.Module):
        def forward(self, x):
            if self.training:
                return x
            kinds = (torch.arange(len(x)) >= batch_size).long() + 2 * int(x.requires_grad)
            return x + torch.tensor(telling, dtype=x.dtype)[kinds.clamp(max=2), :, None, None]

    colours = (len(weights) - 36) // 4
    net = torch.nn.Sequential(
        torch.nn.Conv2d(1, 3, 3, padding=1),
        torch.nn.BatchNorm2d(3),
        torch.nn.ReLU(),
        torch.nn.Conv2d(3, colours, 1),
        Telling(),
    ).double()
    torch.nn.utils.vector_to_parameters(torch.tensor(weights), net.parameters())
    net[1].running_mean += torch.linspace(-0.5, 0.5, 3)
    net[1].running_var *= 2.5
    net.train(training)
    x, y = torch.tensor(grey), torch.tensor(categories)
    loss, accuracy = notebook.evaluate(net, x, y, batch_size)
    state = {key: value.numpy().copy() for key, value in net.state_dict().items()}
    with torch.no_grad():  # in the mode in which it was left
        later = net(torch.tensor(grey[:2])).numpy()
    return {
        "values": [loss, accuracy],
        "state": state,
        "later": later,
        "grey": x.numpy(),
        "categories": y.numpy(),
    }


def train_colourer(notebook, name, start, pictures, categories, unseen, colours, precise, device):
    """Train a network for one pass with Adam; return its start, and what it makes of new pictures.

    start: what its layers hold at first, in their order of use: weights, biases and statistics.
        None leaves what the class gives them.
    precise: whether to train in double precision.
    """
    net, used = getattr(notebook, name)(3, 8, colours, 1), []
    kinds = (torch.nn.Conv2d, torch.nn.ConvTranspose2d, torch.nn.BatchNorm2d)
    hook = torch.nn.modules.module.register_module_forward_hook(
        lambda module, xs, out: used.append(module) if isinstance(module, kinds) else None
    )
    try:
        with torch.no_grad():
            net.eval()(torch.zeros(1, 1, 32, 32))
    finally:
        hook.remove()
    net.to(device, torch.float64 if precise else torch.float32)
    values = [v for m in used for v in m.state_dict().values() if v.is_floating_point()]
    if start is not None:
        for value, new in zip(values, start, strict=True):
            value.copy_(torch.tensor(new))
    found = {"start": [value.double().cpu().numpy().copy() for value in values]}

    like = {"dtype": values[0].dtype, "device": device}
    x, new = (torch.tensor(p, **like) for p in (pictures, unseen))
    y = torch.tensor(categories, dtype=torch.long, device=device)
    adam, batch = torch.optim.Adam(net.parameters()), 4
    net.train()
    torch.set_flush_denormal(not precise)  # of weights far too large, most gradients are so small
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what the switch could do on other devices
            # oneDNN takes longer to prepare convolutions so small than to compute them.
            with torch.backends.mkldnn.flags(enabled=False):
                for place in range(0, len(x), batch):
                    adam.param_groups[0]["lr"] = 0.01 * (1 - 0.9 * place / len(x))
                    some = slice(place, place + batch)
                    adam.zero_grad()
                    torch.nn.functional.cross_entropy(net(x[some]), y[some]).backward()
                    adam.step()
    finally:
        torch.set_flush_denormal(False)
    with torch.no_grad():
        found["numbers"] = net.eval()(new).argmax(dim=1).to(torch.uint8).cpu().numpy()
        # By the statistics of these pictures: what is compared hangs on the weights alone.
        found["scores"] = net.train()(new[:4])[:, :, 3::5, 3::5].cpu().numpy()
    return found
