"""docs/instructors.md teaches domains by an example that compiles, with the words that it shows."""

import json
import re
from pathlib import Path

import pytest

from autograder.artefacts.bundle import parse_bundle
from autograder.artefacts.results import Verdict
from autograder.compiler.build import build
from autograder.course import Course
from autograder.grading.cases import drawn_under, run_against
from autograder.grading.oracle import load_bundle_oracle
from autograder.sandbox.protocol.messages import InProcessSession

PAGE = Path(__file__).resolve().parents[2] / "docs" / "instructors.md"
IMPORTS = """# %%
import numpy as np
from autograder import (
    arrays, assert_close, case, check, domain, interval, like, matches_reference, self_check
)

"""
REFERENCE = """def momentum_step(w, grad, velocity, lr, momentum=0.9):
    velocity = momentum * velocity + grad
    return w - lr * velocity, velocity
"""


@pytest.fixture(scope="module")
def blocks():
    """The blocks of Python in the section about domains."""
    section = PAGE.read_text(encoding="utf-8").split("## Domains: ")[1].split("\n## ")[0]
    return re.findall(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def artefacts(blocks, tmp_path_factory):
    root = tmp_path_factory.mktemp("domains")
    source = root / "assignments" / "hw" / "hw.py"
    source.parent.mkdir(parents=True)
    source.write_text(IMPORTS + blocks[0] + "\n" + blocks[2])
    (root / "reference").mkdir()
    (root / "reference" / "momentum.py").write_text(REFERENCE)
    return build(Course(root, "Domains"), "hw")


def test_the_words_on_the_page_are_those_of_the_release(artefacts, blocks):
    cells = json.loads(artefacts.release["hw.ipynb"])["cells"]
    (shown,) = ["".join(c["source"]) for c in cells if "matches_reference(" in "".join(c["source"])]
    unwrapped = shown.replace("\n#   ", " ")
    assert unwrapped.startswith(blocks[1] + "momentum_step_matches_reference = matches_reference(")
    assert "hint" not in shown


@pytest.mark.parametrize(
    ("old", "new", "fails"),
    [
        ("momentum * velocity", "(momentum or 0.9) * velocity", "momentum = 0"),
        ("return w -", "if not grad.any(): return w, velocity\n    return w -", "grad zeros"),
        (
            "    velocity =",
            "    velocity = velocity.ravel('K').reshape(w.shape)\n    velocity =",
            "columns",
        ),
    ],
)
def test_the_example_finds_what_is_wrong_at_an_edge(artefacts, old, new, fails):
    oracle = load_bundle_oracle(parse_bundle(artefacts.bundle, "hw"))
    check = oracle.checks["momentum_step_matches_reference"]

    def failed(answer):
        names = {}
        exec(answer, names)
        draw = drawn_under(b"secret", "hw")
        results = [
            run_against(oracle, check, case, InProcessSession(names), draw) for case in check.cases
        ]
        return {r.name for r in results if r.verdict is not Verdict.PASSED}

    assert failed(REFERENCE) == set()
    assert any(fails in name for name in failed(REFERENCE.replace(old, new, 1)))
