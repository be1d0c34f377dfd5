"""Mistakes of deep learning: shapes and axes, means, sums, roots and eps, modes and gradients."""

import ast
import copy
from collections.abc import Iterator
from typing import TypeGuard

from autograder.audit.mutation.operators import computed, is_eps
from autograder.audit.mutation.trees import Change, Operator, fill, last_name, put

__all__ = ["COMMON_MISTAKES"]

_MODULES = ("np", "numpy", "torch", "F", "nn", "math", "scipy")
_AXES = ("axis", "dim")
_WRONG_AXIS = "along a wrong axis"
# What a name becomes, and the mistake.
_RENAMED = {
    "mean": ("sum", "the sum where the mean is meant"),
    "sum": ("mean", "the mean where the sum is meant"),
    "max": ("min", "the smallest where the largest is meant"),
    "min": ("max", "the largest where the smallest is meant"),
    "amax": ("amin", "the smallest where the largest is meant"),
    "amin": ("amax", "the largest where the smallest is meant"),
    "maximum": ("minimum", "the smaller where the larger is meant"),
    "minimum": ("maximum", "the larger where the smaller is meant"),
    "argmax": ("argmin", "the smallest where the largest is meant"),
    "argmin": ("argmax", "the largest where the smallest is meant"),
    "floor": ("ceil", "rounded up where it is cut off"),
    "ceil": ("floor", "cut off where it is rounded up"),
    "zeros": ("ones", "ones where zeros are meant"),
    "ones": ("zeros", "zeros where ones are meant"),
    "zeros_like": ("ones_like", "ones where zeros are meant"),
    "ones_like": ("zeros_like", "zeros where ones are meant"),
    "zeros_": ("ones_", "ones where zeros are meant"),
    "ones_": ("zeros_", "zeros where ones are meant"),
    "var": ("std", "the standard deviation where the variance is meant"),
    "std": ("var", "the variance where the standard deviation is meant"),
    "log": ("log2", "a logarithm to another base"),
    "log2": ("log", "a logarithm to another base"),
    "sin": ("cos", "a sine and a cosine are swapped"),
    "cos": ("sin", "a sine and a cosine are swapped"),
    "any": ("all", "all where one is enough"),
    "all": ("any", "one where all are meant"),
    "softmax": ("log_softmax", "logarithms where probabilities are meant"),
    "log_softmax": ("softmax", "probabilities where logarithms are meant"),
    "rand": ("randn", None),
    "randn": ("rand", "uniform numbers where normal ones are meant"),
    "uniform_": ("normal_", None),
    "normal_": ("uniform_", "uniform numbers where normal ones are meant"),
    "triu": ("tril", "the other triangle of a matrix"),
    "tril": ("triu", "the other triangle of a matrix"),
    "train": ("eval", "training and evaluation are swapped"),
    "eval": ("train", "training and evaluation are swapped"),
}
_BUILTIN = ("max", "min", "any", "all")
# What is left out of ``f(x)`` or ``x.f()``, and the mistake.
_WRAPPERS = {
    "sqrt": "a square root is left out",
    "abs": "an absolute value is left out",
    "absolute": "an absolute value is left out",
    "square": "a square is left out",
    "exp": "an exponential is left out",
    "log": "a logarithm is left out",
    "log1p": None,
    "expm1": None,
    "tanh": "a nonlinearity is left out",
    "sigmoid": "a nonlinearity is left out",
    "relu": "a nonlinearity is left out",
    "softmax": "a softmax is left out",
    "dropout": "dropout is left out",
    "clip": "a bound is left out",
    "clamp": "a bound is left out",
    "maximum": "a bound is left out",
    "minimum": "a bound is left out",
    "max": None,
    "min": None,
    "round": "nothing is rounded",
    "floor": "nothing is rounded",
    "ceil": "nothing is rounded",
    "copy": "a copy is left out",
    "clone": "a copy is left out",
    "detach": "gradients flow where they are to be cut off",
    "astype": "a dtype is not kept",
    "to": "a dtype is not kept",
    "float": None,
    "transpose": "a transpose is left out",
    "permute": "a transpose is left out",
    "swapaxes": "a transpose is left out",
    "flip": "an order is not turned around",
    "reversed": "an order is not turned around",
    "sorted": "nothing is sorted",
    "cumsum": "nothing adds up",
}
_IN_PLACE = {
    ast.Add: "iadd",
    ast.Sub: "isub",
    ast.Mult: "imul",
    ast.Div: "itruediv",
    ast.Pow: "ipow",
}
_TIMES = ("t", "step", "time", "stride", "pad", "padding", "dilation", "kernel_size", "k")


