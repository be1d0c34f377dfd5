"""Names of cells, read from their source."""

from autograder.foreign.definition import SourceCell
from autograder.foreign.names import (
    imports_of,
    names_of,
    needed_by,
    needs_of,
    python_of,
    reaches_out,
    statements_for,
)


def test_a_cell_binds_and_reads_names():
    found = names_of("import os.path as p\nx, y = f(z)\ndef g(a):\n    return a + w\nn += 1")
    assert found.binds == {"p", "x", "y", "g", "n"}
    assert found.reads == {"f", "z", "w", "n"}
    assert found.reads_later == {"w"}
    assert names_of("%matplotlib inline\nx = 1").binds == {"x"}
    assert names_of("this is no Python") == names_of("")
    assert python_of("this is no Python") is None


def test_what_a_cell_binds_first_it_does_not_need():
    assert needed_by("x = 1\ny = x + z\nn += 1\nz = 2") == {"z", "n"}
    assert needed_by("for got in all:\n    want = f(got)\n    k += want") == {"f", "k"}


def test_a_name_is_the_students_where_a_solution_binds_it_last():
    cells = [
        SourceCell("import numpy as np\ndata = [1]"),
        SourceCell("import torch\ndef f(x):\n    return helper(x) + bias", is_answer=True),
        SourceCell("bias = 1\nimport math\nassert f(data) == np.ones(1)", "t", is_test=True),
        SourceCell("f = None"),
        SourceCell("assert f is None", "u", is_test=True),
    ]
    found = needs_of(cells, ())
    assert (found["t"].theirs, found["t"].down) == (("f",), ("bias",))
    assert found["u"].theirs == ()
    assert imports_of(cells[1].source, ()) == ["import torch"]
    assert imports_of("import mine\nfrom torch import nn", {"mine"}) == ["from torch import nn"]


def test_statements_are_taken_with_what_they_need():
    sources = ["import math\nk = 2\ndef f(x):\n    return math.sqrt(x) * k\nprint(f(1))"]
    assert statements_for({"f"}, sources).splitlines() == [
        "import math",
        "k = 2",
        "def f(x):",
        "    return math.sqrt(x) * k",
    ]


def test_a_test_that_changes_what_others_use_is_known():
    assert reaches_out("import math\nassert math.pi > 3") is None
    assert "another meaning to print" in reaches_out("print = None")
    assert "it changes math" in reaches_out("import math\nmath.pi = 3")
    assert "by patch" in reaches_out("from unittest.mock import patch\nwith patch('a.b'):\n    f()")
