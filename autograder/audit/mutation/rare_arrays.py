"""Mistakes that show on rare arrays only: of other sizes, other dtypes, in another order in memory.

Each is right on what an author thinks of first, as real students' functions were.
"""

import ast
from collections.abc import Iterator

from autograder.audit.mutation.operators import computed
from autograder.audit.mutation.signatures import (
    arrays,
    begin,
    inside,
    is_like_a_number,
    on_torch,
    parameters,
    with_shape,
)
from autograder.audit.mutation.trees import Change, Operator, fill, last_name, put

__all__ = ["PRECISION", "RARE_ARRAYS"]

PRECISION = "precision"  # the class of mistakes that are none where no dtype is graded

_NUMBERS = ("float", "int", "bool", "len", "item", "str", "list", "dict", "tuple", "sorted")
_SQUARE = "as if rows and columns were of one length"
_DTYPE = "a dtype is not kept"
_FORCED = "the result is forced into the dtype of an argument"
_FILLED = ("zeros", "ones", "empty")


def sizes(node: ast.AST) -> Iterator[Change]:
    """Work on one size only: one example, several, an even one, another pad."""
    if not isinstance(node, ast.FunctionDef):
        return
    for name in with_shape(node)[:1]:
        yield from begin(node, f"{name} = {name}[:1]", "only the first example is used")
        yield from begin(node, f"{name} = {name}.squeeze()", "axes of length 1 are lost")
        even = f"{name} = {name}[..., :{name}.shape[-1] // 2 * 2]"
        yield from begin(node, even, "an odd size loses its last entry")
    if arrays(node):
        for value in _returned(node):
            yield put(value, fill("a.squeeze()", a=value), "axes of length 1 are lost")
    known = {one.name: one for one in parameters(node)}
    if "stride" in known and "pad" in known:
        one, none = ("1", "0") if is_like_a_number(known["pad"], int) else ("(1, 1)", "(0, 0)")
        given = "stride" if one == "1" else "tuple(stride)"
        text = f"pad = {none} if {given} == {one} else pad"
        yield from begin(node, text, "the padding is forgotten where the stride is 1")


def _returned(function: ast.FunctionDef) -> list[ast.expr]:
    """Return what a function returns that may be an array."""
    statements = (n for n in inside(function) if isinstance(n, ast.Return))
    kinds = (ast.BinOp, ast.Call, ast.Name, ast.Subscript)
    values = [value for one in statements for value in computed(one)]
    return [v for v in values if isinstance(v, kinds) and last_name(v) not in _NUMBERS]


def squares(node: ast.AST) -> Iterator[Change]:
    """Take the number of rows for that of columns, or the other way round."""
    match node:
        case ast.Assign(targets=[ast.Tuple(elts=[*_, ast.Name(id=a), ast.Name(id=b)])], value=v):
            if "shape" in (last_name(v), last_name(getattr(v, "value", v))):
                repeated = ast.parse(f"{b} = {a}").body
                yield put(node, ast.Module([node, *repeated], []), _SQUARE)
        case ast.Subscript(value=ast.Attribute(attr="shape") as shape, slice=index):
            other = {"-1": "-2", "-2": "-1", "2": "3", "3": "2"}.get(ast.unparse(index))
            if other is not None:
                yield put(node, ast.Subscript(shape, fill(other), ast.Load()), _SQUARE)


def dtypes(node: ast.AST) -> Iterator[Change]:
    """Calculate in the dtype of an argument, or in the usual one where that of one is meant."""
    match node:
        case ast.FunctionDef() if not on_torch(node):
            names = arrays(node)
            for inner in inside(node):
                yield from _forced(inner, names)
        case ast.Call(func=ast.Attribute(value=ast.Name(id="np") as np, attr=name), args=args):
            kind = name.removesuffix("_like")
            if kind in _FILLED and name != kind and len(args) == 1 and not node.keywords:
                function = ast.Attribute(np, kind, ast.Load())
                yield put(node, ast.Call(function, [fill("a.shape", a=args[0])], []), _DTYPE)
            elif kind in _FILLED and len(args) == 2:
                yield put(node, ast.Call(node.func, args[:1], node.keywords), _DTYPE)
            elif kind in _FILLED and len(args) == 1 and last_name(args[0]) == "shape":
                function = ast.Attribute(np, f"{kind}_like", ast.Load())
                array = getattr(args[0], "value", None)
                if isinstance(array, ast.Name):
                    yield put(node, ast.Call(function, [array], node.keywords), _FORCED)


def precisions(node: ast.AST) -> Iterator[Change]:
    """Return what was calculated in single precision, of several values one at a time."""
    if isinstance(node, ast.FunctionDef) and arrays(node) and not on_torch(node):
        for value in _returned(node):
            yield put(value, fill("a.astype('float32')", a=value), _DTYPE)


def _forced(node: ast.AST, names: list[str]) -> Iterator[Change]:
    """Bring a result into the dtype of the argument that comes first: whole numbers stay whole."""
    match node:
        case ast.Return() | ast.Assign() | ast.AnnAssign():
            for value in computed(node):
                match value:
                    case ast.BinOp(left=ast.Name(id=name) as a) if name in names:
                        forced = fill("value.astype(a.dtype)", value=value, a=a)
                        yield put(value, forced, _FORCED)


def orders(node: ast.AST) -> Iterator[Change]:
    """Read an array in the order of memory, or as bytes; ask of it to lie there in order."""
    title = "entries are taken in the order of memory"
    match node:
        case ast.FunctionDef():
            on = on_torch(node)
            for name in with_shape(node)[:1] if not on else ():
                text = f"{name} = {name}.ravel(order='K').reshape({name}.shape)"
                yield from begin(node, text, title)
            for inner in inside(node):
                match inner:
                    case ast.Call(func=ast.Attribute(value=a, attr="reshape"), args=args):
                        if on:
                            new = ast.Attribute(a, "view", ast.Load())
                            text = "a view where a copy may be needed"
                            yield put(inner, ast.Call(new, args, inner.keywords), text)
                        elif not (isinstance(a, ast.Name) and a.id == "np"):
                            ravelled = fill("a.ravel(order='K').reshape", a=a)
                            yield put(inner, ast.Call(ravelled, args, inner.keywords), title)
                    case ast.Call(func=ast.Attribute(value=a, attr="ravel" | "flatten"), args=[]):
                        if not on:
                            yield put(inner, fill("a.ravel(order='K')", a=a), title)


RARE_ARRAYS: dict[str, Operator] = {
    "size": sizes,
    "square": squares,
    "dtype": dtypes,
    PRECISION: precisions,
    "order in memory": orders,
}
