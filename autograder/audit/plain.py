"""Plain texts: Python without what proves nothing, and its tokens as each version has them."""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from autograder.compiler.regions import SOLUTION, is_mark
from autograder.compiler.syntax import last_line

__all__ = ["plain", "tokens_of"]

# Comments, and texts in quotes but for what stands before the first: of Python that is right, where
# none stands in another, they are what these find. Tokens say the same and take ten times as long.
_PIECE = re.compile(
    r"#[^\r\n]*"
    r'|"""(?:[^\\]|\\.)*?"""|"(?:[^\\\n"]|\\.)*"'
    r"|\'\'\'(?:[^\\]|\\.)*?\'\'\'|'(?:[^\\\n']|\\.)*'",
    re.DOTALL,
)
# Since 3.12, what stands in these may have quotes of its own.
_MAY_NEST = re.compile(r"(?:[fFtT][rR]?|[rR][fFtT])['\"]") if sys.version_info >= (3, 12) else None


class _Piece(NamedTuple):
    """A comment or a text in quotes: the lines that it begins and ends on, from 1, and where."""

    text: str
    first: int
    last: int
    column: int


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """Return a text of Python without comments, docstrings, and blank lines of code.

    The marks of solution regions stay.
    """
    tree, lines = ast.parse(text), text.split("\n")
    inside: set[int] = set()  # a text that goes on on the next line
    for piece in _pieces(text):
        if not piece.text.startswith("#"):
            inside.update(range(piece.first, piece.last))  # but for its last line
        elif not is_mark(piece.text, SOLUTION):  # it decides what a student is asked for
            lines[piece.first - 1] = lines[piece.first - 1][: piece.column]
    for body in _documented(tree):
        doc = body[0] if body else None
        if (
            isinstance(doc, ast.Expr)
            and isinstance(doc.value, ast.Constant)
            and isinstance(doc.value.value, str)
        ):
            _cut(lines, doc, alone=len(body) == 1)
            inside.difference_update(range(doc.lineno, last_line(doc)))
    numbered = enumerate(lines, 1)
    kept = [line if n in inside else line.rstrip() for n, line in numbered]
    return "\n".join(line for n, line in enumerate(kept, 1) if line or n in inside)


def _pieces(text: str) -> Iterator[_Piece]:
    """Give the comments and the texts in quotes of some Python that is right, in their order."""
    if _MAY_NEST is not None and _MAY_NEST.search(text):
        for token in tokens_of(text):
            if token.type in (tokenize.COMMENT, tokenize.STRING):
                yield _Piece(token.string, token.start[0], token.end[0], token.start[1])
        return
    line, so_far = 1, 0
    for found in _PIECE.finditer(text):
        first = line + text.count("\n", so_far, found.start())
        line, so_far = first + found[0].count("\n"), found.end()
        column = found.start() - text.rfind("\n", 0, found.start()) - 1
        yield _Piece(found[0], first, line, column)


def _documented(tree: ast.Module) -> Iterator[list[ast.stmt]]:
    """Give the bodies that may begin with a docstring, wherever among the statements they stand."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.body
        for field in ("body", "orelse", "finalbody", "handlers", "cases"):
            inner = getattr(node, field, ())
            waiting += inner if isinstance(inner, list) else ()


def _cut(lines: list[str], doc: ast.Expr, alone: bool) -> None:
    """Take a docstring out of some lines; ``alone`` if it is all that there is of its body."""
    assert doc.end_lineno is not None
    before = lines[doc.lineno - 1].encode()[: doc.col_offset].decode()
    behind = lines[doc.end_lineno - 1].encode()[doc.end_col_offset :].decode()
    lines[doc.lineno - 1 : doc.end_lineno] = [""] * (doc.end_lineno - doc.lineno + 1)
    lines[doc.lineno - 1] = before + ("pass" if alone or behind.strip() else "") + behind


def tokens_of(text: str) -> Iterator[tokenize.TokenInfo]:
    """Give the tokens as Python 3.11 has them: an f-string is one, with all that stands in it."""
    lines, depth, begin = text.split("\n"), 0, (1, 0)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        name = tokenize.tok_name[token.type]
        if name in ("FSTRING_START", "TSTRING_START"):
            begin = begin if depth else token.start
            depth += 1
        elif name in ("FSTRING_END", "TSTRING_END"):
            depth -= 1
            whole = _between(lines, begin, token.end)
            token = token._replace(type=tokenize.STRING, string=whole, start=begin)
        if not depth:
            yield token


def _between(lines: list[str], begin: tuple[int, int], end: tuple[int, int]) -> str:
    found = lines[begin[0] - 1 : end[0]]
    found[-1] = found[-1][: end[1]]
    found[0] = found[0][begin[1] :]
    return "\n".join(found)
