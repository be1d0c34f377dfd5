"""Mistakes in programs of any kind: what each operator makes of a node of a tree."""

import ast
from collections.abc import Iterator
from itertools import pairwise
from typing import TypeGuard

from autograder.audit.mutation.trees import Change, Operator, fill, last_name, put

__all__ = ["OPERATORS", "computed", "is_eps"]

_FLIPPED = "a sign is flipped"
_TERM, _FACTOR = "a term is left out", "a factor is left out"
_OFF = "off by one"
_CASE = "a special case is left out"
_BORDER = "a border case is on the wrong side"
_AROUND = "a comparison is turned around"
_OTHER_BORDER: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
}
_TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.Gt,
    ast.LtE: ast.GtE,
    ast.Gt: ast.Lt,
    ast.GtE: ast.LtE,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_IN_ANY_ORDER = (
    "add",
    "allclose",
    "isclose",
    "max",
    "maximum",
    "min",
    "minimum",
    "multiply",
    "zip",
)


def is_eps(node: ast.AST) -> bool:
    """Return whether an expression is a number that keeps a divisor above zero, by its look."""
    match node:
        case ast.Constant(value=float(value)):
            return 0 < value < 1e-3
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return "eps" in name
    return "eps" in last_name(node)


def computed(node: ast.AST) -> list[ast.expr]:
    """Return the calculations that a statement returns or assigns."""
    match node:
        case ast.Return(value=ast.Tuple(elts=items)):
            return [i for i in items if not isinstance(i, ast.Constant)]
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
            return [value]
        case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value):
            return [value] if isinstance(value, (ast.BinOp, ast.Call)) else []
    return []


def signs(node: ast.AST) -> Iterator[Change]:
    """Swap plus and minus; drop a minus, or put one before what is returned."""
    match node:
        case ast.BinOp(left=a, op=ast.Add(), right=b):
            yield put(node, ast.BinOp(a, ast.Sub(), b), _FLIPPED)
        case ast.BinOp(left=a, op=ast.Sub(), right=b):
            yield put(node, ast.BinOp(a, ast.Add(), b), _FLIPPED)
        case ast.UnaryOp(op=ast.USub(), operand=a):
            yield put(node, a, _FLIPPED)
        case ast.AugAssign(target=target, op=ast.Add() | ast.Sub() as op, value=value):
            other = ast.Sub() if isinstance(op, ast.Add) else ast.Add()
            yield put(node, ast.AugAssign(target, other, value), _FLIPPED)
        case ast.Return():
            for item in computed(node):
                if not isinstance(item, ast.UnaryOp):
                    yield put(item, ast.UnaryOp(ast.USub(), item), _FLIPPED)


def dropped(node: ast.AST) -> Iterator[Change]:
    """Leave out a term, a factor or a divisor."""
    match node:
        case ast.BinOp(left=a, op=ast.Add(), right=b):
            yield put(node, a, "eps is left out" if is_eps(b) else _TERM)
            yield put(node, b, "eps is left out" if is_eps(a) else _TERM)
        case ast.BinOp(left=a, op=ast.Sub(), right=b):
            shifted = last_name(b) in ("max", "amax")
            yield put(node, a, "large inputs overflow" if shifted else _TERM)
            yield put(node, ast.UnaryOp(ast.USub(), b), _TERM)
        case ast.BinOp(left=a, op=ast.Mult(), right=b):
            yield put(node, a, _FACTOR)
            yield put(node, b, _FACTOR)
        case ast.BinOp(left=a, op=ast.Div() | ast.FloorDiv()):
            yield put(node, a, "a division is left out")
        case ast.BinOp(left=a, op=ast.Mod()):
            yield put(node, a)


def factors(node: ast.AST) -> Iterator[Change]:
    """Double or halve what a statement returns or assigns."""
    for item in computed(node):
        if last_name(item) in ("zeros", "zeros_like"):
            continue
        yield put(item, fill("2 * a", a=item), "a factor of two too much")
        yield put(item, fill("a / 2", a=item), "a factor of two too little")


