"""Each mistake fails some check of its question for certain, and the proof says which reject it."""

import os
from dataclasses import replace

import numpy as np
import pytest

from autograder.artefacts.compiled import Oracle
from autograder.artefacts.proof import CheckProof, Proof
from autograder.artefacts.results import CaseResult, Verdict
from autograder.audit.checking.certainty import hold_mistakes
from autograder.audit.checking.check_audit import is_certain
from autograder.audit.checking.tried import CheckAudit
from autograder.authoring.assertions import assert_close, assert_that
from autograder.authoring.bank import Bank, Variant
from autograder.authoring.checks import case, check

SUM = Variant("the sum", {"mean": np.sum}, "the sum")


@check("mean", points=1)
@case("numbers", n=5)
def strict(student, reference, rng, n):
    """Compares means."""
    x = rng.normal(size=n)
    assert_close(student.mean(x), reference.mean(x), what="mean")


@check("mean", points=1)
@case("numbers", n=5)
def lucky(student, reference, rng, n):
    """Sees a wrong sign only, which some inputs show."""
    x = rng.normal(size=n)
    assert_that(np.abs(student.mean(x)) < 1.0, "too far from zero")


def held(audits, stored=None, mistake=SUM, more=(), **changes):
    checks = {one.name: replace(one, **changes.get(one.name, {})) for one in (lucky, strict)}
    oracle = Oracle("a", {"mean": np.mean}, checks, {})
    oracle.banks["mean"] = Bank((mistake, *more))
    hold_mistakes(oracle, audits, stored or Proof(), 1, lambda _: None)
    return {name: list(audit.rejects) for name, audit in audits.items()}


def audit(name):
    return CheckAudit(name, rejects={"the sum": []})  # how it was rejected is not looked at


def test_a_check_that_rejects_a_mistake_by_chance_does_not_count_and_the_next_one_is_asked():
    audits = {"lucky": audit("lucky"), "strict": audit("strict")}
    assert held(audits) == {"lucky": [], "strict": ["the sum"]}
    assert audits["strict"].gaps.double.wrong < np.inf


def test_of_two_as_near_the_first_is_told_whichever_is_done_first(monkeypatch):
    def backwards(work, count, _):
        return [(i, work(i, lambda *_: None)) for i in reversed(range(count))]

    monkeypatch.setattr("autograder.audit.checking.certainty.in_forks", backwards)
    again = Variant("the sum again", {"mean": np.sum}, "the sum again")
    found = CheckAudit("strict", rejects={"the sum": [], "the sum again": []})
    held({"lucky": CheckAudit("lucky"), "strict": found}, more=(again,))
    assert found.nearest == "the mistake 'the sum'"


def test_one_check_that_rejects_a_mistake_for_certain_is_enough_and_long_ones_come_last():
    audits = {"lucky": audit("lucky"), "strict": audit("strict")}
    found = held(audits, lucky={"seconds": 30.0})
    assert found == {"lucky": ["the sum"], "strict": ["the sum"]}


@pytest.mark.parametrize("proven_now", [("lucky", "strict"), ("lucky",)])
def test_a_mistake_that_ends_its_process_under_further_inputs_is_a_finding(proven_now):
    def fatal(_):
        os._exit(1)

    audits = {name: audit(name) for name in proven_now}
    stored = Proof({"strict": CheckProof("key", rejects=("the sum",))})
    held(audits, stored, Variant("ends it all", {"mean": fatal}, "the sum"))
    assert audits["lucky"].findings == [
        "check lucky: the mistake 'ends it all' ended the audit's process under further inputs, "
        "or took more than 600 s"
    ]


def test_the_fault_of_a_check_that_is_not_proven_now_is_told_of_another_of_its_question():
    def fatal(_):
        os._exit(1)

    audits = {"lucky": CheckAudit("lucky")}
    stored = Proof({"strict": CheckProof("key", rejects=("the sum",))})
    held(audits, stored, Variant("ends it all", {"mean": fatal}, "the sum"))
    assert audits["lucky"].findings[0].startswith("check strict: the mistake 'ends it all' ended")


def test_a_check_whose_proof_stands_is_asked_where_none_that_is_proven_now_is_certain():
    stored = Proof({"strict": CheckProof("key", rejects=("the sum",))})
    audits = {"lucky": audit("lucky")}
    assert held(audits, stored) == {"lucky": []}


def test_nothing_is_run_for_a_question_of_which_no_check_is_proven_now(monkeypatch):
    def never(*_):
        pytest.fail("it was run")

    monkeypatch.setattr("autograder.audit.checking.certainty.is_certain", never)
    stored = Proof({name: CheckProof("key", rejects=("the sum",)) for name in ("lucky", "strict")})
    assert held({}, stored) == {}


@pytest.mark.parametrize(
    ("margins", "names"),
    [
        ((5e6, 0.5, 5e6), ["near", "far", "near", "far"]),
        ((5.0, 0.5, 5.0), ["far", "near", "far as well", "far", "near", "far as well"]),
    ],
)
def test_what_was_far_off_at_first_is_run_under_further_inputs_until_one_is_again(margins, names):
    asked = []

    @check("mean", points=1)
    @case("far", name="far", size=1.0)
    @case("near", name="near", size=1e-12)
    @case("far as well", name="far as well", size=2.0)
    def sizes(student, reference, rng, name, size):
        """Compares means of large numbers and of small ones."""
        asked.append(name)
        x = size * rng.normal(size=5)
        assert_close(student.mean(x), reference.mean(x), what="mean")

    first = [
        CaseResult(one.name, False, Verdict.FAILED if margin > 1 else Verdict.PASSED, 0.0, margin)
        for one, margin in zip(sizes.cases, margins, strict=True)
    ]
    oracle = Oracle("a", {"mean": np.mean}, {"sizes": sizes}, {})
    found = CheckAudit("sizes")
    assert is_certain(sizes, SUM, oracle, found, first)
    anew = [one.name for one in sizes.cases]
    assert asked == [*names, *anew]
    assert found.findings == []