def _argument(call: ast.Call) -> ast.expr | None:
    """Return the x of ``f(x)``, ``np.f(x)`` and ``x.f()``."""
    if isinstance(call.func, ast.Attribute):
        root = call.func.value
        while isinstance(root, ast.Attribute):
            root = root.value
        if not (isinstance(root, ast.Name) and root.id in _MODULES):
            return call.func.value
    return call.args[0] if call.args else None


def _renamed(node: ast.Name | ast.Attribute, name: str) -> ast.expr:
    if isinstance(node, ast.Attribute):
        return ast.Attribute(node.value, name, ast.Load())
    return ast.Name(name, ast.Load())


def names(node: ast.AST) -> Iterator[Change]:
    """Call another function of the same kind: the sum for the mean, the floor for the ceiling."""
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name) as function):
            if name in _RENAMED and (isinstance(function, ast.Attribute) or name in _BUILTIN):
                other, title = _RENAMED[name]
                call = ast.Call(_renamed(function, other), node.args, node.keywords)
                yield put(node, call, title)


def wrappers(node: ast.AST) -> Iterator[Change]:
    """Leave out a function of one value."""
    if isinstance(node, ast.Call) and last_name(node) in _WRAPPERS:
        inner = _argument(node)
        if inner is not None:
            yield put(node, inner, _WRAPPERS[last_name(node)])
        if last_name(node) in ("max", "min", "maximum", "minimum") and len(node.args) == 2:
            yield put(node, node.args[1])


def axes(node: ast.AST) -> Iterator[Change]:
    """Reduce along another axis, or along all; leave out keepdims."""
    if not isinstance(node, ast.Call):
        return
    for keyword in node.keywords:
        kept = [k for k in node.keywords if k is not keyword]
        if keyword.arg in ("keepdims", "keepdim"):
            yield put(node, ast.Call(node.func, node.args, kept), "a reduced axis is not kept")
        elif keyword.arg in _AXES:
            yield put(node, ast.Call(node.func, node.args, kept), "along all axes at once")
            for other in (0, 1, -1):
                value = fill(str(other))
                if ast.unparse(value) != ast.unparse(keyword.value):
                    moved = [
                        ast.keyword(k.arg, value) if k is keyword else k for k in node.keywords
                    ]
                    yield put(node, ast.Call(node.func, node.args, moved), _WRONG_AXIS)


def shapes(node: ast.AST) -> Iterator[Change]:
    """Take the length of another axis; swap the axes that a shape is unpacked into."""
    title = "the length of another axis"
    match node:
        case ast.Subscript(value=ast.Attribute(attr="shape") as shape, slice=index):
            if not isinstance(index, ast.Slice):
                for other in ("0", "1", "-1"):
                    new = ast.Subscript(shape, fill(other), ast.Load())
                    yield put(node, new, title)
        case ast.Call(func=ast.Name(id="len"), args=[a]):
            yield put(node, fill("a.shape[1]", a=a), title)
            yield put(node, fill("a.shape[-1]", a=a), title)
        case ast.Assign(targets=[ast.Tuple(elts=items)], value=value):
            if last_name(value) in ("shape", "size"):
                for i in range(len(items) - 1):
                    swapped = [*items[:i], items[i + 1], items[i], *items[i + 2 :]]
                    new_targets: list[ast.expr] = [ast.Tuple(swapped, ast.Store())]
                    yield put(node, ast.Assign(new_targets, value), "two axes are mixed up")


