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
COMPARED = 'assert_close(got, reference.sgd_step(w, grad, lr=lr), what="w")'
SGD = "sgd_step_matches_reference"
DESCENT = "sgd_least_squares_matches_reference"
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
    named = "\n".join(audited(SGD, (COMPARED, COMPARED[:-1] + ", atol=50.0)")).findings[SGD])
    assert f"check {SGD}: the mistake 'the learning rate is not used' passes every case" in named
    assert "too loose" in named
    assert f"check {SGD}: the null model 'zeros' passes every case" in named


def test_a_tolerance_too_tight(audited: Audited) -> None:
    found = audited(SGD, (COMPARED, COMPARED[:-1] + ", rtol=1e-18, atol=0)"))
    assert any(
        f"check {SGD}: the tolerance of 'w' (rtol=1e-18, atol=0) is too tight" in finding
        for finding in found.findings[SGD]
    )


def test_a_check_on_one_example(audited: Audited) -> None:
    cases = (
        ("n=4, d=6, length=9", "n=1, d=6, length=9"),
        ("n=5, d=3, length=8, batch_size=2", "n=1, d=3, length=8, batch_size=1"),
        ("n=6, d=4, length=11, batch_size=4", "n=1, d=4, length=11, batch_size=1"),
        ("n=3, d=5, length=7, batch_size=20", "n=1, d=5, length=7, batch_size=1"),
        ("n=4, d=5, length=6, batch_size=3", "n=1, d=5, length=6, batch_size=1"),
        ("n=3, d=4, length=5, dtype", "n=1, d=4, length=5, dtype"),
    )
    found = audited(DESCENT, *cases)
    named = "\n".join(found.findings[DESCENT])
    assert f"check {DESCENT}: the mistake" in named
    assert "passes every case" in named
    survivors = [one for d in found.proof.definitions.values() for one in d.survivors]
    assert survivors, "some mutants live on where n is 1"


def test_a_check_that_ignores_its_argument(audited: Audited) -> None:
    drawn = "w, grad = rng.normal(size=(2, *shape)).astype(dtype)\n    lr = float"
    found = audited(SGD, (drawn, drawn.replace("*shape", "5")))
    assert (
        f"check {SGD}: it ignores its argument 'shape', so that no case tests it"
        in (found.findings[SGD])
    )
