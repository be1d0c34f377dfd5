"""The reference package as text: its modules, what they define, and what that needs."""

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from autograder.compiler.syntax import (
    bound_names,
    closing_line,
    comment_above,
    first_line,
    free_names,
    nearest,
    parse,
    touched_names,
)
from autograder.errors import SourceError

__all__ = [
    "PACKAGE",
    "Definition",
    "Import",
    "Module",
    "Reference",
    "reference_imports",
    "split_import",
]

PACKAGE = "reference"


@dataclass(frozen=True)
class Import:
    """A statement ``from reference.x import a, b`` at the top level of a text."""

    node: ast.ImportFrom
    module: str
    names: tuple[str, ...]


class OneName(NamedTuple):
    """A name that is imported, what it names there, and the statement that imports only it."""

    name: str
    owner: str
    text: str


@dataclass(frozen=True, eq=False)
class Definition:
    """A statement of a reference module that gives names their meaning.

    Attributes:
        names: what it binds, or of what it changes a part.
        text: its source; for an import the statement that imports just this name.
        owner: where the meaning comes from: two owners of one name would be two meanings.
        comment: the comment block directly above it, with its newline, or nothing.
        origin: for an import from the reference, the module and the name there.
    """

    module: "Module"
    node: ast.stmt
    names: tuple[str, ...]
    text: str
    owner: str
    comment: str = ""
    origin: tuple[str, str] | None = None

    @property
    def is_import(self) -> bool:
        """Whether it imports from outside the reference."""
        return isinstance(self.node, (ast.Import, ast.ImportFrom))

    @cached_property
    def needs(self) -> set[str]:
        """The names that it reads from its module."""
        return free_names(self.text)


class Module:
    """A module of the reference, as text.

    Args:
        name: ``reference.optimizers``.
        path: ``reference/optimizers.py``.
    """

    def __init__(self, name: str, path: str, text: str) -> None:
        self.name, self.path, self.text = name, path, text
        try:
            self.tree = parse(text)
            self.imports = reference_imports(self.tree, self._package)
        except SourceError as error:
            raise SourceError(f"{path}: {error.problem}") from None

    @property
    def _package(self) -> str:
        is_package = self.path.endswith("/__init__.py")
        return self.name if is_package else self.name.rpartition(".")[0]

    @cached_property
    def postpones_annotations(self) -> bool:
        """Whether it begins with ``from __future__ import annotations``."""
        return any(
            isinstance(statement, ast.ImportFrom)
            and statement.module == "__future__"
            and any(alias.name == "annotations" for alias in statement.names)
            for statement in self.tree.body
        )

    @cached_property
    def definitions(self) -> dict[str, list[Definition]]:
        """The definitions of each name, in the order of the source."""
        found: dict[str, list[Definition]] = {}
        for statement in self.tree.body:
            for definition in self._define(statement):
                for name in definition.names:
                    found.setdefault(name, []).append(definition)
        return found

    def _define(self, statement: ast.stmt) -> list[Definition]:
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            return self._define_imports(statement)
        lines = self.text.split("\n")
        first = first_line(statement)
        above = comment_above(lines, first)
        text = "\n".join(lines[first - 1 : closing_line(lines, statement)])
        comment = "\n".join([*lines[above - 1 : first - 1], ""])
        names = tuple(touched_names(statement))
        return [Definition(self, statement, names, text, self.path, comment)]

    def _define_imports(self, statement: ast.Import | ast.ImportFrom) -> list[Definition]:
        module = next((i.module for i in self.imports if i.node is statement), None)
        return [
            Definition(
                self,
                statement,
                (one.name,),
                one.text,
                one.owner,
                origin=(module, one.name) if module else None,
            )
            for one in split_import(statement)
        ]


