"""What checks are given: functions that earlier questions ask for, and not what they test."""

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import FunctionType
from typing import Any

from autograder.authoring.checks import Check
from autograder.compiler.reference import PACKAGE
from autograder.compiler.solutions import SolutionCell
from autograder.compiler.source import Source
from autograder.compiler.syntax import nearest, placed
from autograder.compiler.written_checks import CheckFunction
from autograder.errors import SourceError

__all__ = ["asked_of_students", "require_given"]


def require_given(
    source: Source,
    checks: Mapping[str, Check],
    written: Mapping[str, CheckFunction],
    solutions: Mapping[int, SolutionCell],
    namespace: Mapping[str, Any],
) -> None:
    """Refuse a check that is given what cannot be given to it.

    Args:
        source: where they stand.
        checks: as they are after the cells ran.
        written: the same, as they are written.
        solutions: the cells that ask for a student's work, by number.
        namespace: the reference.
    """
    asked = {name: number for number, cell in solutions.items() for name in cell.names}
    for check in checks.values():
        cell = written[check.name].cell
        with placed(source.file, cell):
            for name in check.given:
                _require(check, name, cell, asked, namespace)


def _require(
    check: Check, name: str, cell: int, asked: Mapping[str, int], namespace: Mapping[str, Any]
) -> None:
    where = f"check {check.name!r} is given {name!r}"
    if name not in asked:
        raise SourceError(f"{where}, which no question asks for{nearest(name, asked)}")
    if asked[name] > cell:
        raise SourceError(f"{where}, which stands below it; give what an earlier question asks for")
    if not isinstance(namespace.get(name), FunctionType):
        raise SourceError(f"{where}, which is no function of the reference")
    if name in set(asked_of_students(check.function)):
        raise SourceError(f"{where} and calls it itself; what a check tests cannot be given to it")


def asked_of_students(function: FunctionType | Any) -> Iterator[str]:
    """Give each name that a check, or a helper of its notebook, asks of anything but a reference.

    A helper that runs in a session reaches the student's functions by the notebook it is handed. It
    may stand in the notebook, or in the reference.
    """
    waiting, seen = [function], {function}
    while waiting:
        current = waiting.pop()
        for node in _nodes(current):
            if isinstance(node, ast.Name):
                other = current.__globals__.get(node.id)
                if _is_helper(other, current) and other not in seen:
                    seen.add(other)
                    waiting.append(other)
            else:
                yield from _asked(node)


def _is_helper(value: Any, caller: FunctionType) -> bool:
    """Return whether a value is a function that stands beside its caller, or in the reference."""
    if not isinstance(value, FunctionType):
        return False
    beside = value.__globals__ is caller.__globals__
    return beside or (value.__module__ or "").partition(".")[0] == PACKAGE


@lru_cache(maxsize=256)
def _nodes(function: FunctionType) -> tuple[ast.AST, ...]:
    """Return the nodes of a function's tree: an audit asks for those of a check many times."""
    try:
        if function.__code__.co_filename == "<string>":  # eval's; from Python 3.13 on, also -c's
            raise OSError("no text is kept of what eval and exec make")
        return tuple(ast.walk(ast.parse(textwrap.dedent(inspect.getsource(function)))))
    except (OSError, SyntaxError):
        raise SourceError(
            f"the helper {function.__name__!r} of a check that is given something cannot be read;"
            " define it by def"
        ) from None


def _asked(node: ast.AST) -> Iterator[str]:
    """Give the name in ``x.name``, ``x["name"]`` and ``getattr(x, "name")``."""
    match node:
        case ast.Attribute(value=owner, attr=str(name)):
            pass
        case ast.Subscript(value=owner, slice=ast.Constant(value=str(name))):
            pass
        case ast.Call(func=ast.Name(id="getattr"), args=[owner, ast.Constant(value=str(name)), *_]):
            pass
        case _:
            return
    if not (isinstance(owner, ast.Name) and owner.id == "reference"):
        yield name