def products(node: ast.AST) -> Iterator[Change]:
    """Leave out a transpose, make one too many, swap the factors of a matrix product."""
    match node:
        case ast.Attribute(value=value, attr="T" | "mT", ctx=ast.Load()):
            yield put(node, value, "a transpose is left out")
        case ast.BinOp(left=a, op=ast.MatMult(), right=b):
            yield put(node, ast.BinOp(b, ast.MatMult(), a), "the factors of a product are swapped")
            yield put(node, fill("a.T @ b", a=a, b=b), "a transpose too much")
            yield put(node, fill("a @ b.T", a=a, b=b), "a transpose too much")
            yield put(node, fill("a * b", a=a, b=b), "multiplied entry by entry")
        case ast.Call(args=[ast.Constant(value=str(text)), *_]) if last_name(node) == "einsum":
            inputs, arrow, out = text.partition("->")
            if arrow and len(out.strip()) > 1:
                out = out.strip()
                swapped = ast.Constant(f"{inputs}->{out[:-2]}{out[-1]}{out[-2]}")
                yield put(node.args[0], swapped, "two axes are mixed up")


def roots(node: ast.AST) -> Iterator[Change]:
    """Move eps into a root or out of it."""
    match node:
        case ast.BinOp(left=root, op=ast.Add(), right=eps) if is_eps(eps) and _root(root):
            yield from _eps_inside(node, root, eps)
        case ast.BinOp(left=eps, op=ast.Add(), right=root) if is_eps(eps) and _root(root):
            yield from _eps_inside(node, root, eps)
        case _ if isinstance(node, ast.expr) and (inner := _root(node)) is not None:
            match inner:
                case ast.BinOp(left=a, op=ast.Add(), right=b) if is_eps(a) or is_eps(b):
                    eps, value = (a, b) if is_eps(a) else (b, a)
                    new = fill("root + eps", root=_with_inner(node, inner, value), eps=eps)
                    yield put(node, new, "eps outside of the root")


def _root(node: ast.expr) -> ast.expr | None:
    """Return what stands under a root."""
    match node:
        case ast.Call() if last_name(node) in ("sqrt", "rsqrt", "norm"):
            return _argument(node)
        case ast.BinOp(left=a, op=ast.Pow(), right=ast.Constant(value=0.5)):
            return a
    return None


def _eps_inside(node: ast.AST, root: ast.expr, eps: ast.expr) -> Iterator[Change]:
    inner = _root(root)
    assert inner is not None
    new = _with_inner(root, inner, fill("a + eps", a=inner, eps=eps))
    yield put(node, new, "eps inside the root")


def _with_inner(root: ast.expr, inner: ast.expr, new: ast.expr) -> ast.expr:
    """Return a copy of a root over something else."""
    copied: ast.expr = copy.deepcopy(root, {id(inner): new})
    return copied


def variances(node: ast.AST) -> Iterator[Change]:
    """Divide the squares of a variance by n - 1 in place of n, or the other way round."""
    if not (isinstance(node, ast.Call) and last_name(node) in ("var", "std")):
        return
    known = {"ddof": (0, 1), "correction": (0, 1), "unbiased": (False, True)}
    given = next((k for k in node.keywords if k.arg in known), None)
    names = [given.arg] if given and given.arg else ["ddof", "unbiased"]
    for name in names:
        rest = [k for k in node.keywords if k is not given]
        for value in known[name]:
            keyword = ast.keyword(name, ast.Constant(value))
            title = "the variance with n - 1" if value else "the variance with n"
            yield put(node, ast.Call(node.func, node.args, [*rest, keyword]), title)


