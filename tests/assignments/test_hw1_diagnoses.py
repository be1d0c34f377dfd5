"""Homework 1: who makes a mistake of an optimizer reads its name, and nobody else does."""

import warnings

import numpy as np
import pytest

from autograder.authoring.checks import case_rng
from autograder.grading.cases import ReferenceSession, run_case
from autograder.grading.diagnosis import Diagnoses, Outcome
from autograder.sandbox.messages import InProcessSession
from tests.assignments.test_hw1_optimizers import CHECKS, NAME, ORACLE

SECRET = b"the course's"
STEPS = ("sgd_step", "momentum_step", "adagrad_step", "rmsprop_step", "adam_step", "adamw_step")
OPTIMIZERS = [c for c in CHECKS if c.question in (*STEPS, "my_adam") and c.points]
RANDOM = 200


@pytest.fixture(scope="module")
def known():
    return Diagnoses(ORACLE)


def draw(check, case):
    return case_rng(SECRET, NAME, check.name, case.name, "somebody's")


def outcomes(check, values):
    found = {}
    for case in check.cases:
        seen = []
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            result = run_case(
                check,
                case,
                InProcessSession({**ORACLE.namespace, **values}),
                ReferenceSession(ORACLE.namespace),
                lambda case=case: draw(check, case),
                compared=seen,
            )
        found[case.name] = Outcome(result, seen)
    return found


@pytest.mark.parametrize("check", OPTIMIZERS, ids=lambda check: check.name)
def test_each_mistake_of_an_optimizer_is_named(known, check):
    for mistake in check.mistakes:
        named = known.of(check, outcomes(check, mistake.values), draw)
        assert mistake.title in (named or "").split("; or: "), mistake.title


def test_no_random_wrong_answer_is_named(known):
    rng = np.random.default_rng(0)
    checks = [check for check in OPTIMIZERS if check.question in STEPS]
    titles = {mistake.title for check in checks for mistake in check.mistakes}
    for number in range(RANDOM):
        check = checks[number % len(checks)]

        def wrong(*args, **kwargs):
            right = ORACLE.namespace[check.question](*args, **kwargs)  # noqa: B023 - used at once
            values = right if isinstance(right, tuple) else (right,)
            made = [rng.normal(size=np.shape(v)).astype(np.asarray(v).dtype) for v in values]
            return tuple(made) if isinstance(right, tuple) else made[0]

        named = known.of(check, outcomes(check, {check.question: wrong}), draw)
        assert named is None or not titles & set(named.split("; or: ")), (check.name, named)
