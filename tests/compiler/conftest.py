import json
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from autograder.artefacts.release import Artefacts
from autograder.compiler.build import build
from autograder.compiler.source import Source, read_source
from autograder.course import Course

PRELUDE = """\
# %%
import numpy as np
from autograder import assert_close, case, check, self_check
"""

# A question that makes a notebook complete, for tests that are about something else.
CHECK = """\
# %%
@check("double", points=2)
@case("a few", n=3)
def double_is_right(student, reference, rng, n):
    \"\"\"double doubles.\"\"\"
    x = rng.normal(size=n)
    assert_close(student.double(x), reference.double(x))
"""

SOLUTION = """\
# %%
from reference.basics import double
"""

REFERENCE = {
    "__init__.py": '"""The reference."""\n',
    "basics.py": '"""Basics."""\n\n\ndef double(x):\n    """Double x."""\n    return 2 * x\n',
}


@dataclass(frozen=True)
class Compiled:
    artefacts: Artefacts

    @property
    def release(self) -> dict[str, str]:
        """The text of each cell of the release by grade_id."""
        return _texts(self.artefacts.release[f"{self.artefacts.name}.ipynb"])

    @property
    def solution(self) -> dict[str, str]:
        return _texts(self.artefacts.solution)

    @property
    def notebook(self) -> dict:
        return json.loads(self.artefacts.release[f"{self.artefacts.name}.ipynb"])


class Workshop:
    """Writes courses of one assignment, `hw`, and compiles them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.course = Course(root)
        self.reference(**{"basics.py": REFERENCE["basics.py"]})

    def reference(self, **files: str) -> None:
        for name, text in {"__init__.py": REFERENCE["__init__.py"], **files}.items():
            path = self.root / "reference" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text), encoding="utf-8")

    def source(self, *cells: str, suffix: str = ".py") -> Path:
        folder = self.root / "assignments" / "hw"
        folder.mkdir(parents=True, exist_ok=True)
        for former in folder.glob("hw.*"):
            former.unlink()
        text = "\n\n".join(textwrap.dedent(cell).strip("\n") for cell in cells) + "\n"
        path = folder / f"hw{suffix}"
        if suffix == ".ipynb":
            import jupytext

            text = jupytext.writes(jupytext.reads(text, fmt="py:percent"), fmt="ipynb")
        path.write_text(text, encoding="utf-8")
        return path

    def bank(self, name: str, text: str) -> Path:
        """Write the bank of a question."""
        path = self.root / "assignments" / "hw" / "bank" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    def read(self, *cells: str) -> Source:
        path = self.source(*cells)
        return read_source(path, self.course.relative(path))

    def compile(self, *cells: str, suffix: str = ".py") -> Compiled:
        """Compile cells that stand between the imports and a check of `double`."""
        self.source(PRELUDE, SOLUTION, CHECK, *cells, suffix=suffix)
        return Compiled(build(self.course, "hw"))

    def compile_only(self, *cells: str) -> Compiled:
        self.source(*cells)
        return Compiled(build(self.course, "hw"))


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


@pytest.fixture
def stub_of(workshop: Workshop) -> Callable[[str, str], str]:
    """Compile a reference module, and return the release of a cell that imports names from it."""

    def stub(module: str, names: str) -> str:
        workshop.reference(**{"basics.py": REFERENCE["basics.py"], "own.py": module})
        compiled = workshop.compile(f"# %%\nfrom reference.own import {names}")
        return compiled.release[f"solution_{names.partition(',')[0]}"]

    return stub


@pytest.fixture
def solution_of(workshop: Workshop) -> Callable[..., str]:
    """Return what the solution notebook holds where a cell imports names from a module `own`."""

    def solution(names: str, **modules: str) -> str:
        workshop.reference(**{"basics.py": REFERENCE["basics.py"]})
        workshop.reference(**{f"{name}.py": text for name, text in modules.items()})
        compiled = workshop.compile(f"# %%\nfrom reference.own import {names}")
        return compiled.solution[f"solution_{names.partition(',')[0]}"]

    return solution


def _texts(data: bytes) -> dict[str, str]:
    return {
        cell["metadata"]["nbgrader"]["grade_id"]: "".join(cell["source"])
        for cell in json.loads(data)["cells"]
    }
