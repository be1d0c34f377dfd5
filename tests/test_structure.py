"""The shape of the package: who imports whom, what is public, how long a module is."""

import ast
import importlib
import re
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.each import require_each

ROOT = Path(__file__).resolve().parents[1]
# Imports point from the right to the left only.
LAYERS = (
    "errors",
    "version",
    "visible",
    "spelling",
    "policies",
    "cluster",
    "secret",
    "authoring",
    "sandbox",
    "course",
    "artefacts",
    "grading",
    "student",
    "compiler",
    "adopting",
    "audit",
    "records",
    "collecting",
    "engines",
    "foreign",
    "nbgrader_hooks",
    "redteam",
    "bench",
    "console",
    "display",
    "doctor",
    "commands",
    "cli",
    "__main__",
)
MAX_LINES = 350
HEAVY = ("torch", "nbgrader", "nbformat", "IPython", "jinja2", "rich", "jupytext")
OF_A_CLUSTER = ("dask", "distributed", "dask_jobqueue")
# What runs in a session may import at its top, and inside functions, where it is there.
IN_SESSION = (
    "inside.worker",
    "protocol.wire",
    "protocol.kinds",
    "inside.host",
    "inside.line",
    "protocol.channel",
)
LIGHT = ("autograder.errors", "autograder.authoring.subject", "autograder.authoring.layouts")
ON_DEMAND = {"torch", "IPython", "traitlets"}


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


PACKAGE = ROOT / "autograder"
# Cells of notebooks, and a course of its own: data that two tools read, and no modules.
DATA = [PACKAGE / folder for folder in ("redteam/submissions", "bench/course")]
FILES = [p for p in sorted(PACKAGE.rglob("*.py")) if not any(d in p.parents for d in DATA)]
MODULES = {module_name(path): path for path in FILES}


@cache
def tree_of(path):
    """Return what a module is parsed to."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports_of(path, inside_functions=True):
    """Return (module, name or None) for each import, at the top or inside functions."""
    found, pending = [], [tree_of(path)]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            found += ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports by a relative name"
            found += ((node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.stmt | ast.excepthandler | ast.match_case | ast.Module) and (
            inside_functions or not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        ):  # no expression holds a statement
            pending.extend(ast.iter_child_nodes(node))
    return found


def targets(path, inside_functions=True):
    """Return the modules of autograder that a module imports."""
    found = set()
    for module, name in imports_of(path, inside_functions):
        if module.partition(".")[0] == "autograder":
            found.add(f"{module}.{name}" if f"{module}.{name}" in MODULES else module)
    return found


def layer(module):
    return module.split(".")[1] if "." in module else None


@cache
def graph():
    """Return by module what it imports of the package."""
    return {module: targets(path) for module, path in MODULES.items()}


def test_every_module_has_its_layer():
    assert {layer(m) for m in MODULES} - {None} <= set(LAYERS)


def test_imports_point_one_way():
    upward = {
        f"{module} imports {target}"
        for module in MODULES
        if module != "autograder"
        for target in graph()[module]
        if layer(target) is None or LAYERS.index(layer(target)) > LAYERS.index(layer(module))
    }
    assert upward == set()


def test_the_package_itself_imports_authoring_and_student_only():
    assert {layer(target) for target in graph()["autograder"]} <= {"authoring", "student"}


def test_there_is_no_circle():
    done, path = set(), []

    def visit(module):
        assert module not in path, " → ".join([*path[path.index(module) :], module])
        if module in done:
            return
        path.append(module)
        for target in sorted(graph()[module]):
            visit(target)
        done.add(path.pop())

    for module in graph():
        visit(module)


def test_nothing_imports_the_reference():
    for path in MODULES.values():
        assert not [m for m, _ in imports_of(path) if m.partition(".")[0] == "reference"], path


@pytest.mark.parametrize("name", IN_SESSION)
def test_what_runs_in_a_session_imports_little(name):
    path = MODULES[f"autograder.sandbox.{name}"]
    light = set(sys.stdlib_module_names) | {"numpy", "msgspec", "autograder"}
    tops = {m.partition(".")[0] for m, _ in imports_of(path, inside_functions=False)}
    everywhere = {m.partition(".")[0] for m, _ in imports_of(path)}
    assert tops <= light
    assert everywhere <= light | ON_DEMAND
    for target in targets(path):
        own = target.startswith("autograder.sandbox.")
        assert own or target in LIGHT, target


OF_COURSES = {"autograder.foreign.inside.frames": {"pandas"}}  # which has it where they use it
OF_PEERS = ("autograder.bench.otter_batch",)  # runs in the environment of a peer of the bench


def test_whatever_is_imported_is_declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["grade"], *extras["postgres"]]
    wanted += [*extras["cluster"], *extras["slurm"]]
    declared = {re.split(r"[<>=\[]", one)[0] for one in wanted}
    brings = packages_distributions()
    for name, path in MODULES.items():
        if name in OF_PEERS:
            continue
        for root in {module.partition(".")[0] for module, _ in imports_of(path)}:
            own = root == "autograder" or root in OF_COURSES.get(name, ())
            if root not in sys.stdlib_module_names and not own:
                assert declared & {one.lower() for one in brings[root]}, f"{path} imports {root}"


def as_ruff_sorts(name):
    """Constants, then classes, then the rest."""
    constant = name.isupper() and len(name) > 1
    return (not constant, constant or not name[0].isupper(), name)


def public(tree):
    """Return the names that a module defines at its top: functions, classes, assignments."""
    names = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            found = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {t.id for t in found if isinstance(t, ast.Name)}
    return {name for name in names if not name.startswith("_")}


def taken_by_others():
    """Return, by module, the names that other modules of the package import from it."""
    taken = {module: set() for module in MODULES}
    for path in MODULES.values():
        for module, name in imports_of(path):
            if module in MODULES and f"{module}.{name}" not in MODULES:
                taken[module].add(name)
    return taken


WITH_ALL = [m for m, p in MODULES.items() if "__all__" in p.read_text(encoding="utf-8")]


def test_every_module_with_a_public_name_says_what_is_public():
    for module, path in MODULES.items():
        if public(tree_of(path)):
            assert module in WITH_ALL, module


def test_all_is_sorted_and_is_what_there_is_to_import():
    def is_so(module):
        names, path = importlib.import_module(module).__all__, MODULES[module]
        assert list(names) == sorted(set(names), key=as_ruff_sorts)
        if path.name == "__init__.py":
            assert set(names) == {name for _, name in imports_of(path)}
        else:
            taken = {name or whole for whole, name in imports_of(path, inside_functions=False)}
            assert set(names) <= public(tree_of(path)) | taken

    require_each(((module,) for module in WITH_ALL), is_so)


def test_what_another_module_takes_is_public():
    taken = taken_by_others()
    private = {m: taken[m] - set(importlib.import_module(m).__all__) for m in WITH_ALL}
    assert {module: names for module, names in private.items() if names} == {}


def test_no_module_is_longer_than_a_reader_can_hold():
    paths = [*MODULES.values(), *sorted((ROOT / "reference").rglob("*.py"))]
    lines = {str(p.relative_to(ROOT)): len(p.read_text("utf-8").splitlines()) for p in paths}
    assert {path: count for path, count in lines.items() if count > MAX_LINES} == {}


@cache
def imported_by(statement):
    code = f"import sys\n{statement}\nprint(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/"
    )
    return frozenset(done.stdout.split())


def own(statement):
    """Return the package's modules that a statement imports."""
    return {module for module in imported_by(statement) if module.startswith("autograder.")}


