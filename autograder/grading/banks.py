"""Banks, read: the texts beside a notebook become mistakes and alternatives by question."""

import __future__

import ast
import importlib
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any

from autograder.authoring.bank import Bank, Entry, Variant, collecting
from autograder.authoring.phrases import kind
from autograder.errors import SourceError

__all__ = ["BANK", "NOTEBOOK", "read_banks"]

_DEFINABLE = (ast.FunctionDef, ast.ClassDef)
BANK = "bank"  # the package that banks are modules of
NOTEBOOK = "assignment"  # the module that a bank takes names of the notebook from


def read_banks(
    paths: Iterable[str], notebook: ModuleType, reference: Mapping[str, str]
) -> dict[str, Bank]:
    """Import the banks of an assignment; return what each keeps, by question.

    Args:
        paths: of the banks (``bank/sgd_step.py``), which can be imported. A name that begins with
            an underscore is no question's, but a module for others to import, and keeps nothing.
        notebook: whose cells ran.
        reference: text of each module of the reference, by path.

    Raises:
        SourceError: a bank raised, or keeps what it cannot; says which.
    """
    found = {}
    for path in sorted(paths, key=lambda path: not _is_shared(path)):
        question = _name(path)
        try:
            entries = _entries(question)
            if _is_shared(path):
                if entries:
                    raise SourceError(
                        f"{entries[0].title!r} stands in what banks share; move it to a question's"
                    )
                continue
            found[question] = _bank(
                [(e, _variant(e, question, notebook, reference)) for e in entries]
            )
        except SourceError as error:
            raise error.at(path) from None
        except Exception as error:
            raise SourceError(f"{type(error).__name__}: {error}", path) from error
    return found


def _name(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".py")


def _is_shared(path: str) -> bool:
    return _name(path).startswith("_")


def _entries(name: str) -> list[Entry]:
    module = f"{BANK}.{name}"
    if module in sys.modules and not name.startswith("_"):
        raise SourceError(
            "another bank imports it; move what they share to a module whose name begins with _"
        )
    with collecting() as entries:
        importlib.import_module(module)
    return entries


def _bank(variants: Sequence[tuple[Entry, Variant]]) -> Bank:
    titles = Counter(entry.title for entry, _ in variants)
    kept = [
        (entry.right, replace(one, label=_label(one, titles), costs=entry.costs))
        for entry, one in variants
    ]
    labels = Counter(one.label for _, one in kept)
    for _, one in kept:
        if labels[one.label] > 1:
            raise SourceError(f"two answers have the title {one.title!r}; say how they differ")
    mistakes, alternatives = (
        tuple(one for r, one in kept if r is right) for right in (False, True)
    )
    return Bank(mistakes, alternatives)


def _label(variant: Variant, titles: Mapping[str, int]) -> str:
    """Return the title of a variant, with its names where another has the same title."""
    if titles[variant.title] == 1:
        return variant.title
    return f"{variant.title} ({', '.join(variant.values)})"


def _variant(
    entry: Entry, question: str, notebook: ModuleType, reference: Mapping[str, str]
) -> Variant:
    names = vars(notebook)
    if entry.values is not None:
        for name, value in entry.values.items():
            _require_known(entry, name, names)
            _require_kind(entry, name, names[name], value)
        return Variant(entry.title, dict(entry.values))
    own = getattr(entry.answer, "__name__", "")
    name = entry.of or (own if own != "_" and own in names else question)
    _require_known(entry, name, names)
    if entry.edit is not None:
        return Variant(entry.title, {name: _edited(entry, name, names[name], reference)})
    _require_kind(entry, name, names[name], entry.answer)
    if callable(entry.answer) and own:
        entry.answer.__name__ = entry.answer.__qualname__ = name
    return Variant(entry.title, {name: entry.answer})


def _require_known(entry: Entry, name: str, names: Mapping[str, Any]) -> None:
    if name not in names:
        raise SourceError(
            f"{entry.title!r} stands for {name!r}, which the notebook does not have; "
            "say what it stands for with of="
        )


def _require_kind(entry: Entry, name: str, right: Any, answer: Any) -> None:
    """Refuse a function for a value, and a value for a function: any check rejects that."""
    if callable(right) is not callable(answer):
        must, got = (_kind(one) for one in (right, answer))
        raise SourceError(
            f"{entry.title!r}: what stands for {name!r} must be {must}, as the answer is, got {got}"
        )


def _kind(value: Any) -> str:
    if isinstance(value, type):
        return "a class"
    return "a function" if callable(value) else kind(value)


def _edited(entry: Entry, name: str, right: Any, reference: Mapping[str, str]) -> Any:
    """Return the reference's function or class with one piece of its text replaced."""
    assert entry.edit is not None
    module = sys.modules.get(getattr(right, "__module__", None) or "")
    path = f"{module.__name__.replace('.', '/')}.py" if module is not None else ""
    if module is None or path not in reference:
        raise SourceError(f"{entry.title!r}: an edit changes a function or class of the reference")
    text = _definition(reference[path], right.__name__)
    old, new = entry.edit
    if (count := text.count(old)) != 1:
        raise SourceError(
            f"{entry.title!r}: {old!r} must stand in the reference's {name} exactly once, "
            f"it stands there {count} times"
        )
    scope = dict(vars(module))
    future = scope.get("annotations") is __future__.annotations
    flags = __future__.annotations.compiler_flag if future else 0
    name_of_text = f"<{path}, edited>"
    exec(compile(text.replace(old, new), name_of_text, "exec", flags, dont_inherit=True), scope)
    return scope[right.__name__]


def _definition(text: str, name: str) -> str:
    """Return the code of a definition of a module, without its docstring."""
    found = [n for n in ast.parse(text).body if isinstance(n, _DEFINABLE) and n.name == name]
    if not found:
        return ""
    node = found[-1]
    lines = text.split("\n")[: node.end_lineno]
    doc = node.body[0]
    if isinstance(doc, ast.Expr) and isinstance(doc.value, ast.Constant) and len(node.body) > 1:
        lines[doc.lineno - 1 : doc.end_lineno] = []
    first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
    return "\n".join(lines[first - 1 :])