def quotients(node: ast.AST) -> Iterator[Change]:
    """Swap products and quotients, and the kinds of division."""
    match node:
        case ast.BinOp(left=a, op=ast.Mult(), right=b):
            yield put(node, ast.BinOp(a, ast.Div(), b))
        case ast.BinOp(left=a, op=ast.Div(), right=b):
            yield put(node, ast.BinOp(a, ast.Mult(), b), "multiplied where a division is meant")
            yield put(node, ast.BinOp(b, ast.Div(), a), "a quotient is upside down")
            title = "an integer division cuts fractions off"
            yield put(node, ast.BinOp(a, ast.FloorDiv(), b), title)
        case ast.BinOp(left=a, op=ast.FloorDiv(), right=b):
            yield put(node, ast.BinOp(a, ast.Div(), b))
            yield put(node, fill("-(-a // b)", a=a, b=b), "rounded up where it is cut off")


def powers(node: ast.AST) -> Iterator[Change]:
    """Leave out a power, or take another."""
    match node:
        case ast.BinOp(left=a, op=ast.Pow(), right=ast.Constant(value=2)):
            yield put(node, a, "a square is left out")
            yield put(node, fill("a ** 3", a=a))
        case ast.BinOp(left=a, op=ast.Pow()):
            yield put(node, a, "a power is left out")


def constants(node: ast.AST) -> Iterator[Change]:
    """Take the next integer, a float twice as large or half; the other truth value."""
    match node:
        case ast.Constant(value=bool(value)):
            yield put(node, ast.Constant(not value))
        case ast.Constant(value=int(value)):
            yield from _neighbours(node, value)
        case ast.Constant(value=float(value)):
            yield put(node, ast.Constant(2 * value))
            yield put(node, ast.Constant(value / 2))


def _neighbours(node: ast.AST, value: int, title: str | None = None) -> Iterator[Change]:
    yield put(node, fill(str(value + 1)), title)
    yield put(node, fill(str(value - 1)), title)


def comparisons(node: ast.AST) -> Iterator[Change]:
    """Move a border to the other side, or turn a comparison around."""
    if isinstance(node, ast.Compare):
        for i, op in enumerate(node.ops):
            for other, title in ((_OTHER_BORDER, _BORDER), (_TURNED, _AROUND)):
                if type(op) in other:
                    ops = [*node.ops[:i], other[type(op)](), *node.ops[i + 1 :]]
                    yield put(node, ast.Compare(node.left, ops, node.comparators), title)


def branches(node: ast.AST) -> Iterator[Change]:
    """Take one branch always; swap "and" and "or"; leave out part of a condition."""
    match node:
        case ast.If(test=test) | ast.IfExp(test=test):
            yield put(test, ast.Constant(value=True), _CASE)
            yield put(test, ast.Constant(value=False), _CASE)
        case ast.comprehension(ifs=tests):
            for test in tests:
                yield put(test, ast.Constant(value=True), _CASE)
        case ast.While(test=test):
            yield put(test, ast.Constant(value=False))
        case ast.BoolOp(op=op, values=values):
            other = ast.Or() if isinstance(op, ast.And) else ast.And()
            yield put(node, ast.BoolOp(other, values), "one condition for two, or two for one")
            for value in values:
                rest = [v for v in values if v is not value]
                new = rest[0] if len(rest) == 1 else ast.BoolOp(op, rest)
                yield put(node, new, "part of a condition is left out")
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield put(node, operand, "a condition is turned around")
        case ast.Continue():
            yield put(node, ast.Break())
            yield put(node, ast.Pass(), _CASE)
        case ast.Break():
            yield put(node, ast.Pass())


def statements(node: ast.AST) -> Iterator[Change]:
    """Leave out a statement, swap it with the next; replace what adds up."""
    if isinstance(node, ast.AugAssign):
        target = ast.parse(ast.unparse(node.target), mode="eval").body
        if isinstance(target, (ast.Name, ast.Attribute, ast.Subscript)):
            target.ctx = ast.Store()
            replaced = ast.Assign([target], node.value)
            yield put(node, replaced, "what should add up is overwritten")
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        bound = [a.arg for a in ast.walk(node.args) if isinstance(a, ast.arg)]
        yield from _left_out(node, bound)
    for name in ("body", "orelse"):
        block = getattr(node, name, None)
        if isinstance(block, list):
            for a, b in pairwise(block):
                if isinstance(a, _SIMPLE) and isinstance(b, _SIMPLE) and _depend(a, b):
                    yield Change(((a, b), (b, a)), "two steps are in the wrong order")


