"""Faults planted in a copy of homework 1: the audit finds each and names it."""

import shutil
from pathlib import Path

import pytest

from autograder.audit.proof import examine
from autograder.compiler.build import build
from autograder.course import find_course
from autograder.grading.bundle import parse_bundle
from autograder.grading.oracle import load_bundle_oracle

ROOT = Path(__file__).parents[2]
NAME = "hw1_optimizers"
COMPARED = 'assert_close(got, reference.sgd_step(w, grad, lr=lr), what="w")'
SGD = "sgd_step_matches_reference"
DESCENT = "sgd_least_squares_matches_reference"


@pytest.fixture
def audited(tmp_path):
    """Return the report on one check of a copy of homework 1 with a change."""

    def audited(check, *changes):
        for name in ("assignments", "reference"):
            shutil.copytree(ROOT / name, tmp_path / name)
        shutil.copy(ROOT / "course.toml", tmp_path)
        course = find_course(tmp_path)
        text = course.source(NAME).read_text()
        for before, after in changes:
            assert text.count(before) >= 1, before
            text = text.replace(before, after)
        course.source(NAME).write_text(text)
        bundle = parse_bundle(build(course, NAME).bundle, NAME)
        oracle = load_bundle_oracle(bundle)
        for other in list(oracle.checks):
            if other != check:
                del oracle.checks[other]
        return examine(bundle, oracle, 2, lambda _: None)

    return audited


def test_a_tolerance_too_loose(audited):
    report = audited(SGD, (COMPARED, COMPARED[:-1] + ", atol=50.0)"))
    named = "\n".join(report.findings)
    assert f"check {SGD}: the mistake 'the learning rate is not used' passes every case" in named
    assert "too loose" in named
    assert f"check {SGD}: the null model 'zeros' passes every case" in named


def test_a_tolerance_too_tight(audited):
    report = audited(SGD, (COMPARED, COMPARED[:-1] + ", rtol=1e-18, atol=0)"))
    assert any(
        f"check {SGD}: the tolerance of 'w' (rtol=1e-18, atol=0) is too tight" in finding
        for finding in report.findings
    )


def test_a_check_on_one_example(audited):
    cases = (
        ("n=4, d=6, length=9", "n=1, d=6, length=9"),
        ("n=5, d=3, length=8, batch_size=2", "n=1, d=3, length=8, batch_size=1"),
        ("n=6, d=4, length=11, batch_size=4", "n=1, d=4, length=11, batch_size=1"),
        ("n=3, d=5, length=7, batch_size=20", "n=1, d=5, length=7, batch_size=1"),
        ("n=4, d=5, length=6, batch_size=3", "n=1, d=5, length=6, batch_size=1"),
        ("n=3, d=4, length=5, dtype", "n=1, d=4, length=5, dtype"),
    )
    report = audited(DESCENT, *cases)
    named = "\n".join(report.findings)
    assert f"check {DESCENT}: the mistake" in named
    assert "passes every case" in named
    survivors = {s.mutant.operator for s in report.survivors}
    assert survivors, "some mutants live on where n is 1"


def test_a_check_that_ignores_its_argument(audited):
    drawn = "w, grad = rng.normal(size=(2, *shape)).astype(dtype)\n    lr = float"
    report = audited(SGD, (drawn, drawn.replace("*shape", "5")))
    assert f"check {SGD}: it ignores its argument 'shape', so that no case tests it" in (
        report.findings
    )
