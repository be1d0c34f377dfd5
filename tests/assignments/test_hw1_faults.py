"""Faults planted in a copy of homework 1: the audit finds each and names it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.artefacts.compiled import Compiled
from autograder.artefacts.proof import CheckProof, DefinitionProof, Proof
from autograder.audit.keys import keys_of
from autograder.audit.mutation.definitions import who_asks
from autograder.audit.mutation.mutants import sites_of
from autograder.audit.prove import Proven, prove
from autograder.compiler.build import compile_assignment
from autograder.course import find_course
from tests.assignments.homework import COURSE

NAME = "hw1_optimizers"
SAID = '    said="sgd_step moves the weights against the gradient'
LOOP = """for step in range(1, steps + 1):
        grad = curvature * (want[0] - target)
        got = student.momentum_step"""
SGD = "sgd_step_matches_reference"
RUN = "momentum_steps_follow_reference"
GRADIENT = "least_squares_gradient_matches_reference"
Audited = Callable[..., Proven]
pytestmark = pytest.mark.timeout(300)  # dozens of mutants, on a machine that tests keep busy


def all_but(check: str, compiled: Compiled) -> Proof:
    """Return a proof that holds for all checks but one, and for all that it does not ask for."""
    sites = sites_of(compiled.cells, compiled.reference, compiled.oracle)
    asking = who_asks(compiled.oracle, sites)
    return Proof(
        {name: CheckProof(key) for name, key in keys_of(compiled).items() if name != check},
        {s.id: DefinitionProof(s.names) for s in sites if check not in asking[s.id]},
    )


@pytest.fixture
def audited(tmp_path: Path) -> Audited:
    """Return what is found of one check of a copy of homework 1 with changes."""

    def audited(check: str, *changes: tuple[str, str]) -> Proven:
        for name in ("assignments", "reference"):
            shutil.copytree(COURSE.root / name, tmp_path / name)
        shutil.copy(COURSE.root / "course.toml", tmp_path)
        course = find_course(tmp_path)
        text = course.source(NAME).read_text(encoding="utf-8")
        for before, after in changes:
            assert text.count(before) >= 1, before
            text = text.replace(before, after)
        course.source(NAME).write_text(text, encoding="utf-8")
        compiled = compile_assignment(course, NAME)
        found = prove(compiled, all_but(check, compiled), 2, lambda _: None)
        assert list(found.now) == [check]
        return found

    return audited


def test_a_tolerance_too_loose(audited: Audited) -> None:
    named = "\n".join(audited(SGD, (SAID, "    atol=1e99,\n" + SAID)).findings[SGD])
    assert f"check {SGD}: the mistake 'the learning rate is not used' passes every case" in named
    assert "too loose" in named
    assert f"check {SGD}: the null model 'zeros' passes every case" in named


def test_a_tolerance_too_tight(audited: Audited) -> None:
    found = audited(SGD, (SAID, "    rtol=1e-18,\n    atol=0,\n" + SAID))
    assert any(
        f"check {SGD}: the tolerance of 'w' (rtol=1e-18, atol=0) is too tight" in finding
        for finding in found.findings[SGD]
    )


def test_a_check_on_one_example(audited: Audited) -> None:
    sizes = 'sizes={"n": (1, 8), "d": (1, 8)}'
    found = audited(GRADIENT, (sizes, sizes.replace('"n": (1, 8)', '"n": (1, 1)')))
    named = "\n".join(found.findings[GRADIENT])
    missing = "1/n is missing: the loss is a mean"
    assert f"check {GRADIENT}: the mistake {missing!r} passes every case" in named
    survivors = [one for d in found.proof.definitions.values() for one in d.survivors]
    assert survivors, "some mutants live on where n is 1"


def test_a_check_that_ignores_its_argument(audited: Audited) -> None:
    found = audited(RUN, (LOOP, LOOP.replace("steps + 1", "7")))
    assert (
        f"check {RUN}: it ignores its argument 'steps', so that no case tests it"
        in (found.findings[RUN])
    )
