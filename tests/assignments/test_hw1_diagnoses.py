"""Homework 1: who makes a mistake of an optimizer reads its name, and nobody else does."""

import warnings
from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
import pytest

from autograder.artefacts.results import Verdict
from autograder.authoring.checks import Case, Check, case_rng
from autograder.grading.cases import Draw, run_against
from autograder.grading.diagnosis import CaseOutcome, Diagnoses
from autograder.sandbox.protocol.messages import InProcessSession
from tests.assignments.homework import Homework, homework

NAME = "hw1_optimizers"
STEPS = ("sgd_step", "momentum_step", "adagrad_step", "rmsprop_step", "adam_step", "adamw_step")
RANDOM = 200


class OfSomebody(Diagnoses):
    """Diagnoses for which a mistake is run once: all that they are asked of has the same inputs."""

    def __init__(self, hw: Homework) -> None:
        super().__init__(hw.compiled.oracle, rejects=hw.proof.rejects())
        self._known: dict[tuple[str, str, int], CaseOutcome] = {}

    def _run(
        self, check: Check, case: Case, names: Mapping[str, Any], draw: Draw, until: float
    ) -> CaseOutcome:
        run = check.name, case.name, id(names)  # those of a bank, which stays
        if run not in self._known:
            found = super()._run(check, case, names, draw, until)
            if found.result.verdict is Verdict.BROKEN:  # out of time, perhaps
                return found
            self._known[run] = found
        return self._known[run]


@pytest.fixture(scope="module")
def hw() -> Homework:
    return homework(NAME)


@pytest.fixture(scope="module")
def known(hw: Homework) -> Diagnoses:
    return OfSomebody(hw)


def draw(check: Check, case: Case) -> np.random.Generator:
    return case_rng(b"the course's", NAME, check.name, case.name, "somebody's")


def outcomes(hw: Homework, check: Check, values: Mapping[str, Any]) -> dict[str, CaseOutcome]:
    found = {}
    for case in check.cases:
        seen: list[Any] = []
        student = InProcessSession({**hw.names, **values})
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            result = run_against(hw.compiled.oracle, check, case, student, draw, compared=seen)
        found[case.name] = CaseOutcome(result, seen)
    return found


@pytest.mark.parametrize("question", [*STEPS, "my_adam"])
def test_each_mistake_of_an_optimizer_is_named(
    hw: Homework, known: Diagnoses, question: str
) -> None:
    """By each check that it fails for these inputs; some checks reject it for other inputs only."""
    checks = [check for check in hw.scored if check.question == question]
    mistakes = hw.compiled.oracle.banks[question].mistakes
    told = set()
    for check, mistake in product(checks, mistakes):
        if mistake.label in hw.proof_of(check.name).rejects:
            found = outcomes(hw, check, mistake.values)
            if any(one.result.verdict is not Verdict.PASSED for one in found.values()):
                named = known.of(check, found, draw)
                assert mistake.title in (named or "").split("; or: "), (check.name, mistake.title)
                told.add(mistake.title)
    assert told == {mistake.title for mistake in mistakes}


def test_no_random_wrong_answer_is_named(hw: Homework, known: Diagnoses) -> None:
    rng = np.random.default_rng(0)
    checks = [check for check in hw.scored if check.question in STEPS]
    banks = [hw.compiled.oracle.banks[question] for question in STEPS]
    titles = {mistake.title for bank in banks for mistake in bank.mistakes}
    for number in range(RANDOM):
        check = checks[number % len(checks)]

        def wrong(*args, question=check.question, **kwargs):
            right = hw.names[question](*args, **kwargs)
            values = right if isinstance(right, tuple) else (right,)
            made = [rng.normal(size=np.shape(v)).astype(np.asarray(v).dtype) for v in values]
            return tuple(made) if isinstance(right, tuple) else made[0]

        named = known.of(check, outcomes(hw, check, {check.question: wrong}), draw)
        assert named is None or not titles & set(named.split("; or: ")), (check.name, named)
