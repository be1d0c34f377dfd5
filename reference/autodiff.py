"""The Jacobian of one function by differences, forward mode and reverse mode, and a small engine.

Throughout, w: (2,) is a point, and a Jacobian holds the derivative of output i with respect to
input j at [i, j]. All arithmetic is in double precision. Nothing here changes an argument.

Sources: Wengert, "A Simple Automatic Derivative Evaluation Program", 1964, for forward mode;
Linnainmaa, "Taylor Expansion of the Accumulated Rounding Error", 1976, for reverse mode; Griewank
and Walther, "Evaluating Derivatives", 2008, for both and for differences.
"""

import math
from collections.abc import Callable

import numpy as np


def sigmoid(x: float) -> float:
    """The logistic function 1 / (1 + exp(-x)), without overflow for any x.

    Args:
        x: any number.
    """
    return math.exp(min(x, 0.0)) / (1 + math.exp(-abs(x)))


def f(w: np.ndarray) -> np.ndarray:
    """The vector function whose Jacobian is wanted; it is computed in double precision.

    With S = exp(w1) + exp(2 w2) the two outputs are

        f1 = exp(S) + sin(S),        f2 = w1 w2 + sigma(w1),

    where sigma(x) = 1 / (1 + exp(-x)) is the logistic function, also for x = -800.

    Args:
        w: (2,) the point (w1, w2); whole numbers or any precision, converted to float64 first.

    Returns:
        (2,) the values (f1, f2), float64.
    """
    w1, w2 = np.asarray(w, dtype=np.float64)
    s = np.exp(w1) + np.exp(2 * w2)
    return np.array([np.exp(s) + np.sin(s), w1 * w2 + sigmoid(w1)])


def numeric_jacobian(
    f: Callable[[np.ndarray], np.ndarray], w: np.ndarray, h: float, scheme: str
) -> np.ndarray:
    """The Jacobian of any function by finite differences, one coordinate at a time.

    With e_j the j-th unit vector, column j is

        "forward":  (f(w + h e_j) - f(w)) / h
        "central":  (f(w + h e_j) - f(w - h e_j)) / (2 h)

    `f` is called at no other points. `w` is left as it is.

    Args:
        f: takes (n,) float64 and returns (m,).
        w: (n,) the point; whole numbers or any precision, converted to float64 first.
        h: the step, positive.
        scheme: "forward" or "central".

    Returns:
        (m, n) the approximate Jacobian: output i by input j at [i, j].
    """
    w = np.asarray(w, dtype=np.float64)
    columns = []
    for step in h * np.eye(len(w)):
        if scheme == "central":
            columns.append((f(w + step) - f(w - step)) / (2 * h))
        else:
            columns.append((f(w + step) - f(w)) / h)
    return np.stack(columns, axis=1)


