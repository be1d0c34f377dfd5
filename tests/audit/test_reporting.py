"""From a proof to its report: how many null models are rejected."""

import pytest

from autograder.artefacts.proof import CheckProof, Draw
from autograder.audit.reporting import _null_models
from autograder.authoring.checks import Case, Check

BOTH = ["written", "drawn"]


@pytest.mark.parametrize(
    ("free", "tried", "rejected"),
    [
        ({}, 5, 5),
        ({"zeros": ["written"]}, 5, 5),
        ({"zeros": BOTH}, 5, 4),
        ({"the first option": BOTH}, 4, 4),  # a guess that is right is no wrong answer
        ({"the first option": BOTH, "ones": BOTH, "zeros": ["drawn"]}, 4, 3),
    ],
)
def test_a_null_model_is_rejected_where_some_case_is(free, tried, rejected):
    check = Check(lambda *_: None, "f", 1.0, (Case("written", {}),))
    proof = CheckProof("key", null_models=5, free=free, draws=(Draw("drawn", {}, ()),))
    assert _null_models(check, proof) == (tried, rejected)
