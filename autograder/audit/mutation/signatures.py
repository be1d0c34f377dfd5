"""Signatures: what the parameters of a function are, and where another first step can stand."""

import ast
from collections.abc import Iterator
from typing import NamedTuple

from autograder.audit.mutation.trees import Change, last_name, only_raises, put

__all__ = [
    "Parameter",
    "arrays",
    "begin",
    "inside",
    "is_like_a_number",
    "on_torch",
    "parameters",
    "with_shape",
]

_LIBRARIES = ("np", "numpy", "torch", "F", "nn")
_TORCH = {"torch", "F", "nn"}
_NO_VALUES = ("arange", "empty", "eye", "full", "linspace", "ones", "zeros")  # what they take


class Parameter(NamedTuple):
    """A parameter of a function.

    Attributes:
        name: what it is called.
        kind: its annotation, if that is a plain type; nothing for all others.
        default: what it is if nobody gives it: a constant, None also where there is no default,
            and the ellipsis for what is no constant.
    """

    name: str
    kind: str
    default: object


def parameters(function: ast.FunctionDef) -> list[Parameter]:
    """Return the parameters of a function that have a name of their own, but for ``self``."""
    given = function.args
    positional = [*given.posonlyargs, *given.args]
    defaults: list[ast.expr | None] = [None] * (len(positional) - len(given.defaults))
    pairs = [*zip(positional, [*defaults, *given.defaults], strict=True)]
    pairs += zip(given.kwonlyargs, given.kw_defaults, strict=True)
    return [
        Parameter(arg.arg, last_name(arg.annotation or arg), _constant(default))
        for arg, default in pairs
        if arg.arg not in ("self", "cls")
    ]


def _constant(node: ast.expr | None) -> object:
    if node is None:
        return None
    return node.value if isinstance(node, ast.Constant) else ...


def is_like_a_number(one: Parameter, kind: type) -> bool:
    """Return whether a parameter is a number of a kind, by its annotation or by its default."""
    return one.kind == kind.__name__ or (not one.kind and type(one.default) is kind)


def arrays(function: ast.FunctionDef) -> list[str]:
    """Return the parameters without a plain type and a default that a function calculates with."""
    names = [p.name for p in parameters(function) if not p.kind and p.default is None]
    used = {n.id for n in _operands(function) if isinstance(n, ast.Name)}
    return [name for name in names if name in used]


def _operands(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """Give what stands beside an operator, and what a numerical library is called with."""
    for node in ast.walk(function):
        match node:
            case ast.BinOp(left=a, right=b):
                yield from (a, b)
            case ast.AugAssign(value=a) | ast.UnaryOp(op=ast.USub(), operand=a):
                yield a
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=called), args=args):
                if name in _LIBRARIES and called not in _NO_VALUES:
                    yield from args


def with_shape(function: ast.FunctionDef) -> list[str]:
    """Return the parameters whose shape, or whose entries along several axes, a function reads."""
    names = [p.name for p in parameters(function) if not p.kind and p.default is None]
    used = set()
    for node in ast.walk(function):
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr="shape" | "ndim" | "T"):
                used.add(name)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="reshape" | "size")):
                used.add(name)
            case ast.BinOp(op=ast.MatMult(), left=ast.Name(id=name)):
                used.add(name)
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Tuple()):
                used.add(name)
    return [name for name in names if name in used]


def on_torch(function: ast.FunctionDef) -> bool:
    """Return whether a function calls torch."""
    return any(isinstance(n, ast.Name) and n.id in _TORCH for n in ast.walk(function))


def inside(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """Give the nodes of a function, without those of functions that it defines."""
    stack: list[ast.AST] = list(reversed(function.body))
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.Lambda, ast.ClassDef)):
            stack += reversed(list(ast.iter_child_nodes(node)))


def begin(function: ast.FunctionDef, text: str, title: str | None = None) -> Iterator[Change]:
    """Put statements before the first that a student writes."""
    for old in function.body:
        if isinstance(old, (ast.Raise, ast.Assert, ast.Import, ast.ImportFrom)):
            continue
        if isinstance(old, ast.If) and only_raises(old.body):
            continue
        # A module within a function reads as its statements.
        yield put(old, ast.Module([*ast.parse(text).body, old], []), title)
        return
