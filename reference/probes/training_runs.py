"""Probes of hypergradients: what a run answers, and which graphs it keeps alive."""

import torch


def watch_runs(notebook, name, data, w0, runs, model, device="cpu", history=None):
    """Call a function of the notebook, and return its answers and what it kept alive.

    data: X and t for each loss that the function gets. runs: the numbers that each call gets.
    model: "linear" or "tanh". history: how many of the operations are counted that weights
    remember; where it is given, every loss marks the graph that it becomes part of, so that the
    graphs that are alive can be counted whenever a loss is asked for.
    """
    import gc
    import weakref

    alive, most, longest = weakref.WeakSet(), 0, 0

    class Sign:
        """Lives as long as a graph."""

    class Mark(torch.autograd.Function):
        """Hands its input on, and hangs a sign on the graph."""

        @staticmethod
        def forward(x):
            return x.clone()

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.sign = Sign()
            alive.add(ctx.sign)

        @staticmethod
        def backward(ctx, grad):
            return grad

        @staticmethod
        def jvp(ctx, tangent):
            return tangent.clone()

        @staticmethod
        def vmap(info, in_dims, x):
            return Mark.apply(x), in_dims[0]

    def look(w):
        """Count the graphs that are alive, and the operations that the weights remember."""
        nonlocal most, longest
        if len(alive) == 8:
            gc.collect(1)  # what nobody holds any more is no leak
        seen, waiting = set(), [w.grad_fn]
        while waiting and len(seen) < history:
            node = waiting.pop()
            if node is not None and node not in seen:
                seen.add(node)
                waiting += [parent for parent, _ in node.next_functions]
        most, longest = max(most, len(alive)), max(longest, len(seen))

    def loss_of(X, t):
        X, t = torch.tensor(X, device=device), torch.tensor(t, device=device)

        def loss(w):
            outputs = X @ w.reshape(X.shape[1], -1)
            if history is not None:
                look(w)
                outputs = Mark.apply(outputs)
            return ((torch.tanh(outputs) if model == "tanh" else outputs) - t).square().mean()

        return loss

    def plain(value):
        """Return a value without its graph."""
        if isinstance(value, (tuple, list)):
            return [plain(item) for item in value]
        return value.detach().cpu() if isinstance(value, torch.Tensor) else value

    def hangs_on_a_graph(value):
        if isinstance(value, (tuple, list)):
            return any(hangs_on_a_graph(item) for item in value)
        return isinstance(value, torch.Tensor) and value.grad_fn is not None

    losses = [loss_of(*pair) for pair in data]
    start = w0.to(device)
    before = start.clone()
    raw = [getattr(notebook, name)(*losses, start, *numbers) for numbers in runs]
    if alive:
        gc.collect()
    untouched = not start.requires_grad and start.grad is None and torch.equal(start, before)
    return {
        "answers": [plain(answer) for answer in raw],
        "most alive": most,
        "longest": longest,
        "left": len(alive) + sum(hangs_on_a_graph(answer) for answer in raw),
        "w0 untouched": untouched,
    }
