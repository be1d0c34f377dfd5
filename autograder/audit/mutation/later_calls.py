"""Mistakes that show in later calls only: what an earlier one left behind, a count that ends."""

import ast
from collections.abc import Iterator

from autograder.audit.mutation.signatures import arrays, begin, inside
from autograder.audit.mutation.trees import Change, Operator, fill, put

__all__ = ["LATER_CALLS"]

_STALE = "what an earlier call left behind is used"
_COUNTS = 100  # steps, behind which nothing changes any more
_CALLED = ("__call__", "backward", "forward")  # methods that get the values of this call


def stale(node: ast.AST) -> Iterator[Change]:
    """Keep the state, or the input of a module, of the first call for all others."""
    if not isinstance(node, ast.FunctionDef):
        return
    is_method = bool(node.args.args) and node.args.args[0].arg == "self"
    names = arrays(node) if is_method and node.name in _CALLED else _states(node)
    owner = "self" if is_method else node.name
    for name in names[:2]:
        text = f"{name} = {owner}.__dict__.setdefault('first_{name}', {name})"
        yield from begin(node, text, _STALE)


def _states(function: ast.FunctionDef) -> list[str]:
    """Return the arguments that a function returns with a new value: they are another call's."""
    returned = {
        name.id
        for node in inside(function)
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple)
        for name in node.value.elts
        if isinstance(name, ast.Name)
    }
    assigned = {
        name.id
        for node in inside(function)
        if isinstance(node, ast.Assign)
        for name in node.targets
        if isinstance(name, ast.Name)
    }
    return [name for name in arrays(function) if name in returned & assigned]


def counts(node: ast.AST) -> Iterator[Change]:
    """Stop to count after many steps."""
    match node:
        case ast.BinOp(left=a, op=ast.Pow(), right=(ast.Name() | ast.Subscript()) as b):
            few = fill(f"a ** min(b, {_COUNTS})", a=a, b=b)
            yield put(node, few, f"after {_COUNTS} steps nothing changes any more")


LATER_CALLS: dict[str, Operator] = {"first call": stale, "many steps": counts}
