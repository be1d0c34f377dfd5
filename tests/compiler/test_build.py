import json

import pytest

from autograder.artefacts.bundle import Cell, parse_bundle
from autograder.errors import SourceError, UsageError

DOUBLE = '"""Basics."""\n\n\ndef double(x):\n    """Double x."""\n    return 2 * x\n'


def bundle_of(compiled):
    return parse_bundle(compiled.artefacts.bundle, "the bundle")


def test_the_bundle_holds_all_code_cells_without_magics_and_self_checks(workshop):
    compiled = workshop.compile(
        "# %% [markdown]\n# prose",
        "# %%\n# %matplotlib inline\ndef f():\n    x = 1; self_check(\n    double_is_right)",
        "# %%\n### BEGIN SOLUTION\nanswer = 3\n### END SOLUTION",
        "# %% hidden=true\ndef g():\n    hidden = 'ü'; self_check(double_is_right); y = 1",
    )
    cells = bundle_of(compiled).source
    assert [(cell.kind, cell.number) for cell in cells] == [
        ("given", 1),
        ("solution", 2),
        ("check", 3),
        ("check", 5),
        ("solution", 6),
        ("check", 7),
    ]
    assert cells[3] == Cell("check", 5, "None\ndef f():\n    x = 1; None\n")
    assert cells[4].source == "### BEGIN SOLUTION\nanswer = 3\n### END SOLUTION"
    assert cells[5].source == "def g():\n    hidden = 'ü'; None; y = 1"


def test_the_bundle_carries_the_modules_that_are_needed_and_no_others(workshop):
    workshop.reference(
        **{
            "basics.py": DOUBLE,
            "unused.py": "x = 1\n",
            "own.py": "from reference.sub.deep import g\n\ndef f(x):\n    return g(x)\n",
            "sub/__init__.py": "",
            "sub/deep.py": "from .base import g\n",
            "sub/base.py": "def g(x):\n    return x\n",
            "for_checks.py": "from reference.basics import double\n",
        }
    )
    compiled = workshop.compile(
        "# %%\nfrom reference.own import f",
        "# %% hidden=true\nfrom reference.for_checks import double",
    )
    assert list(bundle_of(compiled).reference) == [
        "reference/__init__.py",
        "reference/basics.py",
        "reference/for_checks.py",
        "reference/own.py",
        "reference/sub/__init__.py",
        "reference/sub/base.py",
        "reference/sub/deep.py",
    ]


def test_hidden_data_beside_a_module_is_in_the_bundle_and_in_nothing_that_students_get(workshop):
    numbers = """
        from importlib import resources

        FILES = resources.files(__package__)

        def numbers():
            return list((FILES / "numbers.bin").read_bytes())
    """
    workshop.reference(**{"kept/__init__.py": "", "kept/own.py": numbers, "other/__init__.py": ""})
    data = bytes(range(200, 240))
    for name in ("kept/numbers.bin", "other/numbers.bin", "kept/.swp"):
        (workshop.root / "reference" / name).write_bytes(data)
    compiled = workshop.compile(
        "# %% hidden=true\nfrom reference.kept.own import numbers\nassert numbers()[0] == 200"
    )
    made = compiled.artefacts
    assert bundle_of(compiled).resources == {"reference/kept/numbers.bin": data}
    assert not any(data in content for content in (*made.release.values(), made.solution))
    assert not any("numbers" in name for name in made.release)


def test_a_release_has_notebook_recording_requirements_wheel_and_data(workshop):
    data = workshop.root / "assignments" / "hw" / "data" / "deep" / "a.bin"
    data.parent.mkdir(parents=True)
    data.write_bytes(b"\x00\xff")
    compiled = workshop.compile()
    release = compiled.artefacts.release
    wheel = "notebook_autograder-0.1.0-py3-none-any.whl"
    assert sorted(release) == sorted(
        ["README.md", "hw.ipynb", "recording.json", "requirements.txt", wheel, "data/deep/a.bin"]
    )
    assert release["data/deep/a.bin"] == b"\x00\xff"
    assert bundle_of(compiled).data == {"data/deep/a.bin": b"\x00\xff"}
    assert "a few" in json.loads(release["recording.json"])["replies"]["double_is_right"]


REFERENCE_ERRORS = {
    "an unknown name": (
        "# %%\nfrom reference.basics import dubble",
        "reference/basics.py has no 'dubble'; did you mean 'double'?",
    ),
    "an unknown module": (
        "# %%\nfrom reference.basic import double",
        "there is no reference/basic.py; did you mean 'basics'?",
    ),
    "an unknown module of a hidden cell": (
        "# %% hidden=true\nfrom reference.nowhere import double",
        "there is no reference/nowhere.py",
    ),
    "a name that is only imported": (
        "# %%\nfrom reference.own import np",
        "reference/own.py only imports 'np', so it is no solution of its own",
    ),
    "a module that is not Python": (
        "# %%\nfrom reference.broken import f",
        "reference/broken.py: line 1 is not Python (invalid syntax): 'def f(:'",
    ),
    "a module that cannot be inlined": (
        "# %%\nfrom reference.star import double",
        "reference/star.py: line 1 has 'from reference.basics import *'; write"
        " 'from reference.basics import names' at the top level, outside of any function",
    ),
    "a module that imports what is not there": (
        "# %%\nfrom reference.lost import f",
        "reference/basics.py has no 'triple'",
    ),
    "a second solution of a name": (
        "# %%\nfrom reference.basics import double",
        "'double' is already the solution of cell 2",
    ),
    "an import beside another statement": (
        "# %%\nfrom reference.own import f; x = 1",
        "line 1 imports the reference; give that a line of its own",
    ),
    "an import inside a region": (
        "# %%\n### BEGIN SOLUTION\nfrom reference.own import f\n### END SOLUTION",
        "line 2 imports the reference inside a solution region; delete the marks",
    ),
}


