"""Homework 1: a slip in MyAdam costs its price, and anything else what its checks take."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from autograder.artefacts.manifest import QuestionEntry
from autograder.artefacts.results import QuestionResult, Verdict
from autograder.authoring.bank import Variant
from autograder.authoring.checks import Case, Check, case_rng
from autograder.authoring.standard import Compared
from autograder.grading.answers import Answers, answers_in
from autograder.grading.cases import run_against
from autograder.grading.prices import Prices
from autograder.grading.scoring import at_its_price, score_check, score_question
from autograder.sandbox.protocol.messages import InProcessSession
from tests.assignments.homework import Homework, homework

NAME = "hw1_optimizers"
SLIP = "eps under the root: it belongs beside it"


class Adam(torch.optim.Optimizer):
    """MyAdam as somebody else would write it; a slip below changes how it divides."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def step(self, closure=None):
        loss = closure() if closure is not None else None
        with torch.no_grad():
            for group in self.param_groups:
                for p in (p for p in group["params"] if p.grad is not None):
                    self.move(p, self.state[p], **group)
        return loss

    def move(self, p, state, lr, betas, eps, **_):
        if "step" not in state:
            state.update(step=0, m=torch.zeros_like(p), v=torch.zeros_like(p))
        state["step"] += 1
        state["m"].lerp_(p.grad, 1 - betas[0])
        state["v"].mul_(betas[1]).addcmul_(p.grad, p.grad, value=1 - betas[1])
        rest = [1 - beta ** state["step"] for beta in betas]
        p.addcdiv_(state["m"], self.divisor(state["v"], rest[1], eps), value=-lr / rest[0])

    def divisor(self, v, rest, eps):
        return (v / rest).sqrt() + eps


class UnderTheRoot(Adam):
    def divisor(self, v, rest, eps):
        return v.div(rest).add(eps).sqrt()


class BeforeTheCorrection(Adam):
    def divisor(self, v, rest, eps):
        return (v.sqrt() + eps) / rest**0.5


class UnderTheRootBeforeTheCorrection(Adam):
    def divisor(self, v, rest, eps):
        return ((v + eps) / rest).sqrt()


class UnderTheRootAndShared(UnderTheRoot):
    def move(self, p, state, **group):
        super().move(p, self.state["all"], **group)


class UnderTheRootAndWithoutClosure(UnderTheRoot):
    def step(self, closure=None):
        super().step(closure)


@pytest.fixture(scope="module")
def hw() -> Homework:
    return homework(NAME)


def draw(check: Check, case: Case) -> np.random.Generator:
    return case_rng(b"the course's", NAME, check.name, case.name, "somebody's")


def scored(
    hw: Homework, values: Mapping[str, Any], question: str = "my_adam"
) -> tuple[QuestionResult, QuestionResult | None, Variant]:
    """Return what answers earn by the checks, and by the price of a mistake if they are one."""
    oracle = replace(hw.compiled.oracle, standards=hw.proof.standards())
    (entry,) = (one for one in hw.compiled.manifest.questions if one.id == question)
    compared: dict[tuple[str, str], list[Compared]] = {}
    by_checks = graded(entry, hw, values, oracle, compared)

    def asked(check: Check) -> Mapping[str, Answers]:
        session = InProcessSession({**hw.names, **values})
        return {c.name: answers_in(oracle, check, c, session, draw, 20.0) for c in check.cases}

    mistake = Prices(oracle).mistake_in(by_checks, compared, asked, draw)
    if mistake is None:
        return by_checks, None, Variant("", {})
    assert mistake.costs is not None
    return by_checks, at_its_price(by_checks, mistake.title, mistake.costs), mistake


def graded(
    entry: QuestionEntry, hw: Homework, values: Mapping[str, Any], oracle: Any, compared: Any
) -> QuestionResult:
    results = []
    for one in entry.checks:
        check, cases = hw.checks[one.name], []
        for case in check.cases:
            seen: list[Compared] = []
            session = InProcessSession({**hw.names, **values})
            cases.append(run_against(oracle, check, case, session, draw, compared=seen))
            passed = cases[-1].verdict is Verdict.PASSED
            compared[check.name, case.name] = [] if passed else seen
        results.append(score_check(one, cases))
    return score_question(entry, results)


@pytest.mark.parametrize(
    ("answer", "title"),
    [
        (UnderTheRoot, SLIP),
        (BeforeTheCorrection, "eps is added to the root of v before the correction"),
    ],
)
def test_eps_in_the_wrong_place_costs_two_points(hw: Homework, answer: type, title: str) -> None:
    by_checks, priced, mistake = scored(hw, {"MyAdam": answer})
    missed = [one.name for one in by_checks.checks if one.earned < one.points]
    assert missed == ["my_adam_follows_reference", "my_adam_obeys_each_group"], "eps is a setting"
    assert by_checks.earned < 13
    assert (mistake.title, mistake.costs) == (title, 2)
    assert priced is not None
    assert (priced.earned, priced.points) == (13.0, 15.0)
    assert sum(one.earned for one in priced.checks) == 13.0


def test_who_is_right_has_all(hw: Homework) -> None:
    by_checks, priced, _ = scored(hw, {"MyAdam": Adam})
    assert (by_checks.earned, priced) == (15.0, None)


@pytest.mark.parametrize(
    "answer",
    [UnderTheRootBeforeTheCorrection, UnderTheRootAndShared, UnderTheRootAndWithoutClosure],
)
def test_another_slip_or_a_second_one_costs_what_its_checks_take(
    hw: Homework, answer: type
) -> None:
    by_checks, priced, _ = scored(hw, {"MyAdam": answer})
    assert by_checks.earned < 13
    assert priced is None


def test_each_priced_mistake_is_seen_for_what_it_is(hw: Homework) -> None:
    banks = hw.compiled.oracle.banks
    known = [(q, one) for q, bank in banks.items() for one in bank.mistakes if one.costs]
    assert len(known) > 10
    for question, one in known:
        by_checks, priced, mistake = scored(hw, one.values, question)
        assert (mistake.title, mistake.costs) == (one.title, one.costs), question
        assert priced is not None
        assert priced.earned == priced.points - one.costs >= by_checks.earned, (
            "its price never harms"
        )