def _depend(a: ast.stmt, b: ast.stmt) -> bool:
    """Return whether it matters which of two statements comes first, as far as names tell."""
    return _sets(a, b) or _sets(b, a) or isinstance(a, ast.Expr) or isinstance(b, ast.Expr)


def _sets(a: ast.stmt, b: ast.stmt) -> bool:
    """Return whether a statement sets what another one reads or sets."""
    texts = {ast.unparse(n) for n in ast.walk(b) if isinstance(n, _PLACES)}
    return any(isinstance(n, _PLACES) and ast.unparse(n) in texts for n in _targets(a))


_PLACES = (ast.Name, ast.Attribute, ast.Subscript)
_SIMPLE = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr)


def _left_out(function: ast.AST, bound: list[str]) -> Iterator[Change]:
    """Leave out each statement of a function that gives no name its first meaning."""
    inside = (n for n in ast.walk(function) if isinstance(n, ast.stmt))
    for node in sorted(inside, key=lambda n: n.lineno):
        if not isinstance(node, _SIMPLE):
            continue
        if isinstance(node, ast.Expr) and not isinstance(node.value, ast.Call):
            continue
        stored = [n.id for t in _targets(node) for n in ast.walk(t) if _is_bound(n)]
        if isinstance(node, ast.AugAssign) or all(name in bound for name in stored):
            yield put(node, ast.Pass(), "a step is left out")
        bound += stored


def _targets(node: ast.stmt) -> list[ast.AST]:
    """Return what a statement assigns to, item by item."""
    targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
    items = [getattr(t, "elts", [t]) for t in targets if t is not None]
    return [item for group in items for item in group]


def _is_bound(node: ast.AST) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def orders(node: ast.AST) -> Iterator[Change]:
    """Swap neighbours in a tuple, and arguments of a call; leave out keywords."""
    match node:
        case ast.Tuple(elts=items, ctx=context):
            title = "two values are in the wrong order"
            for i in range(len(items) - 1):
                swapped = [*items[:i], items[i + 1], items[i], *items[i + 2 :]]
                yield put(node, ast.Tuple(swapped, context), title)
        case ast.Call(func=function, args=args, keywords=keywords):
            if last_name(function) not in _IN_ANY_ORDER:
                for i in range(len(args) - 1):
                    swapped = [*args[:i], args[i + 1], args[i], *args[i + 2 :]]
                    call = ast.Call(function, swapped, keywords)
                    yield put(node, call, "two arguments are swapped")
            for keyword in keywords:
                kept = [k for k in keywords if k is not keyword]
                yield put(node, ast.Call(function, args, kept), "an argument is left out")


def loops(node: ast.AST) -> Iterator[Change]:
    """Move an index, an end of a range or of a slice by one; leave an end out."""
    match node:
        case ast.Subscript(slice=index):
            for inner in ast.walk(index):
                if isinstance(inner, ast.Constant) and type(inner.value) is int:
                    yield from _neighbours(inner, inner.value, _OFF)
        case ast.Call(func=ast.Name(id="range"), args=[_, *_] as args):
            for i, bound in enumerate(args[:2]):
                for template in ("a + 1", "a - 1"):
                    moved = [*args[:i], fill(template, a=bound), *args[i + 1 :]]
                    yield put(node, ast.Call(node.func, moved, []), _OFF)
            if len(args) == 1:
                yield put(node, ast.Call(node.func, [ast.Constant(1), *args], []), _OFF)
        case ast.Slice(lower=lower, upper=upper, step=step):
            if lower is not None:
                yield put(node, ast.Slice(None, upper, step), "a slice begins too early")
                yield put(node, ast.Slice(fill("a + 1", a=lower), upper, step), _OFF)
            if upper is not None:
                yield put(node, ast.Slice(lower, None, step), "a slice ends too late")
                for template in ("a + 1", "a - 1"):
                    yield put(node, ast.Slice(lower, fill(template, a=upper), step), _OFF)
            if step is not None:
                yield put(node, ast.Slice(lower, upper, None))


OPERATORS: dict[str, Operator] = {
    "sign": signs,
    "left out": dropped,
    "factor": factors,
    "quotient": quotients,
    "power": powers,
    "comparison": comparisons,
    "branch": branches,
    "statement": statements,
    "order": orders,
    "loop": loops,
    "constant": constants,
}
