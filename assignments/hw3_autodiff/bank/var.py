import numpy as np
import torch
from bank._shared import VarFrame, stable_sigmoid

from autograder import alternative, mistake


def rule(name, function):
    """Return a Var of which one method is another one."""
    return type("Var", (VarFrame,), {name: function})


def function_with(value, slope):
    """Return a method for a function of one number, from its value and its slope."""
    return lambda self: self.node(value(self.value), (self, slope(self.value)))


def operator_with(value, slopes):
    """Return a method for an operator, from its value and its two slopes."""

    def method(self, other):
        other = self.lift(other)
        by_self, by_other = slopes(self.value, other.value)
        return self.node(value(self.value, other.value), (self, by_self), (other, by_other))

    return method


for misconception, name, method in (
    (
        "a sum: both slopes are one, also that of the second term",
        "__add__",
        operator_with(lambda a, b: a + b, lambda a, b: (1.0, 0.0)),
    ),
    (
        "a sum: the slopes are one, whatever the values are",
        "__add__",
        operator_with(lambda a, b: a + b, lambda a, b: (a, b)),
    ),
    (
        "a difference: the slope by what is subtracted is minus one",
        "__sub__",
        operator_with(lambda a, b: a - b, lambda a, b: (1.0, 1.0)),
    ),
    (
        "a difference: the two terms are swapped",
        "__sub__",
        operator_with(lambda a, b: b - a, lambda a, b: (-1.0, 1.0)),
    ),
    (
        "a product: the slope by one factor is the other one",
        "__mul__",
        operator_with(lambda a, b: a * b, lambda a, b: (a, b)),
    ),
    (
        "a product: both slopes are needed",
        "__mul__",
        operator_with(lambda a, b: a * b, lambda a, b: (b, 0.0)),
    ),
    (
        "a quotient: the slope by the divisor is negative",
        "__truediv__",
        operator_with(lambda a, b: a / b, lambda a, b: (1 / b, a / b**2)),
    ),
    (
        "a quotient: the divisor is squared in its own slope",
        "__truediv__",
        operator_with(lambda a, b: a / b, lambda a, b: (1 / b, -a / b)),
    ),
    (
        "a quotient: differentiated like a product",
        "__truediv__",
        operator_with(lambda a, b: a / b, lambda a, b: (b, a)),
    ),
    (
        "a power: the exponent goes down by one",
        "__pow__",
        lambda self, k: self.node(self.value**k, (self, k * self.value**k)),
    ),
    (
        "a power: the exponent comes down as a factor",
        "__pow__",
        lambda self, k: self.node(self.value**k, (self, self.value ** (k - 1))),
    ),
    (
        "a power: differentiated by the exponent, not by the base",
        "__pow__",
        lambda self, k: self.node(self.value**k, (self, self.value**k * np.log(abs(self.value)))),
    ),
    (
        "the exponential: it is its own derivative",
        "exp",
        function_with(np.exp, lambda x: x * np.exp(x)),
    ),
    (
        "the exponential: its slope is not one",
        "exp",
        function_with(np.exp, lambda x: 1.0),
    ),
    ("the logarithm: its slope is one over the number", "log", function_with(np.log, np.log)),
    (
        "the logarithm: to base ten in place of the natural one",
        "log",
        function_with(np.log10, lambda x: 1 / (x * np.log(10))),
    ),
    ("the sine: its slope is plus the cosine", "sin", function_with(np.sin, lambda x: -np.cos(x))),
    ("the sine: its slope is not the sine", "sin", function_with(np.sin, np.sin)),
    (
        "the logistic function: its slope is not the function itself",
        "sigmoid",
        function_with(stable_sigmoid, stable_sigmoid),
    ),
    (
        "the logistic function: its slope is not 1 - sigma",
        "sigmoid",
        function_with(stable_sigmoid, lambda x: 1 - stable_sigmoid(x)),
    ),
    (
        "the logistic function: the formula for the value is used on sigma(x), twice",
        "sigmoid",
        function_with(
            stable_sigmoid,
            lambda x: stable_sigmoid(stable_sigmoid(x)) * (1 - stable_sigmoid(stable_sigmoid(x))),
        ),
    ),
    (
        "the logistic function: the sign inside",
        "sigmoid",
        function_with(
            lambda x: stable_sigmoid(-x), lambda x: -stable_sigmoid(x) * stable_sigmoid(-x)
        ),
    ),
    (
        "a number minus a node is turned around",
        "__rsub__",
        lambda self, number: self - number,
    ),
    (
        "a number over a node is turned around",
        "__rtruediv__",
        lambda self, number: self / number,
    ),
    (
        "minus a node: only the value changes its sign, not the slope",
        "__neg__",
        lambda self: self.node(-self.value, (self, 1.0)),
    ),
    (
        "numbers in an expression are cut down to whole ones",
        "lift",
        lambda self, x: x if isinstance(x, VarFrame) else type(self)(int(x)),
    ),
):
    # Sums and products are in every graph: without a price such a slip fails nearly all checks.
    basic = name in ("__add__", "__mul__")
    mistake(misconception, costs=4 if basic else None, Var=rule(name, method))