def modes(node: ast.AST) -> Iterator[Change]:
    """Take training for evaluation."""
    match node:
        case (
            ast.Attribute(attr="training", ctx=ast.Load())
            | ast.Name(id="training" | "train" | "is_training", ctx=ast.Load())
        ):
            yield put(node, fill("not a", a=node), "training and evaluation are swapped")


def gradients(node: ast.AST) -> Iterator[Change]:
    """Cut gradients off, or record them where that is switched off."""
    recorded = "gradients are recorded where they are not to be"
    match node:
        case ast.With(items=[ast.withitem(context_expr=context), *_], body=body):
            if last_name(context) in ("no_grad", "inference_mode", "enable_grad"):
                title = None if last_name(context) == "enable_grad" else recorded
                yield put(node, ast.If(ast.Constant(value=True), body, []), title)
        case ast.FunctionDef(decorator_list=decorators):
            for decorator in decorators:
                if last_name(decorator) in ("no_grad", "inference_mode"):
                    new = copy.copy(node)
                    new.decorator_list = [d for d in decorators if d is not decorator]
                    yield put(node, new, recorded)
            if any(last_name(d) in ("no_grad", "inference_mode") for d in decorators):
                return
            used = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
            if used & {"torch", "F", "nn"}:
                for statement in ast.walk(node):
                    for value in computed(statement):
                        detached = fill("a.detach()", a=value)
                        yield put(value, detached, "gradients are cut off")


def times(node: ast.AST) -> Iterator[Change]:
    """Count a step, a stride or a padding from the neighbouring number."""
    match node:
        case ast.Name(id=name, ctx=ast.Load()) if name in _TIMES:
            yield put(node, fill("a + 1", a=node), "off by one")
            yield put(node, fill("a - 1", a=node), "off by one")


def in_place(node: ast.AST) -> Iterator[Change]:
    """Write the result of an operation into the argument that it reads."""
    if not isinstance(node, ast.FunctionDef):
        return
    parameters = (a for a in ast.walk(node.args) if isinstance(a, ast.arg))
    names = {a.arg for a in parameters if a.annotation is None}
    for inner in ast.walk(node):
        if not (isinstance(inner, ast.BinOp) and type(inner.op) in _IN_PLACE):
            continue
        name = _IN_PLACE[type(inner.op)]
        pairs = [(inner.left, inner.right)]
        if isinstance(inner.op, (ast.Add, ast.Mult)):
            pairs.append((inner.right, inner.left))
        for target, other in pairs:
            if isinstance(target, ast.Name) and target.id in names:
                new = fill(f"operator.{name}(a, b)", a=target, b=other)
                yield put(inner, new, "an argument is changed in place")


def stale(node: ast.AST) -> Iterator[Change]:
    """Use what an argument was at first after it has got a new value."""
    if not isinstance(node, ast.FunctionDef):
        return
    names = {a.arg for a in ast.walk(node.args) if isinstance(a, ast.arg)}
    for statement in node.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in names:
                keep = ast.parse(f"{name}_before, {name} = {name}, 0").body[0]
                assert isinstance(keep, ast.Assign)
                assert isinstance(keep.value, ast.Tuple)
                keep.value.elts[1] = value
                for later in ast.walk(node):
                    if _reads(later, name) and later.lineno > statement.lineno:
                        swaps = ((later, fill(f"{name}_before")), (statement, keep))
                        yield Change(swaps, "an old value where the new one is meant")


def _reads(node: ast.AST, name: str) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)


COMMON_MISTAKES: dict[str, Operator] = {
    "mean and sum": names,
    "function left out": wrappers,
    "axis": axes,
    "shape": shapes,
    "transpose": products,
    "eps": roots,
    "variance": variances,
    "mode": modes,
    "gradient": gradients,
    "time": times,
    "in place": in_place,
    "old value": stale,
}
