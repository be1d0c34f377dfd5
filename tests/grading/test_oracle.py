import inspect
import os
import sys
from types import ModuleType

import pytest

from autograder.artefacts.bundle import Cell, read_bundle
from autograder.errors import SourceError
from autograder.grading.oracle import load_bundle_oracle, load_oracle

REFERENCE = {
    "reference/__init__.py": "",
    "reference/sums.py": "def add(a, b):\n    return a + b",
    "reference/deep/__init__.py": "from .inner import value",
    "reference/deep/inner.py": "from reference.sums import add\nvalue = add(1, 2)",
}


def load(*sources, reference=REFERENCE, assignment="hw"):
    cells = [Cell("given", number, source) for number, source in enumerate(sources, 1)]
    return load_oracle(cells, reference, assignment, "assignments/hw/hw.py")


def ours():
    return {k: v for k, v in sys.modules.items() if k.partition(".")[0] == "reference"}


@pytest.fixture(params=[True, False], ids=["imported before", "not imported"])
def before(request, monkeypatch):
    """Another package of the name, as this repository has one, imported before or not."""
    for name in ours():
        monkeypatch.delitem(sys.modules, name)
    if request.param:
        for name in ("reference", "reference.sums"):
            monkeypatch.setitem(sys.modules, name, ModuleType(name))
    return ours()


def test_the_reference_is_taken_from_its_texts_with_its_subpackages():
    oracle = load("from reference.sums import add\nfrom reference import deep\nx = deep.value")
    assert oracle.namespace["add"](2, 3) == 5
    assert oracle.namespace["x"] == 3


def test_cells_find_the_data_in_their_working_directory():
    here = os.getcwd()
    cells = [Cell("given", 1, "from pathlib import Path\ntext = Path('data/a.txt').read_text()")]
    oracle = load_oracle(cells, REFERENCE, "hw", "hw.py", {"data/a.txt": b"seven"})
    assert oracle.namespace["text"] == "seven"
    assert os.getcwd() == here


NUMBERS = """
from importlib import resources
FILES = resources.files(__package__)
def numbers():
    return list((FILES / "numbers.bin").read_bytes())
"""


def test_a_module_of_the_reference_reads_the_files_beside_it_later_too():
    found = []
    for data in (b"\1\2", b"\3"):
        texts = REFERENCE | {"reference/deep/numbers.py": NUMBERS, "reference/numbers.py": NUMBERS}
        files = {"reference/deep/numbers.bin": data, "reference/numbers.bin": b"\7"}
        cell = Cell("given", 1, "from reference.deep.numbers import numbers\nfirst = numbers()")
        found.append(load_oracle([cell], texts, "hw", "hw.py", resources=files).namespace)
    assert [(n["first"], n["numbers"]()) for n in found] == [([1, 2], [1, 2]), ([3], [3])]


def test_a_file_that_the_reference_does_not_have_is_an_error_of_the_cell():
    texts = REFERENCE | {"reference/numbers.py": NUMBERS}
    with pytest.raises(SourceError, match=r"cell 1: FileNotFoundError: .*numbers\.bin"):
        load("from reference.numbers import numbers\nnumbers()", reference=texts)


def test_figures_that_cells_open_are_closed_behind_them():
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("Agg")
    pyplot.figure()
    before = pyplot.get_fignums()
    load("import matplotlib.pyplot as plt\nfor _ in range(3):\n    plt.figure()")
    assert pyplot.get_fignums() == before


def test_what_was_imported_before_is_as_before(before):
    load("import reference.sums")
    assert ours() == before
    assert all(ours()[name] is module for name, module in before.items())


def test_what_was_imported_before_is_as_before_when_a_cell_raises(before):
    finders = list(sys.meta_path)
    with pytest.raises(SourceError):
        load("import reference.sums\n1 / 0")
    assert ours() == before
    assert sys.meta_path == finders


def test_two_references_do_not_mix():
    first = load("from reference.sums import add")
    texts = {"reference/__init__.py": "", "reference/sums.py": "def add(a, b):\n    return 0"}
    second = load("from reference.sums import add", reference=texts)
    assert (first.namespace["add"](1, 1), second.namespace["add"](1, 1)) == (2, 0)


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("def f(:", "SyntaxError: "),
        ("import reference.nothing", "ModuleNotFoundError: No module named 'reference.nothing'"),
        (
            "from autograder import check\n@check('q', points=1)\n"
            "def c(student, reference, rng): 0",
            "check c: there must be at least one case",
        ),
        ("raise ValueError('no')", "ValueError: no"),
    ],
)
def test_an_error_carries_the_file_and_the_cell(cell, words):
    with pytest.raises(SourceError) as caught:
        load("x = 1", cell)
    assert (caught.value.file, caught.value.cell) == ("assignments/hw/hw.py", 2)
    assert str(caught.value).startswith(f"assignments/hw/hw.py, cell 2: {words}")


def test_a_reference_that_cannot_be_imported_is_an_error_of_the_cell_that_imports_it():
    with pytest.raises(SourceError, match=r"cell 1: ZeroDivisionError"):
        load("import reference", reference={"reference/__init__.py": "1 / 0"})


CHECK = """
from autograder import case, check

@check("{0}", points=1)
@case("a", hidden=True)
def {0}_is_right(student, reference, rng):
    pass
"""


def test_checks_are_found_in_the_order_of_the_source():
    oracle = load(CHECK.format("b"), CHECK.format("a"))
    assert list(oracle.checks) == ["b_is_right", "a_is_right"]
    assert all(oracle.checks[name].name == name for name in oracle.checks)


def test_the_source_of_a_helper_and_of_the_reference_is_to_be_had():
    oracle = load("from reference.sums import add\ndef helper(notebook):\n    return 1\n")
    assert inspect.getsource(oracle.namespace["helper"]).startswith("def helper(notebook):")
    assert inspect.getsource(oracle.namespace["add"]) == REFERENCE["reference/sums.py"]


def test_a_class_of_the_notebook_finds_its_module():
    oracle = load(
        "from __future__ import annotations\nfrom dataclasses import dataclass\n"
        "@dataclass\nclass A:\n    x: int = 1\n"
    )
    assert oracle.namespace["A"]().x == 1


def test_a_bundle_is_loaded_with_its_checks(bundle_path):
    oracle = load_bundle_oracle(read_bundle(bundle_path))
    assert oracle.assignment == "tiny"
    assert list(oracle.checks) == ["double_is_right", "triple_is_right"]
    assert oracle.namespace["triple"](3) == 9
