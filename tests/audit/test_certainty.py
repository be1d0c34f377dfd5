"""Each mistake fails some check of its question for certain, and the proof says which reject it."""

import numpy as np
import pytest

from autograder.artefacts.compiled import Oracle
from autograder.artefacts.proof import CheckProof, Proof
from autograder.audit.checking.certainty import hold_mistakes
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


def held(audits, stored=None):
    oracle = Oracle("a", {"mean": np.mean}, {"lucky": lucky, "strict": strict}, {})
    oracle.banks["mean"] = Bank((SUM,))
    hold_mistakes(oracle, audits, stored or Proof(), 1, lambda _: None)
    return {name: list(audit.rejects) for name, audit in audits.items()}


def audit(name, seconds):
    return CheckAudit(name, rejects={"the sum": seconds})


def test_a_check_that_rejects_a_mistake_by_chance_does_not_count_and_the_next_one_is_asked():
    audits = {"lucky": audit("lucky", 0.0), "strict": audit("strict", 0.0)}
    assert held(audits) == {"lucky": [], "strict": ["the sum"]}
    assert audits["strict"].gaps.double.wrong < np.inf


def test_the_quickest_check_that_rejects_a_mistake_for_certain_is_enough():
    audits = {"lucky": audit("lucky", 60.0), "strict": audit("strict", 0.0)}
    assert held(audits) == {"lucky": ["the sum"], "strict": ["the sum"]}


def test_a_check_whose_proof_stands_is_asked_where_none_that_is_proven_now_is_certain():
    stored = Proof({"strict": CheckProof("key", rejects=("the sum",))})
    audits = {"lucky": audit("lucky", 0.0)}
    assert held(audits, stored) == {"lucky": []}


def test_nothing_is_run_for_a_question_of_which_no_check_is_proven_now(monkeypatch):
    def never(*_):
        pytest.fail("it was run")

    monkeypatch.setattr("autograder.audit.checking.certainty.is_certain", never)
    stored = Proof({name: CheckProof("key", rejects=("the sum",)) for name in ("lucky", "strict")})
    assert held({}, stored) == {}
