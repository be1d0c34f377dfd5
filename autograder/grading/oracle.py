"""The oracle: the trusted cells of a source notebook, run in this process.

It holds what a student's session never may: the checks, their mistakes and the reference.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import linecache
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager
from importlib.machinery import ModuleSpec
from importlib.resources.abc import TraversableResources
from io import BytesIO
from types import CodeType, ModuleType
from typing import Any

from autograder.artefacts.bundle import Bundle, Cell
from autograder.artefacts.compiled import Oracle
from autograder.authoring.budget import graded_budgets
from autograder.authoring.checks import Check
from autograder.errors import SourceError
from autograder.grading.banks import BANK, NOTEBOOK, read_banks
from autograder.grading.threads import use_one_thread
from autograder.sandbox.protocol.data_files import put_files

__all__ = ["load_bundle_oracle", "load_oracle"]

PACKAGE = "reference"


def load_bundle_oracle(bundle: Bundle) -> Oracle:
    """Run the trusted cells of a bundle."""
    name = bundle.manifest.assignment
    file = f"the bundle of {name}"
    oracle = load_oracle(
        bundle.source, bundle.reference, name, file, bundle.data, bundle.banks, bundle.resources
    )
    return oracle.with_findings(bundle.manifest)


def load_oracle(
    cells: Sequence[Cell],
    reference: Mapping[str, str],
    assignment: str,
    file: str,
    data: Mapping[str, bytes] | None = None,
    banks: Mapping[str, str] | None = None,
    resources: Mapping[str, bytes] | None = None,
) -> Oracle:
    """Run trusted cells in order, then the banks, with the reference taken from the given texts.

    Args:
        cells: code cells of the source notebook.
        reference: text of each module of the reference package, by path.
        assignment: the assignment's name.
        file: the source notebook, as error messages call it.
        data: files that lie in the working directory while the cells run, by path.
        banks: text of each bank, by path (``bank/sgd_step.py``).
        resources: files that the reference package finds by `importlib.resources`, by path.

    Raises:
        SourceError: a cell or a bank raised; says which.
    """
    module = ModuleType(f"_oracle_{assignment}")
    sys.modules[module.__name__] = module  # classes of the notebook look it up by name
    banks = banks or {}
    importable = _importable({**reference, **banks}, resources or {}, module)
    places = importable, _working_directory(data or {})
    with places[0], places[1], graded_budgets(), _figures_closed():
        for cell in cells:
            _run(cell, module, file)
        found = read_banks(banks, module, reference)
        modules = {n: vars(m) for n, m in sys.modules.items() if _is_of(PACKAGE, n)}
    use_one_thread()  # as in a session
    checks = {c.name: c for c in module.__dict__.values() if isinstance(c, Check)}
    return Oracle(assignment, module.__dict__, checks, modules, found)


def _run(cell: Cell, module: ModuleType, file: str) -> None:
    name = f"{module.__name__} cell {cell.number}"
    try:
        code = _compiled(cell.source, name)
        exec(code, module.__dict__)
    except SourceError as error:
        raise error.at(file, cell.number) from None
    except Exception as error:
        raise SourceError(f"{type(error).__name__}: {error}", file, cell.number) from error


def _compiled(source: str, name: str) -> CodeType:
    """Compile a text so that `inspect.getsource` finds it again: helpers are shipped as text.

    Its file has a name of its own, as a process may load several versions of an assignment.
    """
    name = f"<{name} {zlib.crc32(source.encode()):08x}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    return compile(source, name, "exec", dont_inherit=True)


class _Texts(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds and loads the modules of the reference and of the bank from their texts."""

    def __init__(self, texts: Mapping[str, str], resources: Mapping[str, bytes]) -> None:
        self._resources = _archive(resources)
        self._texts = {_module_name(path): (path, text) for path, text in texts.items()}
        for package in (PACKAGE, BANK):
            self._texts.setdefault(package, (f"{package}/__init__.py", ""))

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        """Return the spec of a module of the package, None for any other."""
        if fullname not in self._texts:
            return None
        is_package = self._texts[fullname][0].endswith("__init__.py")
        return importlib.util.spec_from_loader(fullname, self, is_package=is_package)

    def exec_module(self, module: ModuleType) -> None:
        """Run a module's text."""
        path, text = self._texts[module.__name__]
        exec(_compiled(text, path), module.__dict__)

    def get_resource_reader(self, fullname: str) -> TraversableResources:
        """Return what `importlib.resources` finds the files of a package with."""
        return _Resources(zipfile.Path(self._resources, fullname.replace(".", "/") + "/"))


class _Resources(TraversableResources):
    """The files of a package, in a folder of an archive."""

    def __init__(self, folder: zipfile.Path) -> None:
        self._folder = folder

    def files(self) -> zipfile.Path:
        """Return the folder."""
        return self._folder


@contextmanager
def _importable(
    texts: Mapping[str, str], resources: Mapping[str, bytes], notebook: ModuleType
) -> Iterator[None]:
    """Make the reference, the bank and the notebook importable inside the block, and only there."""
    finder = _Texts(texts, resources)
    former = {name: sys.modules.pop(name) for name in list(sys.modules) if _is_ours(name)}
    sys.meta_path.insert(0, finder)
    sys.modules[NOTEBOOK] = notebook
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if _is_ours(name)]:
            del sys.modules[name]
        sys.modules.update(former)


@contextmanager
def _working_directory(data: Mapping[str, bytes]) -> Iterator[None]:
    """Work in a folder with some files inside the block, if there are any."""
    if not data:
        yield
        return
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        put_files(data)
        yield


@contextmanager
def _figures_closed() -> Iterator[None]:
    """Close what figures are opened inside the block: pyplot would keep them for ever."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    before = pyplot.get_fignums() if pyplot is not None else []
    try:
        yield
    finally:
        if (pyplot := sys.modules.get("matplotlib.pyplot")) is not None:
            for number in set(pyplot.get_fignums()).difference(before):
                pyplot.close(number)


def _archive(files: Mapping[str, bytes]) -> zipfile.ZipFile:
    """Return an archive in memory that holds some files, by path."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    found = zipfile.ZipFile(buffer)
    found.filename = "bundle"  # as errors call it
    return found


def _is_ours(name: str) -> bool:
    return name.partition(".")[0] in (PACKAGE, BANK, NOTEBOOK)


def _is_of(package: str, name: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def _module_name(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