class Reference:
    """The reference package of a course.

    Args:
        root: the course's folder; the package is ``reference`` in it.
        texts: the modules' texts by path, where they are not to be read from the folder.
    """

    def __init__(self, root: Path, texts: Mapping[str, str] | None = None) -> None:
        self._root, self._texts = root, texts
        self._modules: dict[str, Module] = {}

    def module(self, name: str) -> Module:
        """Return a module.

        Raises:
            SourceError: there is none of that name, or it is not Python.
        """
        if name not in self._modules:
            path = self._path(name)
            if path is None:
                hint = nearest(name.removeprefix(f"{PACKAGE}."), self._known())
                raise SourceError(f"there is no {name.replace('.', '/')}.py{hint}")
            self._modules[name] = Module(name, path, self._read(path))
        return self._modules[name]

    def find(self, module: str, name: str) -> Definition:
        """Return the last definition of a name, followed through imports from the reference.

        Raises:
            SourceError: the module has no such name of its own.
        """
        place = self.module(module)
        if name not in place.definitions:
            hint = nearest(name, place.definitions)
            raise SourceError(f"{place.path} has no {name!r}{hint}")
        found = next(d for d in reversed(place.definitions[name]) if name in bound_names(d.text))
        if found.origin:
            return self.find(*found.origin)
        if found.is_import:
            raise SourceError(
                f"{place.path} only imports {name!r}, so it is no solution of its own"
            )
        return found

    def needed(self, *wanted: Definition) -> list[Definition]:
        """Return definitions and all that they need, in an order in which they can run."""
        found = dict.fromkeys(wanted)
        queue = list(wanted)
        while queue:
            definition = queue.pop()
            for name in sorted(definition.needs | set(definition.names)):
                for other in self._meanings(definition.module, name):
                    if other not in found:
                        found[other] = None
                        queue.append(other)
        rank = {m.name: i for i, m in enumerate(self._ordered(wanted))}
        return sorted(found, key=lambda d: (rank[d.module.name], d.node.lineno, d.text))

    def texts(self, modules: list[str]) -> dict[str, str]:
        """Return the texts of some modules, and of all that importing them runs, by path."""
        found: dict[str, str] = {}
        queue = list(modules)
        while queue:
            name = queue.pop()
            if name == PACKAGE and self._path(name) is None:
                continue
            module = self.module(name)
            if module.path not in found:
                found[module.path] = module.text
                queue += [i.module for i in module.imports]
                queue += [name.rpartition(".")[0]] if name != PACKAGE else []
        return dict(sorted(found.items()))

    def resources(self, modules: Iterable[str]) -> dict[str, bytes]:
        """Return the files beside some modules that are no Python, by path.

        They are data that no student gets, such as what a network is tested on. A module reads them
        by `importlib.resources`.

        Args:
            modules: the modules' paths.
        """
        folders = {(self._root / path).parent for path in modules}
        files = (p for folder in sorted(folders) for p in sorted(folder.glob("[!._]*")))
        return {
            p.relative_to(self._root).as_posix(): p.read_bytes()
            for p in files
            if p.is_file() and p.suffix != ".py"
        }

    def _meanings(self, module: Module, name: str) -> list[Definition]:
        found = []
        for definition in module.definitions.get(name, []):
            if definition.origin:
                place, original = definition.origin
                self.find(place, original)
                found += self._meanings(self.module(place), original)
            else:
                found.append(definition)
        return found

    def _ordered(self, wanted: tuple[Definition, ...]) -> list[Module]:
        """Return the modules of some definitions and what they import, imported ones first."""
        found: list[Module] = []
        seen: set[str] = set()

        def visit(module: Module) -> None:
            if module.name not in seen:
                seen.add(module.name)
                for item in module.imports:
                    visit(self.module(item.module))
                found.append(module)

        for definition in wanted:
            visit(definition.module)
        return found

    def _path(self, name: str) -> str | None:
        stem = name.replace(".", "/")
        paths = (f"{stem}.py", f"{stem}/__init__.py")
        if self._texts is not None:
            return next((p for p in paths if p in self._texts), None)
        return next((p for p in paths if (self._root / p).is_file()), None)

    def _known(self) -> list[str]:
        folder = self._root / PACKAGE
        paths = sorted(folder.rglob("[!_]*.py"))
        return [".".join(p.relative_to(folder).with_suffix("").parts) for p in paths]

    def _read(self, path: str) -> str:
        if self._texts is not None:
            return self._texts[path]
        try:
            return (self._root / path).read_bytes().decode().replace("\r\n", "\n")
        except UnicodeDecodeError:
            raise SourceError(f"{path} is not UTF-8") from None


def reference_imports(tree: ast.Module, package: str = "") -> list[Import]:
    """Return what a text imports from the reference.

    Args:
        tree: of a cell, or of a module of the reference.
        package: that a module belongs to, for its relative imports.

    Raises:
        SourceError: an import has another form than ``from reference.x import names``.
    """
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if _is_ours(alias.name):
                    raise _wrong_import(node, alias.name)
        elif isinstance(node, ast.ImportFrom) and _is_ours(name := _absolute(node, package)):
            if name == PACKAGE:
                raise _wrong_import(node, f"{PACKAGE}.{node.names[0].name}")
            if node not in tree.body or any(a.asname or a.name == "*" for a in node.names):
                raise _wrong_import(node, name)
            found.append(Import(node, name, tuple(a.name for a in node.names)))
    return found


def _is_ours(module: str) -> bool:
    return module == PACKAGE or module.startswith(f"{PACKAGE}.")


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level or not package:
        return node.module or ""
    base = package.rsplit(".", node.level - 1)[0]
    return f"{base}.{node.module}" if node.module else base


def _wrong_import(node: ast.Import | ast.ImportFrom, module: str) -> SourceError:
    names = "names"
    if isinstance(node, ast.ImportFrom) and node.module != PACKAGE and node.names[0].name != "*":
        names = ", ".join(alias.name for alias in node.names)
    place = module if module != PACKAGE else f"{PACKAGE}.module"
    return SourceError(
        f"line {node.lineno} has {ast.unparse(node)!r}; write 'from {place} import {names}' at the"
        " top level, outside of any function"
    )


def split_import(statement: ast.Import | ast.ImportFrom) -> list[OneName]:
    """Return an import as statements that import one name each."""
    found = []
    for alias in statement.names:
        if isinstance(statement, ast.Import):
            name = alias.asname or alias.name.partition(".")[0]
            owner = alias.name if alias.asname else name
            text = ast.unparse(ast.Import([alias]))
        else:
            name, owner = alias.asname or alias.name, f"{statement.module}.{alias.name}"
            text = ast.unparse(ast.ImportFrom(statement.module, [alias], statement.level))
        found.append(OneName(name, owner, text))
    return found
