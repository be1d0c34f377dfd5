"""Forms of test statements that are written in another way here: expected errors, nose, prints."""

import ast
import copy
from collections.abc import Callable, Sequence

__all__ = ["AUTOTEST", "RAISED", "from_nose", "is_dropped", "raised_form", "with_plain_forms"]

AUTOTEST = "AUTOTEST"  # the name by which the reader of nbgrader's marks calls an expression
# Runs in the session, where the student's exception still is one: its class crosses as names.
RAISED = '''\
def raised(notebook, name, *args, **kwargs):
    """Return the names of the classes of what a function raises; none if it raises nothing."""
    try:
        getattr(notebook, name)(*args, **kwargs)
    except Exception as error:
        return [kind.__name__ for kind in type(error).__mro__]
    return []
'''
_PLAIN: dict[str, Callable[[list[str]], str]] = {
    "assert_equal": lambda a: f"{a[0]} == {a[1]}",
    "assert_equals": lambda a: f"{a[0]} == {a[1]}",
    "eq_": lambda a: f"{a[0]} == {a[1]}",
    "assert_not_equal": lambda a: f"{a[0]} != {a[1]}",
    "assert_true": lambda a: a[0],
    "ok_": lambda a: a[0],
    "assert_false": lambda a: f"not ({a[0]})",
    "assert_is_none": lambda a: f"{a[0]} is None",
    "assert_in": lambda a: f"{a[0]} in {a[1]}",
    "assert_not_in": lambda a: f"{a[0]} not in {a[1]}",
    "assert_is_instance": lambda a: f"isinstance({a[0]}, {a[1]})",
    "assert_greater": lambda a: f"{a[0]} > {a[1]}",
    "assert_less": lambda a: f"{a[0]} < {a[1]}",
    "assert_almost_equal": lambda a: f"round(abs({a[0]} - {a[1]}), {a[2] if a[2:] else 7}) == 0",
    "assert_almost_equals": lambda a: f"round(abs({a[0]} - {a[1]}), {a[2] if a[2:] else 7}) == 0",
}
_NOSE = ("nose.tools", "nose")
_RAISERS = ("assert_raises", "assertRaises", "raises")


def is_dropped(node: ast.stmt) -> bool:
    """Return whether a statement of a test cell says nothing here: it prints, or imports nose."""
    match node:
        case ast.Expr(value=ast.Call(func=ast.Name(id="print" | "display"))):
            return True
        case ast.ImportFrom(module=str(module)):
            return module in _NOSE
        case ast.Import(names=[ast.alias(name="nose" | "nose.tools" | "pytest")]):
            return True
    return False


def from_nose(tree: ast.Module) -> frozenset[str]:
    """Return the names that a text imports from nose."""
    found = (n for n in tree.body if isinstance(n, ast.ImportFrom) and n.module in _NOSE)
    return frozenset(alias.asname or alias.name for node in found for alias in node.names)


def with_plain_forms(node: ast.stmt, nose: frozenset[str]) -> ast.stmt | None:
    """Return a statement with plain assertions in place of nose's; None if it has none of those.

    Args:
        node: a statement; it is not changed.
        nose: what the notebook imports from nose.
    """
    forms = _PlainForms(nose)
    changed: ast.stmt = forms.visit(copy.deepcopy(node))
    return ast.fix_missing_locations(changed) if forms.found else None


class _PlainForms(ast.NodeTransformer):
    def __init__(self, nose: frozenset[str]) -> None:
        self._nose, self.found = nose, False

    def visit_Expr(self, node: ast.Expr) -> ast.stmt:
        if (plain := _plain_form(node, self._nose)) is None:
            return node
        self.found = True
        return ast.copy_location(plain, node)


def _plain_form(node: ast.stmt, nose: frozenset[str]) -> ast.stmt | None:
    match node:
        case ast.Expr(value=ast.Call(func=ast.Name(id=name), args=args, keywords=[])):
            pass
        case _:
            return None
    if name not in nose or name not in _PLAIN or not args:
        return None
    texts = [ast.unparse(one) for one in args]
    try:
        return ast.parse(f"assert {_PLAIN[name](texts)}").body[0]
    except IndexError:
        return None


def raised_form(node: ast.stmt, theirs: Callable[[str], bool]) -> tuple[ast.stmt, str] | None:
    """Return the assertion on what a student's function raises, and the function's name.

    Args:
        node: a statement.
        theirs: whether a name is of a function that students write.

    Returns:
        None if it is another statement.
    """
    kind, call = _expected(node)
    if kind is None or call is None or not isinstance(call.func, ast.Name):
        return None
    if not theirs(call.func.id):
        return None
    arguments = [ast.Constant(call.func.id), *call.args]
    asked = ast.Call(
        ast.Attribute(ast.Name("student", ast.Load()), "apply", ast.Load()),
        [ast.Name("raised", ast.Load()), *arguments],
        call.keywords,
    )
    expected = ast.Constant(_last(kind))
    made = ast.Assert(ast.Compare(expected, [ast.In()], [asked]), None)
    return ast.fix_missing_locations(ast.copy_location(made, node)), call.func.id


def _expected(node: ast.stmt) -> tuple[ast.expr | None, ast.Call | None]:
    """Return which exception a statement expects, and of which call."""
    match node:
        case ast.Expr(
            value=ast.Call(func=func, args=[kind, function, *args], keywords=keywords)
        ) if _last(func) in _RAISERS and isinstance(kind, (ast.Name, ast.Attribute)):
            return kind, ast.Call(function, args, keywords)
        case ast.With(
            items=[ast.withitem(context_expr=ast.Call(func=func, args=[kind, *_]))], body=[one]
        ) if _last(func) in _RAISERS and isinstance(kind, (ast.Name, ast.Attribute)):
            return kind, _call(one)
        case ast.Try(
            body=[one, *more],
            handlers=[ast.ExceptHandler(type=ast.Name() as kind, body=handler)],
            orelse=orelse,
            finalbody=[],
        ) if _is_failure([*more, *orelse]) and all(map(_is_nothing, handler)):
            return kind, _call(one)
    return None, None


def _is_failure(nodes: Sequence[ast.stmt]) -> bool:
    """Return whether statements fail a test: where nothing was raised."""
    kept = [node for node in nodes if not is_dropped(node)]
    match kept:
        case [ast.Raise()] | [ast.Assert(test=ast.Constant(value=False | 0))]:
            return True
    return False


def _is_nothing(node: ast.stmt) -> bool:
    return isinstance(node, ast.Pass) or is_dropped(node)


def _last(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else ast.unparse(function)


def _call(node: ast.stmt) -> ast.Call | None:
    value = node.value if isinstance(node, (ast.Expr, ast.Assign)) else None
    return value if isinstance(value, ast.Call) else None
