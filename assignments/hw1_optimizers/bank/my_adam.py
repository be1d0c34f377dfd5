import torch

from autograder import alternative, mistake
from reference.optimizers import adam_step


class AdamFrame(torch.optim.Optimizer):
    """The frame that students are given; a variant below says how one parameter is updated."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self.update(p, p.grad, self.state[p], group)
        return loss

    def update(self, p, g, state, group):
        self.average(g, state, group)
        p -= group["lr"] * self.direction(state, group)

    def average(self, g, state, group):
        beta1, beta2 = group["betas"]
        state["t"] = state.get("t", 0) + 1
        state["m"] = beta1 * state.get("m", torch.zeros_like(g)) + (1 - beta1) * g
        state["v"] = beta2 * state.get("v", torch.zeros_like(g)) + (1 - beta2) * g * g

    def direction(self, state, group):
        beta1, beta2 = group["betas"]
        m_hat = state["m"] / (1 - beta1 ** state["t"])
        return m_hat / (torch.sqrt(state["v"] / (1 - beta2 ** state["t"])) + group["eps"])


@mistake("no bias correction: m and v start at zero and must be divided by 1 − βᵗ", of="MyAdam")
class _(AdamFrame):
    def direction(self, state, group):
        return state["m"] / (torch.sqrt(state["v"]) + group["eps"])


@mistake("t is counted from 2: it grows once too often before the first step", of="MyAdam")
class _(AdamFrame):
    def average(self, g, state, group):
        state.setdefault("t", 1)
        super().average(g, state, group)


@mistake("eps under the root: it belongs beside it", of="MyAdam", costs=2)
class _(AdamFrame):
    def direction(self, state, group):
        beta1, beta2 = group["betas"]
        m_hat = state["m"] / (1 - beta1 ** state["t"])
        return m_hat / torch.sqrt(state["v"] / (1 - beta2 ** state["t"]) + group["eps"])


@mistake("eps is added to the root of v before the correction", of="MyAdam", costs=2)
class _(AdamFrame):
    def direction(self, state, group):
        beta1, beta2 = group["betas"]
        scale = (1 - beta2 ** state["t"]) ** 0.5 / (1 - beta1 ** state["t"])
        return scale * state["m"] / (torch.sqrt(state["v"]) + group["eps"])


@mistake(
    "the state is shared: every parameter needs its own m, v and t",
    of="MyAdam",
)
class _(AdamFrame):
    def update(self, p, g, state, group):
        super().update(p, g, self.state["shared"], group)


@mistake(
    "one count of steps, which grows with every parameter",
    of="MyAdam",
)
class _(AdamFrame):
    def update(self, p, g, state, group):
        self.t = getattr(self, "t", 0) + 1
        state["t"] = self.t - 1
        super().update(p, g, state, group)


@mistake("one count of steps for all parameters: a late one starts with a large t", of="MyAdam")
class _(AdamFrame):
    def step(self, closure=None):
        self.calls = getattr(self, "calls", -1) + 1
        return super().step(closure)

    def update(self, p, g, state, group):
        state["t"] = self.calls
        super().update(p, g, state, group)


@mistake(
    "a missing gradient taken for zero: the parameter coasts on, and counts a step", of="MyAdam"
)
class _(AdamFrame):
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                p.grad = torch.zeros_like(p) if p.grad is None else p.grad
        return super().step(closure)


@mistake(
    "stops at the first parameter without a gradient, and never reaches the others", of="MyAdam"
)
class _(AdamFrame):
    @torch.no_grad()
    def step(self, closure=None):
        loss = closure() if closure else None
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    return loss
                self.update(p, p.grad, self.state[p], group)
        return loss


@mistake("the state is not stored, so that every step is a first step", of="MyAdam")
class _(AdamFrame):
    def update(self, p, g, state, group):
        super().update(p, g, {}, group)


@mistake("the state is kept outside of self.state, and is lost when a run is resumed", of="MyAdam")
class _(AdamFrame):
    def __init__(self, *args, **settings):
        super().__init__(*args, **settings)
        self.memory = {}

    def update(self, p, g, state, group):
        super().update(p, g, self.memory.setdefault(p, {}), group)


@mistake("m and v are saved, but the count of steps is not, so t starts again at 1", of="MyAdam")
class _(AdamFrame):
    def update(self, p, g, state, group):
        self.counts = getattr(self, "counts", {})
        state["t"] = self.counts.get(p, 0)
        self.counts[p] = state["t"] + 1
        super().update(p, g, state, group)


@mistake("the settings of the first group are used for all groups", of="MyAdam")
class _(AdamFrame):
    def update(self, p, g, state, group):
        super().update(p, g, state, self.param_groups[0])


@mistake("the optimizer's defaults are used in place of the group's", of="MyAdam")
class _(AdamFrame):
    def update(self, p, g, state, group):
        super().update(p, g, state, self.defaults)


@mistake(
    "the settings are written into the code: the arguments are not used",
    of="MyAdam",
)
class _(AdamFrame):
    def update(self, p, g, state, group):
        super().update(p, g, state, {"lr": 0.1, "betas": (0.9, 0.999), "eps": 1e-8})


@mistake("a new tensor in place of the parameter, which the model never sees", of="MyAdam")
class _(AdamFrame):
    def update(self, p, g, state, group):
        self.average(g, state, group)
        p = p - group["lr"] * self.direction(state, group)


@mistake("steps uphill", of="MyAdam")
class _(AdamFrame):
    def update(self, p, g, state, group):
        self.average(g, state, group)
        p += group["lr"] * self.direction(state, group)


@mistake("the gradient is changed in place: it belongs to the caller", of="MyAdam")
class _(AdamFrame):
    def update(self, p, g, state, group):
        super().update(p, g.clone(), state, group)
        g.mul_(1 - group["betas"][0])


@mistake("v from the square of m: it is the mean of the squared gradients", of="MyAdam")
class _(AdamFrame):
    def average(self, g, state, group):
        beta2, old = group["betas"][1], state.get("v", torch.zeros_like(g))
        super().average(g, state, group)
        state["v"] = beta2 * old + (1 - beta2) * state["m"] ** 2


@mistake("the corrected m and v are stored, and corrected again in the next step", of="MyAdam")
class _(AdamFrame):
    def update(self, p, g, state, group):
        self.average(g, state, group)
        beta1, beta2 = group["betas"]
        state["m"] = state["m"] / (1 - beta1 ** state["t"])
        state["v"] = state["v"] / (1 - beta2 ** state["t"])
        p -= group["lr"] * state["m"] / (torch.sqrt(state["v"]) + group["eps"])


@mistake("another default: the learning rate is 0.001", of="MyAdam", costs=1)
class _(AdamFrame):
    def __init__(self, params, lr=1e-2, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, lr, betas, eps)


@mistake("another default: eps is 1e-8, not Keras's 1e-7", of="MyAdam", costs=1)
class _(AdamFrame):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-7):
        super().__init__(params, lr, betas, eps)


@mistake("step returns nothing, although a closure was given", of="MyAdam")
class _(AdamFrame):
    def step(self, closure=None):
        super().step(closure)


@mistake("the closure is never called", of="MyAdam")
class _(AdamFrame):
    def step(self, closure=None):
        return super().step(None)


@mistake(
    "the closure is called after the update too, so that the loss is that of the next step",
    of="MyAdam",
)
class _(AdamFrame):
    def step(self, closure=None):
        super().step(closure)
        return closure() if closure else None


mistake(
    "torch's own Adam under another name: the update is to be your own", MyAdam=torch.optim.Adam
)


@alternative("the learning rate takes up both corrections, and eps is scaled to fit", of="MyAdam")
class _(AdamFrame):
    def update(self, p, g, state, group):
        if not state:
            state.update(step=0, first=torch.zeros_like(p), second=torch.zeros_like(p))
        beta1, beta2 = group["betas"]
        state["step"] += 1
        state["first"].lerp_(g, 1 - beta1)
        state["second"].mul_(beta2).addcmul_(g, g, value=1 - beta2)
        shrink = (1 - beta2 ** state["step"]) ** 0.5
        rate = group["lr"] * shrink / (1 - beta1 ** state["step"])
        p.addcdiv_(state["first"], state["second"].sqrt() + shrink * group["eps"], value=-rate)


@alternative("all parameters of a group at once, with torch's foreach operations", of="MyAdam")
class _(AdamFrame):
    @torch.no_grad()
    def step(self, closure=None):
        with torch.enable_grad():
            loss = None if closure is None else closure()
        for group in self.param_groups:
            if active := [p for p in group["params"] if p.grad is not None]:
                self.update_all(active, group)
        return loss

    def update_all(self, active, group):
        beta1, beta2 = group["betas"]
        states = [self.state[p] for p in active]
        for p, state in zip(active, states, strict=True):
            state["t"] = state.get("t", 0) + 1
            state.setdefault("m", torch.zeros_like(p))
            state.setdefault("v", torch.zeros_like(p))
        grads, ms, vs = [p.grad for p in active], *([s[k] for s in states] for k in "mv")
        torch._foreach_mul_(ms, beta1)
        torch._foreach_add_(ms, grads, alpha=1 - beta1)
        torch._foreach_mul_(vs, beta2)
        torch._foreach_addcmul_(vs, grads, grads, value=1 - beta2)
        roots = torch._foreach_sqrt(vs)
        torch._foreach_div_(roots, [(1 - beta2 ** s["t"]) ** 0.5 for s in states])
        torch._foreach_add_(roots, group["eps"])
        moves = torch._foreach_div(ms, roots)
        torch._foreach_mul_(moves, [-group["lr"] / (1 - beta1 ** s["t"]) for s in states])
        torch._foreach_add_(active, moves)


@alternative("the functions of part 1, on arrays that are copied back", of="MyAdam")
class _(AdamFrame):
    def update(self, p, g, state, group):
        zeros = torch.zeros_like(p)
        t = state["t"] = state.get("t", 0) + 1
        tensors = p.detach(), g, state.get("m", zeros), state.get("v", zeros)
        arrays = [a.numpy() for a in tensors]
        new = adam_step(*arrays, t, group["lr"], *group["betas"], group["eps"])
        w, state["m"], state["v"] = (torch.as_tensor(a) for a in new)
        p.copy_(w)