FIRST_CELL = "from autograder.student.ready import look"


@pytest.mark.parametrize("cell", ["import autograder", "from autograder import *", FIRST_CELL])
def test_a_notebook_imports_nothing_of_the_grader(cell):
    """In a session as in a release: neither what grades nor what locks a student's code in."""
    assert imported_by(cell).isdisjoint({*HEAVY, "msgspec"})
    assert {layer(m) for m in own(cell)} <= {"errors", "version", "authoring", "student"}
    student = {module for module in own(cell) if layer(module) == "student"}
    names = ("self_check", "ready", "rich_values")
    light = {"autograder.student", *(f"autograder.student.{name}" for name in names)}
    assert student <= light


def test_a_self_check_at_home_imports_what_runs_anywhere():
    modules = own("import autograder.student.checking")
    graders = {f"autograder.grading.{name}" for name in ("runner", "oracle", "intake")}
    graders |= {f"autograder.artefacts.{name}" for name in ("bundle", "compiled", "proof")}
    walls = {
        f"autograder.sandbox.{name}"
        for name in ("client.fork_server", "client.session", "isolation.walls", "client.supervisor")
    }
    assert modules.isdisjoint(graders | walls)
    assert {layer(m) for m in modules}.isdisjoint(LAYERS[LAYERS.index("compiler") :])


def test_the_process_that_becomes_a_session_imports_nothing_of_the_grader():
    layers = {layer(module) for module in own("import autograder.sandbox.inside.warm_process")}
    assert layers <= {"errors", "version", "authoring", "student", "sandbox"}


def test_who_grades_on_one_machine_imports_nothing_of_a_cluster():
    whole = "import autograder.cli, autograder.engines.run, autograder.engines.local"
    assert imported_by(f"{whole}").isdisjoint(OF_A_CLUSTER)


def test_what_grades_nbgrader_courses_reads_notebooks_without_nbformat():
    found = imported_by("import autograder.foreign.pool")
    assert found.isdisjoint({"IPython", "jsonschema", "nbformat", "nbgrader", "torch"})


def test_the_command_line_starts_light():
    assert imported_by("import autograder.cli").isdisjoint({*HEAVY, *OF_A_CLUSTER})
    modules = own("import autograder.cli")
    later = {"artefacts", "grading", "compiler", "audit", "redteam", "bench", "doctor", "display"}
    assert {layer(module) for module in modules}.isdisjoint(later)
    names = ("records.exporters", "records.exporting", "engines.table", "engines.work")
    tables = {f"autograder.{name}" for name in names}
    found = {m for m in modules if m.count(".") == 2 and layer(m) in ("records", "engines")}
    assert found == tables
