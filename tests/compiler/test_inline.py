import os
import subprocess
import sys
import textwrap

import pytest

from autograder.artefacts.release import put_in_place
from autograder.errors import SourceError

# Runs a notebook's code cells as a student's kernel would, and says which self-checks pass.
RUN = """
import json, sys
from pathlib import Path
sys.modules["reference"] = None
from autograder import self_check
from autograder.authoring.checks import Check
names = {}
for cell in json.loads(Path(sys.argv[1]).read_text())["cells"]:
    if cell["cell_type"] == "code":
        exec(compile("".join(cell["source"]), "<cell>", "exec"), names)
import __main__
vars(__main__).update(names)
print({n: self_check(v).passed for n, v in names.items() if isinstance(v, Check)})
"""


def dedent(text: str) -> str:
    return textwrap.dedent(text).strip("\n")


def test_a_solution_brings_the_helpers_constants_and_imports_that_it_needs(solution_of):
    got = solution_of(
        "f",
        own='''
            """Docstring of the module."""

            import math, os
            import numpy as np

            UNUSED = 1
            SCALE = 2.0  # the scale


            # Shrinks.
            def _shrink(x):
                return x / SCALE


            def f(x):
                # comments are kept
                return _shrink(np.asarray(x)) * math.pi
        ''',
    )
    assert got == dedent(
        """
        import math


        SCALE = 2.0  # the scale


        # Shrinks.
        def _shrink(x):
            return x / SCALE


        def f(x):
            # comments are kept
            return _shrink(np.asarray(x)) * math.pi
        """
    )


def test_helpers_come_from_other_modules_of_the_reference_too(solution_of):
    got = solution_of(
        "f",
        own="from reference.mid import g\n\ndef f(x):\n    return g(x)\n",
        mid="from .deep import h, K\n\ndef g(x, k=K):\n    return h(x)\n",
        deep="K = 1\n\ndef h(x):\n    return x\n\ndef unused():\n    return 0\n",
    )
    assert [line for line in got.splitlines() if not line.startswith(" ") and line] == [
        "K = 1",
        "def h(x):",
        "def g(x, k=K):",
        "def f(x):",
    ]


def test_definitions_stand_in_an_order_in_which_they_run(solution_of):
    got = solution_of(
        "table",
        own="""
            def cube(x):
                return power(x, EXPONENT)

            def power(x, n):
                return x**n

            EXPONENT = 3
            table = {}
            table["a"] = cube(2)
        """,
    )
    names: dict = {}
    exec(got, names)
    assert names["table"] == {"a": 8}


def test_what_an_earlier_cell_has_defined_does_not_come_again(workshop):
    workshop.reference(
        **{
            "own.py": "import math\n\ndef helper(x):\n    return math.sqrt(x)\n\n"
            "def f(x):\n    return helper(x)\n\ndef g(x):\n    return helper(f(x))\n"
        }
    )
    compiled = workshop.compile(
        "# %%\nfrom reference.own import f", "# %%\nfrom reference.own import g"
    )
    assert "def helper" in compiled.solution["solution_f"]
    assert compiled.solution["solution_g"] == "def g(x):\n    return helper(f(x))"


def test_decorators_come_along_and_marks_do_not(solution_of):
    got = solution_of(
        "f",
        own="""
            from functools import lru_cache

            @lru_cache
            def f(x):
                ### BEGIN SOLUTION
                return x
                ### END SOLUTION
        """,
    )
    assert got == "from functools import lru_cache\n\n\n@lru_cache\ndef f(x):\n    return x"


def test_what_is_said_of_mutants_stays_with_us(solution_of):
    got = solution_of(
        "f",
        own="""
            def f(x):
                # survives: any start will do
                y = 0  # a start  # survives: see above
                # kept
                return y + x
        """,
    )
    assert got == "def f(x):\n    y = 0  # a start\n    # kept\n    return y + x"


def test_a_local_name_is_no_reason_to_bring_a_helper(solution_of):
    got = solution_of("f", own="def w(x):\n    return x\n\ndef f(x):\n    w = x\n    return w\n")
    assert got == "def f(x):\n    w = x\n    return w"


def test_one_name_with_two_meanings_is_refused(workshop):
    workshop.reference(
        **{
            "one.py": "def _norm(x):\n    return 1\n\ndef f(x):\n    return _norm(x)\n",
            "two.py": "def _norm(x):\n    return 2\n\ndef g(x):\n    return _norm(x)\n",
        }
    )
    with pytest.raises(SourceError) as error:
        workshop.compile("# %%\nfrom reference.one import f", "# %%\nfrom reference.two import g")
    assert str(error.value) == (
        "assignments/hw/hw.py, cell 5: '_norm' means two things in a solution:"
        " reference/one.py and reference/two.py"
    )


def test_the_solution_notebook_runs_without_the_reference_and_passes(workshop):
    workshop.reference(
        **{
            "own.py": "from reference.basics import double\n\nSHIFT = 1\n\n"
            "def f(x):\n    return double(x) + SHIFT\n"
        }
    )
    compiled = workshop.compile(
        "# %%\nfrom reference.own import f",
        """
        # %%
        @check("f", points=1)
        @case("one", n=3)
        def f_is_right(student, reference, rng, n):
            x = rng.normal(size=n)
            assert_close(student.f(x), reference.f(x))
        """,
    )
    put_in_place(compiled.artefacts, workshop.course)
    assert b"import double" not in compiled.artefacts.solution
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", RUN, "../../build/hw/hw_solution.ipynb"],
        cwd=workshop.course.release("hw"),
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
    )
    assert run.stderr == ""
    assert run.stdout.strip() == "{'double_is_right': True, 'f_is_right': True}"