@mistake("the logistic function overflows far out", of="Var")
class _(VarFrame):
    def sigmoid(self):
        import math

        p = 1 / (1 + math.exp(-self.value))
        return self.node(p, (self, p * (1 - p)))


@mistake("a contribution overwrites the ones before it: they have to be added up", of="Var")
class _(VarFrame):
    def backward(self):
        self.grad = 1.0
        for node in self.sweep():
            for parent, slope in node.parents:
                parent.grad = slope * node.grad


@mistake("the parents in a dict: a node that is used twice by one operator is kept once", of="Var")
class _(VarFrame):
    def __init__(self, value, parents=()):
        super().__init__(value, dict(parents).items())


@mistake("only the first contribution counts: a node that has been seen takes no more", of="Var")
class _(VarFrame):
    def backward(self):
        adjoints = {self: 1.0}
        for node in self.sweep():
            node.grad += adjoints[node]
            for parent, slope in node.parents:
                adjoints.setdefault(parent, slope * adjoints[node])


@mistake("the mean of the contributions, where their sum is asked for", of="Var")
class _(VarFrame):
    def backward(self):
        adjoints, uses = {self: 1.0}, {self: 1}
        for node in self.sweep():
            adjoint = adjoints[node] / uses[node]
            node.grad += adjoint
            for parent, slope in node.parents:
                adjoints[parent] = adjoints.get(parent, 0.0) + slope * adjoint
                uses[parent] = uses.get(parent, 0) + 1


@mistake(
    "the result itself has a grad too: its derivative by itself is one",
    of="Var",
)
class _(VarFrame):
    def backward(self):
        before = self.grad
        super().backward()
        self.grad = before


@mistake("only the inputs get a grad: here inner nodes have one as well", of="Var")
class _(VarFrame):
    def backward(self):
        super().backward()
        for node in self.sweep()[1:]:
            if node.parents:
                node.grad = 0.0


@mistake(
    "one step back only: the parents of the parents get nothing",
    of="Var",
)
class _(VarFrame):
    def backward(self):
        self.grad += 1.0
        for parent, slope in self.parents:
            parent.grad += slope


@mistake("every node that was ever made gets a share, also those that play no part", of="Var")
class _(VarFrame):
    made = []  # noqa: RUF012 - shared on purpose: that is the mistake

    def __init__(self, value, parents=()):
        super().__init__(value, parents)
        type(self).made.append(self)

    def backward(self):
        super().backward()
        part = set(self.sweep())
        for node in type(self).made:
            if node not in part and node.parents:
                node.grad += 1.0
        type(self).made.clear()


@mistake(
    "depth first with each node handled as soon as it is met: its adjoint is not complete yet",
    of="Var",
)
class _(VarFrame):
    def backward(self):
        adjoints, stack, seen = {self: 1.0}, [self], []
        while stack:
            node = stack.pop()
            if node in seen:
                continue
            seen.append(node)
            for parent, slope in node.parents:
                adjoints[parent] = adjoints.get(parent, 0.0) + slope * adjoints[node]
                stack.append(parent)
        for node in seen:
            node.grad += adjoints[node]


@mistake(
    "breadth first from the result: a node waits for its longest way, not for its shortest",
    of="Var",
)
class _(VarFrame):
    def sweep(self):
        layers, seen = [[self]], {self}
        while layers[-1]:
            nodes = [p for node in layers[-1] for p, _ in node.parents]
            layers.append([p for p in dict.fromkeys(nodes) if p not in seen])
            seen.update(layers[-1])
        return [node for layer in layers for node in layer]


@mistake("the inputs first: the sweep has to begin at the result", of="Var")
class _(VarFrame):
    def backward(self):
        adjoints = {self: 1.0}
        for node in reversed(self.sweep()):
            node.grad += adjoints.get(node, 0.0)
            for parent, slope in node.parents:
                adjoints[parent] = adjoints.get(parent, 0.0) + slope * adjoints.get(node, 0.0)


@mistake(
    "what an earlier call left in grad is handed on again: a second call then adds too much",
    of="Var",
)
class _(VarFrame):
    def backward(self):
        self.grad = 1.0
        for node in self.sweep():
            for parent, slope in node.parents:
                parent.grad += slope * node.grad