@pytest.mark.parametrize(("cell", "sentence"), REFERENCE_ERRORS.values(), ids=REFERENCE_ERRORS)
def test_a_solution_that_the_reference_does_not_have_is_refused(workshop, cell, sentence):
    workshop.reference(
        **{
            "basics.py": DOUBLE,
            "own.py": "import numpy as np\n\ndef f(x):\n    return x\n",
            "broken.py": "def f(:\n",
            "star.py": "from reference.basics import *\n",
            "lost.py": "from reference.basics import triple\n\ndef f(x):\n    return triple(x)\n",
        }
    )
    with pytest.raises(SourceError) as error:
        workshop.compile(cell)
    assert str(error.value) == f"assignments/hw/hw.py, cell 4: {sentence}"


def check(decorator: str, body: str = "...", name: str = "one") -> str:
    return (
        f'# %%\n{decorator}\ndef {name}(student, reference, rng):\n    """Says so."""\n    {body}'
    )


MANUAL = (
    '# %% [markdown] manual=true question="{}" points=2\n# ### BEGIN SOLUTION\n# a\n'
    "# ### END SOLUTION\n# === BEGIN MARK SCHEME ===\n# b\n# === END MARK SCHEME ==="
)

CHECK_ERRORS = {
    "points that are no number": (
        check('@check("q", points="2")\n@case("a")'),
        "check one: points must be a number, 0 or more, got '2'",
    ),
    "no case": (
        check('@check("q", points=2)'),
        "check one: there must be at least one case; add @case('a name', …) or"
        " @domain(…) below @check",
    ),
    "a case that does not fit": (
        check('@check("q", points=2)\n@case("a", n=1)'),
        "check one: the parameters of case 'a' must be those of the function:"
        " got an unexpected keyword argument 'n'",
    ),
    "a cell that raises": ("# %%\nx = 1 / 0", "ZeroDivisionError: division by zero"),
    "a reference that raises": (
        check('@check("q", points=2)\n@case("a")', "reference.double(rng.normal, 1)"),
        "check one, case 'a': the reference does not pass: ",
    ),
    "a manual question of a check's name": (
        MANUAL.format("double"),
        "question 'double' stands above already; a manual question is of one cell",
    ),
    "a manual question with the id of a check": (
        MANUAL.format("double_is_right"),
        "the name 'double_is_right' belongs to cell 3; as nbgrader's id it must be unique, so"
        " rename one",
    ),
}


@pytest.mark.parametrize(("cell", "sentence"), CHECK_ERRORS.values(), ids=CHECK_ERRORS)
def test_what_a_check_gets_wrong_is_told_with_its_cell(workshop, cell, sentence):
    with pytest.raises(SourceError) as error:
        workshop.compile(cell)
    assert str(error.value).startswith(f"assignments/hw/hw.py, cell 4: {sentence}")


def test_two_manual_questions_of_one_name_are_refused(workshop):
    with pytest.raises(SourceError) as error:
        workshop.compile(MANUAL.format("proof"), MANUAL.format("proof"))
    assert str(error.value) == (
        "assignments/hw/hw.py, cell 5: question 'proof' stands above already; a manual question"
        " is of one cell"
    )


def test_a_notebook_without_a_question_is_refused(workshop):
    with pytest.raises(SourceError) as error:
        workshop.compile_only("# %%\nx = 1")
    assert str(error.value) == (
        "assignments/hw/hw.py: the notebook has no question; add a check or a manual one"
    )


def test_a_notebook_of_manual_questions_alone_is_an_assignment(workshop):
    compiled = workshop.compile_only(MANUAL.format("proof"))
    assert list(compiled.release) == ["given_0", "proof"]
    assert compiled.release["proof"] == "*Write your answer here.*"


def test_checks_need_self_check_in_the_release(workshop):
    with pytest.raises(SourceError) as error:
        workshop.compile_only(
            "# %%\nfrom autograder import case, check",
            "# %% hidden=true\nfrom autograder import self_check",
            check('@check("q", points=2)\n@case("a", hidden=True)'),
        )
    assert str(error.value) == (
        "assignments/hw/hw.py, cell 3: check 'one' needs self_check in the release; write"
        " 'from autograder import case, check, self_check' in a cell above"
    )


def test_an_unknown_assignment_is_a_wrong_usage(workshop):
    from autograder.compiler.build import build

    with pytest.raises(UsageError):
        build(workshop.course, "nothing")


def test_data_that_no_session_could_hold_is_refused(workshop):
    data = workshop.root / "assignments" / "hw" / "data" / "large.bin"
    data.parent.mkdir(parents=True)
    with data.open("wb") as file:
        file.truncate(129 << 20)
    with pytest.raises(SourceError, match=r"data/ has 129 MB; .* 128 MB here"):
        workshop.compile()
