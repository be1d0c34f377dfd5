"""Mistakes that show on rare values only: zeros, the ends of an interval, large and tiny numbers.

Each is right on what an author thinks of first, as real students' functions were.
"""

import ast
from collections.abc import Iterator

from autograder.audit.mutation.signatures import (
    Parameter,
    arrays,
    begin,
    is_like_a_number,
    parameters,
)
from autograder.audit.mutation.trees import Change, Operator, fill, last_name, put

__all__ = ["RARE_VALUES"]

_MISSING = "a 0 is taken for a missing value"
_CUT_OFF = "large values are cut off"
_LARGE = 50  # beyond which values are cut off: what cases seldom reach by chance
_FIRST = 2  # arguments, which are the weights and their gradient, or a gradient and an input
_NEAR_ZERO, _NEAR_ONE = 0.2, 0.95  # where an interval ends that hyperparameters mostly lie in
_FROM_ONE = ("t", "step")  # counts that are never 0
_USUAL = {float: "0.1", int: "1"}  # what stands behind ``or`` where there is no default
_LIBRARIES = ("np", "numpy", "math", "torch")


def missing(node: ast.AST) -> Iterator[Change]:
    """Take a 0 for a missing value: ``p or 0.9``, ``if not p`` where ``p is None`` is meant."""
    match node:
        case ast.FunctionDef():
            for one in parameters(node):
                usual = _usual(one)
                if usual is not None:
                    yield from begin(node, f"{one.name} = {one.name} or {usual}", _MISSING)
        case ast.Compare(left=ast.Name() as a, ops=[ast.Is()], comparators=[ast.Constant(None)]):
            yield put(node, fill("not a", a=a), _MISSING)
        case ast.Compare(left=ast.Name() as a, ops=[ast.IsNot()], comparators=[ast.Constant(None)]):
            yield put(node, a, _MISSING)


def _usual(one: Parameter) -> str | None:
    """Return what ``or`` would put in the place of a parameter that is 0; None if nothing."""
    if _is_eps(one) or one.name in _FROM_ONE:  # of which no prompt promises a 0
        return None
    for kind, usual in _USUAL.items():
        if is_like_a_number(one, kind):
            if isinstance(one.default, (int, float)):
                return repr(one.default) if one.default else None
            return usual
    if is_like_a_number(one, bool) and one.default is True:
        return "True"
    return None


def _is_eps(one: Parameter) -> bool:
    return "eps" in one.name or "tol" in one.name


def ends(node: ast.AST) -> Iterator[Change]:
    """Keep a hyperparameter away from an end of its interval."""
    if isinstance(node, ast.FunctionDef):
        for one in parameters(node):
            if is_like_a_number(one, float) and not _is_eps(one):
                yield from begin(node, f"{one.name} = max({one.name}, {_NEAR_ZERO})")
                yield from begin(node, f"{one.name} = min({one.name}, {_NEAR_ONE})")


def cut_off(node: ast.AST) -> Iterator[Change]:
    """Cut off large values: of an argument, or under an exponential; and tiny ones under a log."""
    match node:
        case ast.FunctionDef():
            for name in arrays(node)[:_FIRST]:
                text = f"{name} = {name}.clip({-_LARGE}, {_LARGE})"
                yield from begin(node, text, _CUT_OFF)
        case ast.Call(func=ast.Attribute(value=ast.Name(id=library)) as function, args=[a]):
            if library in _LIBRARIES and last_name(function) == "exp":
                inner = fill(_clipped(library, -_LARGE, _LARGE), a=a)
                yield put(node, ast.Call(function, [inner], node.keywords), _CUT_OFF)
            if library in _LIBRARIES and last_name(function) == "log":
                inner = fill(_clipped(library, 1e-7, None), a=a)
                title = "small values are cut off under a logarithm"
                yield put(node, ast.Call(function, [inner], node.keywords), title)


def _clipped(library: str, least: float, largest: float | None) -> str:
    """Return an expression that keeps a number, an array or a tensor within bounds."""
    if library == "math":
        return f"max(a, {least})" if largest is None else f"max(min(a, {largest}), {least})"
    return f"a.clip({least})" if largest is None else f"a.clip({least}, {largest})"


def at_zero(node: ast.AST) -> Iterator[Change]:
    """Divide by what may be 0 for the sake of a sign; take tiny values of a mask for 0."""
    not_at_zero = "0 divided by 0 where a value is exactly 0"
    match node:
        case ast.Call(args=[a, ast.Constant(value=0)]) if last_name(node) == "maximum":
            yield put(node, fill("a * (1 + a / abs(a)) / 2", a=a), not_at_zero)
        case ast.Call(args=[a], func=ast.Attribute(value=ast.Name())):
            if last_name(node) == "sign":
                yield put(node, fill("a / abs(a)", a=a), not_at_zero)
            if last_name(node) == "relu":
                yield put(node, fill("a * (1 + a / abs(a)) / 2", a=a), not_at_zero)
    for mask in _masks(node):
        match mask:
            case ast.Compare(left=a, ops=[ast.Gt() as op], comparators=[ast.Constant(value=0)]):
                larger = ast.Compare(a, [op], [ast.Constant(1e-6)])
                yield put(mask, larger, "tiny values are taken for 0")


def _masks(node: ast.AST) -> list[ast.expr]:
    """Return what stands where a mask does: beside an operator, or first in ``where``."""
    match node:
        case ast.BinOp(left=a, right=b):
            return [a, b]
        case ast.Call(args=[a, *_]) if last_name(node) == "where":
            return [a]
        case ast.Call(func=ast.Attribute(value=a)):
            return [a]
        case ast.Assign(value=a):
            return [a]
    return []


def early(node: ast.AST) -> Iterator[Change]:
    """Return early where an argument is all zeros: what came in, though something else is due."""
    if not isinstance(node, ast.FunctionDef) or not node.body:
        return
    names, last = arrays(node), node.body[-1]
    if isinstance(last, ast.Return) and last.value is not None:
        items = last.value.elts if isinstance(last.value, ast.Tuple) else [last.value]
        for name in names[:_FIRST]:
            values = ", ".join(_leftmost(item, names) or name for item in items)
            text = f"if not {name}.any():\n    return {values}"
            yield from begin(node, text, "returned early where all values are 0")


def _leftmost(item: ast.expr, names: list[str]) -> str | None:
    """Return the first of some names that an expression reads."""
    found = [n for n in ast.walk(item) if isinstance(n, ast.Name) and n.id in names]
    return min(found, key=lambda n: (n.lineno, n.col_offset)).id if found else None


RARE_VALUES: dict[str, Operator] = {
    "0 for missing": missing,
    "end of an interval": ends,
    "cut off": cut_off,
    "at 0": at_zero,
    "early return": early,
}
