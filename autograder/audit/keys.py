"""Keys: what the proof of a check hangs on, as one hash of texts.

A key is made of texts alone, so that it is the same on any machine and takes no second: the check
and its cases, all of the notebook and of the reference that it reaches by name, the bank of its
question, the audit's own code, and major versions. Comments (but marks of regions), docstrings,
hints and prices are not part of it: they prove nothing.
"""

import ast
import hashlib
import re
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from importlib import metadata
from pathlib import Path

from autograder.artefacts.bundle import Cell
from autograder.artefacts.compiled import Compiled, Texts
from autograder.audit.plain import plain, tokens_of
from autograder.compiler.bank_files import without_prices
from autograder.compiler.reference import Definition, Reference, reference_imports, split_import
from autograder.compiler.source import MAKER
from autograder.compiler.syntax import (
    blank_magics,
    call_name,
    first_line,
    last_line,
    text_of,
    touched_names,
)

__all__ = ["digest_of", "digests_of", "keys_of"]

PACKAGES = ("numpy", "torch")  # whose major versions count
# What of this package decides what an audit finds, from its own folder on.
OWN = (
    "audit",
    "authoring",
    "artefacts/gaps.py",
    "artefacts/proof.py",
    "grading/cases.py",
    "grading/perturbed.py",
    "grading/reversed_sums.py",
    "grading/substitutes.py",
    "grading/watchdog.py",
    "sandbox/protocol/messages.py",
)
NOT_OWN = (
    *("audit/check_report.py", "audit/drafts.py", "audit/keys.py", "audit/leaks.py"),
    *("audit/publish.py", "audit/acceptance.py", "audit/overview.py", "audit/watching.py"),
    *("audit/pool.py", "audit/plain.py", "audit/mistake_report.py"),
    *("audit/adopted.py", "audit/reporting.py"),
    "audit/on_gpu.py",  # a proof on the CPU does not hang on it
)
_OWN_IMPORT = re.compile(r"^from autograder\.[\w.]+ import (\([^)]*\)|.*)\n?", re.MULTILINE)
_PUBLIC = re.compile(r"^__all__ = \[[^\]]*\]\n?", re.MULTILINE)
_WORD = re.compile(r"[^\W\d]\w*")


class _Meanings:
    """The texts of an assignment, and what in them a name means.

    Args:
        cells: the trusted cells.
        reference: the modules of the reference, by path.
        banks: the banks, by path.
        data: the assignment's files, by path.
    """

    def __init__(
        self,
        cells: Iterable[Cell],
        reference: Mapping[str, str],
        banks: Mapping[str, str],
        data: Mapping[str, bytes],
    ) -> None:
        self._reference = Reference(Path(), reference)
        self._banks, self._data = banks, data
        self._by_question: dict[str, tuple[dict[str, str], list[Definition]]] = {}
        self._checks: dict[str, tuple[ast.stmt, str]] = {}
        self._asked_above: dict[str, list[str]] = {}  # by question
        self._meanings: dict[str, list[str | Definition]] = {}
        self._helpers: set[Definition] = set()  # of the reference, which nobody is asked for
        asked: list[str] = []  # since the last check
        for cell in cells:
            source = blank_magics(cell.source)
            for statement in ast.parse(source).body:
                text = _text(source, statement)
                if (check := _check(statement)) is not None:
                    self._checks[_name_of(statement)] = statement, source
                    question = _question(check)
                    self._asked_above.setdefault(question, []).extend(asked)
                    asked = []
                    continue
                names = self._define(statement, text)
                if cell.kind == "solution":
                    asked += names
                else:
                    self._helpers |= self._imported(names)

    def _define(self, statement: ast.stmt, text: str) -> list[str]:
        """Take note of what a statement of the notebook means; return the names that it binds."""
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            if imports := reference_imports(ast.Module([statement], [])):
                for name in imports[0].names:
                    self._meanings[name] = [self._reference.find(imports[0].module, name)]
                return list(imports[0].names)
            for one in split_import(statement):
                self._meanings.setdefault(one.name, []).append(one.text)
            return []
        names = touched_names(statement)
        for name in names:
            self._meanings.setdefault(name, []).append(text)
        return names

    def _imported(self, names: Iterable[str]) -> set[Definition]:
        """Return what some names mean in the reference."""
        meanings = (meaning for name in names for meaning in self._meanings.get(name, []))
        return {meaning for meaning in meanings if isinstance(meaning, Definition)}

    def keys(self) -> dict[str, str]:
        """Return the key of each check by name."""
        own = "\n".join([*_own_code(), *_versions(), *digests_of(self._data)])
        return {name: digest_of([own, *self._parts(name)]) for name in self._checks}

    def _parts(self, name: str) -> Iterator[str]:
        statement, source = self._checks[name]
        check = _check(statement)
        assert check is not None
        question = _question(check)
        if question not in self._by_question:
            banks = self._bank(question)
            self._by_question[question] = banks, self._imported_by(banks)
        banks, imported = self._by_question[question]
        texts = [*_text_of_check(statement, source), *banks.values()]
        yield from texts
        asked = self._asked_above.get(question, [])
        yield from sorted(self._reached(texts, asked, imported))

    def _bank(self, question: str) -> dict[str, str]:
        """Return the text of a question's bank and of the modules that it imports, by path."""
        found: dict[str, str] = {}
        waiting = [f"bank/{question}.py"]
        while waiting:
            path = waiting.pop()
            if path in found or path not in self._banks:
                continue
            found[path] = plain(without_prices(self._banks[path]))
            for node in ast.walk(ast.parse(self._banks[path])):
                waiting += [f"{module.replace('.', '/')}.py" for module in _modules(node)]
        return dict(sorted(found.items()))

    def _imported_by(self, banks: Mapping[str, str]) -> list[Definition]:
        """Return what banks import from the reference themselves."""
        return [
            self._reference.find(item.module, name)
            for text in banks.values()
            for item in reference_imports(ast.parse(text))
            for name in item.names
        ]

    def _reached(
        self, texts: Iterable[str], names: Iterable[str], wanted: Iterable[Definition]
    ) -> set[str]:
        """Return all texts of the notebook and of the reference that some texts reach by name.

        Args:
            texts: where the names stand.
            names: further ones.
            wanted: definitions that are reached in any case.
        """
        found: set[str] = set()
        definitions: dict[Definition, None] = dict.fromkeys(wanted)
        waiting, seen = [*names, *(w for text in texts for w in _words(text))], set()
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            for meaning in self._meanings.get(name, []):
                if isinstance(meaning, str):
                    if meaning not in found:
                        found.add(meaning)
                        waiting += _words(meaning)
                elif meaning not in definitions:
                    definitions[meaning] = None
                    # A helper that runs in a session names there what the notebook has.
                    waiting += _words(meaning.text) if meaning in self._helpers else ()
        needed = self._reference.needed(*definitions) if definitions else []
        found |= {f"{d.module.path}\n{plain(d.text)}" for d in needed}
        return found