def jvp(w: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Forward mode for `f`: the Jacobian at w times the vector v, exact up to rounding.

    Args:
        w: (2,) the point; whole numbers or any precision, converted to float64 first.
        v: (2,) the direction in which the inputs move; likewise.

    Returns:
        (2,) J v: how fast the two outputs move then, float64.

    Source: Wengert, "A Simple Automatic Derivative Evaluation Program", 1964.
    """
    w1, w2 = np.asarray(w, dtype=np.float64)
    v1, v2 = np.asarray(v, dtype=np.float64)
    a, a_dot = np.exp(w1), np.exp(w1) * v1
    b, b_dot = np.exp(2 * w2), 2 * np.exp(2 * w2) * v2
    s, s_dot = a + b, a_dot + b_dot
    p = sigmoid(w1)
    return np.array([(np.exp(s) + np.cos(s)) * s_dot, v1 * w2 + w1 * v2 + p * (1 - p) * v1])


def vjp(w: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Reverse mode for `f`: the vector u times the Jacobian at w, exact up to rounding.

    Args:
        w: (2,) the point; whole numbers or any precision, converted to float64 first.
        u: (2,) the weights of the two outputs; likewise.

    Returns:
        (2,) u^T J: the gradient of u1 f1 + u2 f2 with respect to w, float64.

    Source: Linnainmaa, "Taylor Expansion of the Accumulated Rounding Error", 1976.
    """
    w1, w2 = np.asarray(w, dtype=np.float64)
    u1, u2 = np.asarray(u, dtype=np.float64)
    a, b, p = np.exp(w1), np.exp(2 * w2), sigmoid(w1)
    s_bar = u1 * (np.exp(a + b) + np.cos(a + b))
    w1_bar = s_bar * a + u2 * (w2 + p * (1 - p))
    w2_bar = s_bar * 2 * b + u2 * w1
    return np.array([w1_bar, w2_bar])


def jacobian_forward(jvp: Callable[[np.ndarray], np.ndarray], n: int) -> np.ndarray:
    """The Jacobian of any function with n inputs, from its products with vectors.

    Args:
        jvp: takes v (n,) and returns J v (m,), at some fixed point; n calls are enough.
        n: the number of inputs.

    Returns:
        (m, n) the Jacobian J.
    """
    return np.stack([jvp(v) for v in np.eye(n)], axis=1)


def jacobian_reverse(vjp: Callable[[np.ndarray], np.ndarray], m: int) -> np.ndarray:
    """The Jacobian of any function with m outputs, from products of vectors with it.

    Args:
        vjp: takes u (m,) and returns u^T J (n,), at some fixed point; m calls are enough.
        m: the number of outputs.

    Returns:
        (m, n) the Jacobian J.
    """
    return np.stack([vjp(u) for u in np.eye(m)])


class Var:
    """A number that remembers how it was computed, and so can be differentiated.

    `Var(3.0)` is an input. Arithmetic on it gives new nodes, and so do the functions below; a plain
    number may stand on either side of an operator. Two nodes may share what they were computed
    from, and a node may be used any number of times, also twice by one operator, as in `x * x`.

    Attributes:
        value: the number, a float.
        grad: the derivatives that calls of `backward` have left here, added up; 0.0 at first.
            Whoever wants to start afresh sets it to 0.0.
        parents: the nodes that it was computed from, each with the derivative of this value with
            respect to that node's value: pairs (node, slope).
    """

    def __init__(self, value: float, parents: "list[tuple[Var, float]] | tuple[()]" = ()) -> None:
        self.value = float(value)
        self.grad = 0.0
        self.parents = tuple(parents)

    @staticmethod
    def lift(x: "Var | float") -> "Var":
        """Return a node: x itself, or a new input if x is a plain number."""
        return x if isinstance(x, Var) else Var(x)

    def __add__(self, other: "Var | float") -> "Var":
        other = Var.lift(other)
        ### BEGIN SOLUTION
        return Var(self.value + other.value, [(self, 1.0), (other, 1.0)])
        ### END SOLUTION

    def __sub__(self, other: "Var | float") -> "Var":
        other = Var.lift(other)
        ### BEGIN SOLUTION
        return Var(self.value - other.value, [(self, 1.0), (other, -1.0)])
        ### END SOLUTION

    def __mul__(self, other: "Var | float") -> "Var":
        other = Var.lift(other)
        ### BEGIN SOLUTION
        return Var(self.value * other.value, [(self, other.value), (other, self.value)])
        ### END SOLUTION

    def __truediv__(self, other: "Var | float") -> "Var":
        other = Var.lift(other)
        ### BEGIN SOLUTION
        quotient = self.value / other.value
        return Var(quotient, [(self, 1 / other.value), (other, -quotient / other.value)])
        ### END SOLUTION

    def __pow__(self, exponent: float) -> "Var":
        """The power with a constant exponent, a plain number."""
        ### BEGIN SOLUTION
        slope = exponent * self.value ** (exponent - 1)
        return Var(self.value**exponent, [(self, slope)])
        ### END SOLUTION

    def __radd__(self, number: float) -> "Var":
        return Var.lift(number) + self

    def __rsub__(self, number: float) -> "Var":
        return Var.lift(number) - self

    def __rmul__(self, number: float) -> "Var":
        return Var.lift(number) * self

    def __rtruediv__(self, number: float) -> "Var":
        return Var.lift(number) / self

    def __neg__(self) -> "Var":
        return 0.0 - self

    def exp(self) -> "Var":
        """The exponential function."""
        ### BEGIN SOLUTION
        result = math.exp(self.value)
        return Var(result, [(self, result)])
        ### END SOLUTION

    def log(self) -> "Var":
        """The natural logarithm, of a positive number."""
        ### BEGIN SOLUTION
        return Var(math.log(self.value), [(self, 1 / self.value)])
        ### END SOLUTION

    def sin(self) -> "Var":
        """The sine of an angle in radians."""
        ### BEGIN SOLUTION
        return Var(math.sin(self.value), [(self, math.cos(self.value))])
        ### END SOLUTION

    def sigmoid(self) -> "Var":
        """The logistic function 1 / (1 + exp(-x)), also of numbers like 900 and -900."""
        ### BEGIN SOLUTION
        result = sigmoid(self.value)
        return Var(result, [(self, result * (1 - result))])
        ### END SOLUTION

    def backward(self) -> None:
        """Add the derivative of this node, by each node that it depends on, to that node's `grad`.

        The node itself is one of them, with derivative 1. Nodes that it does not depend on keep
        their `grad`. What `grad` held before has no influence on what is added, so a second call
        adds the same numbers once more, and the calls for two results that share nodes add up.

        Graphs are acyclic. They may be deep, such as a chain of 10,000 operations, and two nodes
        may be joined by millions of paths: the time is to be proportional to the number of nodes
        and edges.
        """
        ### BEGIN SOLUTION
        order: list[Var] = []
        seen: set[Var] = set()
        stack = [(self, False)]
        while stack:
            node, is_done = stack.pop()
            if is_done:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                stack.append((node, True))
                stack += [(parent, False) for parent, _ in node.parents]
        adjoint = dict.fromkeys(order, 0.0)
        adjoint[self] = 1.0
        for node in reversed(order):
            node.grad += adjoint[node]
            for parent, slope in node.parents:
                adjoint[parent] += slope * adjoint[node]
        ### END SOLUTION


def jacobian_by_engine(w: np.ndarray) -> np.ndarray:
    """The Jacobian of `f` at w by the engine: f is computed with `Var`s, then differentiated.

    Args:
        w: (2,) the point; whole numbers or any precision.

    Returns:
        (2, 2) the Jacobian: output i by input j at [i, j], float64.
    """
    w1, w2 = Var(w[0]), Var(w[1])
    s = w1.exp() + (2 * w2).exp()
    rows = []
    for output in (s.exp() + s.sin(), w1 * w2 + w1.sigmoid()):
        w1.grad = w2.grad = 0.0
        output.backward()
        rows.append([w1.grad, w2.grad])
    return np.array(rows)
