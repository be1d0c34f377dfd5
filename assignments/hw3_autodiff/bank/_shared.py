import numpy as np
import torch


def stable_sigmoid(x):
    return 0.5 * (1 + np.tanh(0.5 * x))


def f_of(first, second, dtype=np.float64):
    """Return a function of w from its two outputs as functions of (w1, w2)."""

    def f(w):
        w1, w2 = np.asarray(w, dtype=dtype)
        return np.array([first(w1, w2), second(w1, w2)])

    return f


def right_first(w1, w2):
    s = np.exp(w1) + np.exp(2 * w2)
    return np.exp(s) + np.sin(s)


def right_second(w1, w2):
    return w1 * w2 + stable_sigmoid(w1)


def jacobian_of(
    w,
    outer=lambda s: np.exp(s) + np.cos(s),
    first=np.exp,
    second=lambda x: 2 * np.exp(2 * x),
    slope=lambda p: p * (1 - p),
    product=lambda w1, w2: (w2, w1),
):
    """Return the Jacobian of f with each of its local derivatives to choose."""
    w1, w2 = np.asarray(w, dtype=np.float64)
    s = np.exp(w1) + np.exp(2 * w2)
    by_1, by_2 = product(w1, w2)
    upper = [outer(s) * first(w1), outer(s) * second(w2)]
    return np.array([upper, [by_1 + slope(stable_sigmoid(w1)), by_2]])


def torch_outputs(w):
    """Return the point and both outputs as torch's tensors, ready to be differentiated."""
    w = torch.tensor(w, dtype=torch.float64, requires_grad=True)
    s = w[0].exp() + (w[1] * 2).exp()
    return w, torch.stack([s.exp() + s.sin(), w[0] * w[1] + w[0].sigmoid()])


class VarFrame:
    """A right Var in small parts; each variant below puts something else in place of one."""

    def __init__(self, value, parents=()):
        self.value, self.grad, self.parents = float(value), 0.0, tuple(parents)

    def lift(self, x):
        return x if isinstance(x, VarFrame) else type(self)(x)

    def node(self, value, *parents):
        return type(self)(value, parents)

    def __add__(self, other):
        other = self.lift(other)
        return self.node(self.value + other.value, (self, 1.0), (other, 1.0))

    def __sub__(self, other):
        other = self.lift(other)
        return self.node(self.value - other.value, (self, 1.0), (other, -1.0))

    def __mul__(self, other):
        other = self.lift(other)
        return self.node(self.value * other.value, (self, other.value), (other, self.value))

    def __truediv__(self, other):
        other = self.lift(other)
        a, b = self.value, other.value
        return self.node(a / b, (self, 1 / b), (other, -a / b**2))

    def __pow__(self, k):
        return self.node(self.value**k, (self, k * self.value ** (k - 1)))

    def __radd__(self, number):
        return self.lift(number) + self

    def __rsub__(self, number):
        return self.lift(number) - self

    def __rmul__(self, number):
        return self.lift(number) * self

    def __rtruediv__(self, number):
        return self.lift(number) / self

    def __neg__(self):
        return self * -1

    def exp(self):
        return self.node(np.exp(self.value), (self, np.exp(self.value)))

    def log(self):
        return self.node(np.log(self.value), (self, 1 / self.value))

    def sin(self):
        return self.node(np.sin(self.value), (self, np.cos(self.value)))

    def sigmoid(self):
        p = stable_sigmoid(self.value)
        return self.node(p, (self, p * (1 - p)))

    def sweep(self):
        """Return the nodes of the graph, each after everything that uses it."""
        pending, ready, order = {}, [self], []
        stack, seen = [self], {self}
        while stack:
            for parent, _ in stack.pop().parents:
                pending[parent] = pending.get(parent, 0) + 1
                if parent not in seen:
                    seen.add(parent)
                    stack.append(parent)
        while ready:
            node = ready.pop()
            order.append(node)
            for parent, _ in node.parents:
                pending[parent] -= 1
                if pending[parent] == 0:
                    ready.append(parent)
        return order

    def backward(self):
        adjoints = {self: 1.0}
        for node in self.sweep():
            node.grad += adjoints[node]
            for parent, slope in node.parents:
                adjoints[parent] = adjoints.get(parent, 0.0) + slope * adjoints[node]


# What is slipped in one of the derivatives that make up the Jacobian, for `jacobian_of`.
WRONG_JACOBIANS = (
    (
        "the derivative of the sine is the cosine, with a plus",
        {"outer": lambda s: np.exp(s) - np.cos(s)},
    ),
    (
        "the sine was not differentiated: its derivative is the cosine",
        {"outer": lambda s: np.exp(s) + np.sin(s)},
    ),
    ("the sine is lost on the way", {"outer": np.exp}),
    ("only the sine was differentiated: the exponential is lost", {"outer": np.cos}),
    (
        "exp(S) is differentiated like a power, as S exp(S - 1)",
        {"outer": lambda s: s * np.exp(s - 1) + np.cos(s)},
    ),
    (
        "the derivative of exp(2 w2) has a factor 2",
        {"second": lambda x: np.exp(2 * x)},
    ),
    (
        "the factor 2 stays with w2: the derivative of exp(2 w2) is not 2 exp(w2)",
        {"second": lambda x: 2 * np.exp(x)},
    ),
    ("the inner derivative exp(w1) is missing", {"first": lambda x: 1.0}),
    ("the inner derivative 2 exp(2 w2) is missing", {"second": lambda x: 1.0}),
    ("the derivative of the logistic function is not the function", {"slope": lambda p: p}),
    ("the derivative of the logistic function is not 1 - sigma", {"slope": lambda p: 1 - p}),
    (
        "the derivative of the hyperbolic tangent for that of the logistic function",
        {"slope": lambda p: 1 - p * p},
    ),
    ("the sign of the logistic function's derivative", {"slope": lambda p: p * (p - 1)}),
    ("the logistic function is lost on the way", {"slope": lambda p: 0.0}),
    (
        "the product rule: the derivative of w1 w2 by w1 is w2",
        {"product": lambda w1, w2: (w1, w2)},
    ),
    ("only the first factor of w1 w2 was differentiated", {"product": lambda w1, w2: (w2, 0.0)}),
    ("only the second factor of w1 w2 was differentiated", {"product": lambda w1, w2: (0.0, w1)}),
)