def digests_of(files: Mapping[str, bytes]) -> list[str]:
    """Return a line for each file, by path, that tells its content from any other."""
    return [f"{path} {hashlib.sha256(data).hexdigest()}" for path, data in sorted(files.items())]


def _modules(node: ast.AST) -> Iterator[str]:
    """Give the modules that a statement of a bank may import."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        module = ".".join([*(["bank"] if node.level else []), *filter(None, [node.module])])
        yield module
        yield from (f"{module}.{alias.name}" for alias in node.names)


def keys_of(assignment: Texts | Compiled) -> dict[str, str]:
    """Return the key of each check of an assignment, by name."""
    files = {**assignment.data, **assignment.resources}
    banks, reference = assignment.banks, assignment.reference
    return _Meanings(assignment.cells, reference, banks, files).keys()


def _text(source: str, statement: ast.stmt) -> str:
    lines = source.split("\n")[first_line(statement) - 1 : last_line(statement)]
    return plain("\n".join(lines))


def _text_of_check(statement: ast.stmt, source: str) -> list[str]:
    """Return what of a check its proof hangs on: not its hint, and of its points if it has some."""
    check = _check(statement)
    assert check is not None
    options = {k.arg: text_of(source, k.value) for k in check.keywords}
    options.pop("hint", None)
    points = options.get("points", "")
    options["points"] = "none" if points.strip("0.") == "" else "some"
    said = [f"{name} = {text}" for name, text in sorted(options.items(), key=str)]
    if not isinstance(statement, ast.FunctionDef):
        return [f"{_name_of(statement)} = {MAKER}", *said]
    lines = source.split("\n")[statement.lineno - 1 : last_line(statement)]
    cases = [plain(text_of(source, d)) for d in statement.decorator_list[1:]]
    return [*said, *cases, plain("\n".join(lines))]


def _check(statement: ast.stmt) -> ast.Call | None:
    """Return the call that a statement makes a check by, if it makes one."""
    if isinstance(statement, ast.Assign):
        value = statement.value
        return value if isinstance(value, ast.Call) and call_name(value) == MAKER else None
    for decorator in getattr(statement, "decorator_list", []):
        if isinstance(decorator, ast.Call) and call_name(decorator) == "check":
            return decorator
    return None


def _name_of(statement: ast.stmt) -> str:
    if isinstance(statement, ast.Assign):
        return ast.unparse(statement.targets[0])
    assert isinstance(statement, ast.FunctionDef)
    return statement.name


def _question(check: ast.Call) -> str:
    values = [*check.args, *(k.value for k in check.keywords if k.arg == "question")]
    first = values[0] if values else None
    return str(first.value) if isinstance(first, ast.Constant) else ""


@lru_cache(maxsize=4096)
def _words(text: str) -> tuple[str, ...]:
    """Return whatever in a text may be a name: identifiers, and texts that could be one."""
    words = []
    for token in tokens_of(text):
        if token.type == tokenize.NAME:
            words.append(token.string)
        elif token.type == tokenize.STRING:
            words += _WORD.findall(token.string)
    return tuple(dict.fromkeys(words))


def _versions() -> list[str]:
    return [f"{name} {_major(name)}" for name in PACKAGES]


def _major(package: str) -> str:
    try:
        return metadata.version(package).partition(".")[0]
    except metadata.PackageNotFoundError:
        return "none"


@cache
def _own_code() -> tuple[str, ...]:
    """Return the code of this package that decides what an audit finds, wherever it lies."""
    root = Path(__file__).parents[1]
    paths = [
        path
        for place in OWN
        for path in (
            [root / place] if place.endswith(".py") else sorted((root / place).rglob("*.py"))
        )
        if path.relative_to(root).as_posix() not in NOT_OWN
    ]
    texts = (plain(path.read_text(encoding="utf-8")) for path in paths)
    return tuple(sorted(_PUBLIC.sub("", _OWN_IMPORT.sub("", text)) for text in texts))


def digest_of(parts: Iterable[str]) -> str:
    """Return the hash of some texts in their order."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{len(part)}\n{part}\n".encode())
    return digest.hexdigest()