@mistake("each call starts from zero: calls of backward have to add up", of="Var")
class _(VarFrame):
    def backward(self):
        for node in self.sweep():
            node.grad = 0.0
        super().backward()


@mistake("the graph is freed after the first call, and the second finds none", of="Var")
class _(VarFrame):
    def backward(self):
        nodes = self.sweep()
        super().backward()
        for node in nodes:
            node.parents = ()


@mistake("the inputs add up, but inner nodes start from zero at each call", of="Var")
class _(VarFrame):
    def backward(self):
        for node in self.sweep():
            if node.parents:
                node.grad = 0.0
        super().backward()


@mistake("recursion, one call inside the other for each operation", of="Var")
class _(VarFrame):
    def sweep(self):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for parent, _ in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        return order[::-1]


@mistake("every path is walked on its own: there are millions of them", of="Var")
class _(VarFrame):
    def backward(self):
        stack, walked = [(self, 1.0)], 0
        while stack:
            node, adjoint = stack.pop()
            node.grad += adjoint
            stack += [(parent, slope * adjoint) for parent, slope in node.parents]
            walked += 1
            if walked > 100_000:
                raise TimeoutError("still walking")


@alternative("the nodes are numbered, and swept from the last", of="Var")
class _(VarFrame):
    count = 0

    def __init__(self, value, parents=()):
        super().__init__(value, parents)
        Numbered = type(self)
        self.number = Numbered.count = Numbered.count + 1

    def sweep(self):
        import heapq

        heap, seen, order = [(-self.number, self)], {self.number}, []
        while heap:
            node = heapq.heappop(heap)[1]
            order.append(node)
            for parent, _ in node.parents:
                if parent.number not in seen:
                    seen.add(parent.number)
                    heapq.heappush(heap, (-parent.number, parent))
        return order


@alternative("Kahn's algorithm, by counting the uses", of="Var")
class _(VarFrame):
    pass


@alternative(
    "each node keeps a function that pulls its adjoint back, and recursion with a higher limit",
    of="Var",
)
class _(VarFrame):
    def __init__(self, value, parents=()):
        super().__init__(value, parents)
        self.pull = lambda x: [(p, slope * x) for p, slope in self.parents]

    def backward(self):
        import sys

        order, seen, limit = [], set(), sys.getrecursionlimit()

        def visit(node):
            seen.add(id(node))
            for parent, _ in node.parents:
                if id(parent) not in seen:
                    visit(parent)
            order.append(node)

        try:
            sys.setrecursionlimit(100_000)
            visit(self)
        finally:
            sys.setrecursionlimit(limit)
        bars = [0.0] * (len(order) - 1) + [1.0]
        place = {id(node): k for k, node in enumerate(order)}
        while order:
            bar, node = bars.pop(), order.pop()
            node.grad = node.grad + bar
            for parent, share in node.pull(bar):
                bars[place[id(parent)]] += share


@alternative("torch does the work behind the scenes", of="Var")
class _:
    def __init__(self, value, parents=()):
        if isinstance(value, torch.Tensor):
            self.tensor = value
        else:
            self.tensor = torch.tensor(float(value), dtype=torch.float64, requires_grad=True)
        self.grad, self.parents = 0.0, parents

    @property
    def value(self):
        return self.tensor.item()

    def join(self, other, operation):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return type(self)(operation(self.tensor, other.tensor), (self, other))

    def through(self, operation):
        return type(self)(operation(self.tensor), (self,))

    def __add__(self, other):
        return self.join(other, torch.add)

    def __sub__(self, other):
        return self.join(other, torch.sub)

    def __mul__(self, other):
        return self.join(other, torch.mul)

    def __truediv__(self, other):
        return self.join(other, torch.div)

    def __rsub__(self, other):
        return type(self)(other).join(self, torch.sub)

    def __rtruediv__(self, other):
        return type(self)(other).join(self, torch.div)

    def __pow__(self, exponent):
        return self.through(lambda x: torch.pow(x, exponent))

    def __neg__(self):
        return self.through(torch.neg)

    def exp(self):
        return self.through(torch.exp)

    def log(self):
        return self.through(torch.log)

    def sin(self):
        return self.through(torch.sin)

    def sigmoid(self):
        return self.through(torch.sigmoid)

    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        nodes, stack = {id(self): self}, [self]
        while stack:
            for parent in stack.pop().parents:
                if id(parent) not in nodes:
                    nodes[id(parent)] = parent
                    stack.append(parent)
        found = list(nodes.values())
        tensors = [node.tensor for node in found]
        slopes = torch.autograd.grad(self.tensor, tensors, retain_graph=True)
        for node, slope in zip(found, slopes, strict=True):
            node.grad += slope.item()
