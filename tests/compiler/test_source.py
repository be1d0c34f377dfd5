import json

import pytest

from autograder.compiler.source import Kind, Manual, read_source
from autograder.errors import SourceError

MANUAL = """
    # %% [markdown] manual=true question="proof" points=2.5
    # Prove it.
    #
    # ### BEGIN SOLUTION
    # By magic.
    # ### END SOLUTION
    #
    # === BEGIN MARK SCHEME ===
    # 2 for magic.
    # === END MARK SCHEME ===
"""


def test_cells_are_told_apart_by_their_syntax_trees(workshop):
    source = workshop.read(
        "# ---\n# title: A header is no cell\n# ---",
        "# %% [markdown]\n# # Title",
        "# %%\nfrom reference.basics import double\nx = 1",
        "# %%\ndef f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION",
        '# %%\n@check("q", points=1)\n@case("a")\ndef c(student, reference, rng): ...',
        "# %%\nself_check(c)",
        "# %% hidden=true\nx = 2",
        MANUAL,
        "# %% [raw]\n# raw",
        '# %%\nprint("check(self_check)")',
    )
    assert [(cell.number, cell.kind) for cell in source.cells] == [
        (1, Kind.GIVEN),
        (2, Kind.SOLUTION),
        (3, Kind.SOLUTION),
        (4, Kind.CHECK),
        (5, Kind.CHECK),
        (6, Kind.CHECK),
        (7, Kind.MANUAL),
        (8, Kind.GIVEN),
        (9, Kind.GIVEN),
    ]
    assert source.cells[6].manual == Manual("proof", 2.5)
    assert source.file == "assignments/hw/hw.py"


def test_both_formats_compile_to_the_same_release(workshop):
    cells = [MANUAL, "# %%\n# %matplotlib inline\nx = 1", "# %% hidden=true\ny = 2"]
    percent = workshop.compile(*cells)
    notebook = workshop.compile(*cells, suffix=".ipynb")
    assert notebook.release == percent.release
    assert notebook.solution == percent.solution


def test_lines_of_ipython_are_released_but_not_run_by_the_grader(workshop):
    source = workshop.read(
        "# %%\n# %matplotlib inline\nx = (7\n     % 4)\nif x:\n    # %time x\n    y = !ls\n# x?",
        "# %%\n%%time\ny = 1",
        "# %%\n%%bash\nls --all",
        "# %%\nz = (7\n% 4)",
    )
    assert source.cells[0].text.startswith("%matplotlib inline\nx = (7\n")
    assert [cell.python for cell in source.cells] == [
        "None\nx = (7\n     % 4)\nif x:\n    None\n    y = None\nNone",
        "\ny = 1",
        "\n",
        "z = (7\n% 4)",
    ]


