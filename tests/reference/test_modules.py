"""The reference keeps its house: sources, documented arguments, answer keys apart."""

import ast
import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATHS = sorted(p for p in (ROOT / "reference").rglob("*.py") if p.name != "__init__.py")
ANSWERS = [path for path in PATHS if path.parent.name == "answers"]
OTHERS = [path for path in PATHS if path not in ANSWERS]
# What notebooks hand out beside their questions answers none, and follows no book.
HELPERS = [path for path in PATHS if path.parent.name in ("figures", "probes")]
ASKED = [path for path in OTHERS if path not in HELPERS]


def name_of(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def values_of(path):
    """Return the public names in small letters that a module binds to values."""
    assigned = [s for s in ast.parse(path.read_text()).body if isinstance(s, ast.Assign)]
    names = (n.id for s in assigned for t in s.targets for n in ast.walk(t) if hasattr(n, "id"))
    return [name for name in names if name.islower() and not name.startswith("_")]


@pytest.mark.parametrize("path", [*ANSWERS, *ASKED], ids=name_of)
def test_every_module_names_its_sources(path):
    assert re.search(r"^ *Sources?: \S", path.read_text(), re.MULTILINE)


@pytest.mark.parametrize("path", ANSWERS, ids=name_of)
def test_an_answer_key_holds_values_alone(path):
    body = ast.parse(path.read_text()).body[1:]
    assert {type(s) for s in body} <= {ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign}


@pytest.mark.parametrize("path", OTHERS, ids=name_of)
def test_no_answer_key_stands_among_algorithms(path):
    assert values_of(path) == []


@pytest.mark.parametrize("path", ASKED, ids=name_of)
def test_every_function_documents_its_arguments(path):
    module = import_module(name_of(path))
    for name, function in inspect.getmembers(module, inspect.isfunction):
        if function.__module__ != module.__name__ or name.startswith("_"):
            continue
        text = inspect.getdoc(function) or ""
        assert text.partition("\n")[0].endswith("."), name
        for argument in inspect.signature(function).parameters:
            assert f"{argument}: " in text, (name, argument)


@pytest.mark.parametrize("path", HELPERS, ids=name_of)
def test_a_helper_says_what_it_does_and_can_travel_as_text(path):
    """Annotations would need names that a session has not; so would other modules of ours."""
    for node in ast.walk(ast.parse(path.read_text())):
        assert not (isinstance(node, ast.ImportFrom) and node.module.startswith("reference"))
        if isinstance(node, ast.FunctionDef):
            assert node.returns is None
            assert not [one.arg for one in ast.walk(node.args) if getattr(one, "annotation", None)]
    for name, function in inspect.getmembers(import_module(name_of(path)), inspect.isfunction):
        assert (inspect.getdoc(function) or "").partition("\n")[0].endswith("."), name


def test_one_name_is_one_thing():
    """Two modules share a name only where two questions ask for different things by it."""
    homes = {}
    for path in OTHERS:
        for statement in ast.parse(path.read_text()).body:
            if isinstance(statement, ast.FunctionDef | ast.ClassDef):
                homes.setdefault(statement.name, []).append(path.stem)
    assert {name: found for name, found in homes.items() if len(found) > 1} == {
        "softmax_loss": ["classifiers", "layers"]
    }