ERRORS = {
    "a syntax error": (
        "# %%\nx = 1\ny = = 2",
        "line 2 is not Python (invalid syntax): 'y = = 2'",
    ),
    "a magic over several lines": (
        "# %%\n!ls \\\n  --all",
        "a magic goes over several lines; write it on one",
    ),
    "return outside of a function": (
        "# %%\nreturn 1",
        "line 1 is not Python ('return' outside function): 'return 1'",
    ),
    "an open region": (
        "# %%\n### BEGIN SOLUTION\nx = 1",
        "line 1 has BEGIN SOLUTION without END SOLUTION below it",
    ),
    "an end without begin": (
        "# %%\nx = 1\n### END SOLUTION",
        "line 2 has END SOLUTION without BEGIN SOLUTION above it",
    ),
    "nested regions": (
        "# %%\n### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION",
        "line 2 has BEGIN SOLUTION inside a region",
    ),
    "import reference": (
        "# %%\nimport reference.basics",
        "line 1 has 'import reference.basics'; write 'from reference.basics import names' at the"
        " top level, outside of any function",
    ),
    "import of a module": (
        "# %%\nfrom reference import basics",
        "line 1 has 'from reference import basics'; write 'from reference.basics import names' at"
        " the top level, outside of any function",
    ),
    "import *": (
        "# %%\nfrom reference.basics import *",
        "line 1 has 'from reference.basics import *'; write 'from reference.basics import names'"
        " at the top level, outside of any function",
    ),
    "a renamed import": (
        "# %%\nfrom reference.basics import double as d",
        "line 1 has 'from reference.basics import double as d'; write"
        " 'from reference.basics import double' at the top level, outside of any function",
    ),
    "an import in a function": (
        "# %%\ndef f():\n    from reference.basics import double",
        "line 2 has 'from reference.basics import double'; write"
        " 'from reference.basics import double' at the top level, outside of any function",
    ),
    "solution and check in one cell": (
        "# %%\nfrom reference.basics import double\nself_check(c)",
        "a solution and a check stand in one cell; give each its own",
    ),
    "hidden that is no flag": ("# %% hidden=1\nx = 1", "hidden is true or false, not 1"),
    "a mistyped key": (
        "# %% hiden=true\nx = 1",
        "the cell has the unknown metadata 'hiden'; did you mean 'hidden'?",
    ),
    "hidden prose": (
        "# %% [markdown] hidden=true\n# secret",
        "only code cells can be hidden; delete this one",
    ),
    "a solution in prose": (
        "# %% [markdown]\n# ### BEGIN SOLUTION\n# ### END SOLUTION",
        "a solution in markdown needs manual=true question=… points=…",
    ),
    "a rubric of no question": (
        "# %% [markdown]\n# === BEGIN MARK SCHEME ===\n# === END MARK SCHEME ===",
        "it holds a mark scheme, but no manual=true question=… points=…",
    ),
    "points of no question": (
        "# %% [markdown] points=3\n# text",
        "it has points=3, but no manual=true",
    ),
    "a manual question without a name": (
        MANUAL.replace('question="proof"', ""),
        "a manual question needs question=… with a name, not None",
    ),
    "a manual question without points": (
        MANUAL.replace("points=2.5", ""),
        "manual question 'proof' needs points=… with a number from 0 up, not None",
    ),
    "points that are no number": (
        MANUAL.replace("2.5", '"five"'),
        "manual question 'proof' needs points=… with a number from 0 up, not 'five'",
    ),
    "a manual question without rubric": (
        MANUAL.replace("MARK SCHEME", "NOTHING"),
        "manual question 'proof' needs a rubric between BEGIN MARK SCHEME and END MARK SCHEME",
    ),
    "a manual question without answer": (
        MANUAL.replace("SOLUTION", "NOTHING"),
        "manual question 'proof' needs an example answer between BEGIN SOLUTION and END SOLUTION",
    ),
    "a manual question with imports": (
        '# %% manual=true question="q" points=1\nfrom reference.basics import double\n'
        "### BEGIN SOLUTION\n### END SOLUTION\n# BEGIN MARK SCHEME\n# END MARK SCHEME",
        "a manual question has a cell of its own, without imports or checks",
    ),
}


@pytest.mark.parametrize(("cell", "sentence"), ERRORS.values(), ids=ERRORS)
def test_a_cell_that_is_wrong_in_itself_is_refused(workshop, cell, sentence):
    with pytest.raises(SourceError) as error:
        workshop.read("# %%\nx = 1", cell)
    assert str(error.value) == f"assignments/hw/hw.py, cell 2: {sentence}"


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("hw.py", b"# %%\nx = '\xff'", "the file is not UTF-8 (byte 10)"),
        ("hw.py", b"", "the notebook is empty"),
        ("hw.ipynb", b"", "the file is not JSON (Expecting value: line 1 column 1 (char 0))"),
        ("hw.ipynb", b"{}", "the file is JSON, but no notebook ('nbformat')"),
        ("hw.ipynb", b"[]", "the file is JSON, but no notebook ('nbformat')"),
        (
            "hw.ipynb",
            b'{"nbformat": 4, "nbformat_minor": 5, "cells": [{"cell_type": "markdown"}]}',
            "the file is JSON, but no notebook (The notebook is invalid and is missing an expected"
            " key: metadata)",
        ),
        (
            "hw.ipynb",
            json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}).encode(),
            "the notebook is empty",
        ),
    ],
)
def test_a_file_that_is_no_notebook_is_refused(tmp_path, name, data, sentence):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(SourceError) as error:
        read_source(path, name)
    assert str(error.value) == f"{name}: {sentence}"
