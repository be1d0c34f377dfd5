"""Every assignment is proven, and its prose, its points and its checks say the same."""

import inspect
import re

import pytest
import torch

from autograder.artefacts.results import Verdict
from autograder.audit.acceptance import key_of_acceptance
from autograder.audit.checking.null_models import NULL_MODELS
from autograder.audit.keys import keys_of
from autograder.audit.mutation.definitions import definitions_to_try, who_asks
from autograder.audit.mutation.targets import mutants_for
from autograder.audit.prove import stale_checks
from tests.assignments.homework import COURSE, Homework, homework

SHOWN = "the visible cases' answers"  # a null model, which says them whatever is asked


@pytest.fixture(params=COURSE.assignments())
def hw(request: pytest.FixtureRequest) -> Homework:
    return homework(request.param)


def test_a_source_notebook_can_be_read_from_top_to_bottom() -> None:
    """Prompt, solution and check: figures and probes stand in the reference."""
    paths = [COURSE.source(name) for name in COURSE.assignments()]
    lines = [len(path.read_text("utf-8").splitlines()) for path in paths]
    assert max(lines) < 1700
    assert sum(count < 1300 for count in lines) > len(lines) / 2


# What the audit has shown: see `autograder.audit`. A check with a finding has no proof.


def test_every_proof_is_current(hw: Homework) -> None:
    """After a change: autograder compile."""
    keys = keys_of(hw.compiled)
    assert stale_checks(keys, hw.proof) == []
    assert keys.keys() == hw.checks.keys() == hw.proof.checks.keys()
    limits = COURSE.limits_of(hw.compiled.name)
    assert hw.proof.accepted == key_of_acceptance(hw.compiled, hw.proof, limits)


def test_mutants_of_every_answer_were_tried(hw: Homework) -> None:
    """What has no entry in the proof has no mutant that a check with points could reject."""
    asked = who_asks(hw.compiled.oracle, hw.sites)
    left = definitions_to_try(hw.sites, asked, [], hw.proof)
    for site in (site for site in hw.sites if site.id in left):
        checks = [hw.checks[name] for name in asked[site.id]]
        scoring = [check for check in checks if check.points and check.device != "cuda"]
        assert not (scoring and mutants_for(site, scoring)), site.id


def test_a_check_with_points_rejects_a_mistake(hw: Homework) -> None:
    assert [check.name for check in hw.scored if not hw.proof_of(check.name).rejects] == []


def test_a_mistake_is_rejected_by_a_check_of_its_question(hw: Homework) -> None:
    for question, bank in hw.compiled.oracle.banks.items():
        checks = [check for check in hw.checks.values() if check.question == question]
        rejected = {label for check in checks for label in hw.proof_of(check.name).rejects}
        accepted = {mistake.label for mistake in bank.mistakes} - rejected
        assert not accepted or any(check.device == "cuda" for check in checks), question


def test_a_question_with_points_has_an_alternative_and_its_checks_take_all(hw: Homework) -> None:
    for check in hw.checks.values():
        alternatives = hw.compiled.oracle.bank(check).alternatives
        assert alternatives or not check.points, check.name
        if check.device != "cuda":
            assert hw.proof_of(check.name).accepts == len(alternatives), check.name


def test_no_null_model_earns_anything(hw: Homework) -> None:
    """But for a case whose answer a release shows, and where all cases depend on all.

    What passes no typical inputs earns nothing of a check that draws them.
    """
    for check in hw.scored:
        proof = hw.proof_of(check.name)
        assert proof.null_models > len(NULL_MODELS), check.name
        free = {title for title, cases in proof.free.items() if check.typical in (None, *cases)}
        assert free <= {SHOWN} or check.all_or_nothing, check.name


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_check_for_a_gpu_takes_right_answers_and_rejects_a_mistake(hw: Homework) -> None:
    for check in hw.checks.values():
        if check.device == "cuda":
            bank = hw.compiled.oracle.bank(check)
            for values in ({}, *(alternative.values for alternative in bank.alternatives)):
                assert hw.missed(check.name, values) == set()
            assert any(hw.missed(check.name, mistake.values) for mistake in bank.mistakes)


# A release


def test_an_untouched_release_earns_nothing(hw: Homework) -> None:
    for check in hw.scored:
        verdicts = {result.verdict for result in hw.results(check.name, hw.stubs).values()}
        assert verdicts <= {Verdict.ERRORED, Verdict.FAILED}, check.name


def test_a_check_that_a_release_shows_draws_from_rng(hw: Homework) -> None:
    """Its hidden cases are cut there: what is left must not be answerable from what is seen."""
    for check in hw.checks.values():
        shown = any(not (case.hidden or case.is_drawn) for case in check.cases)
        body = inspect.getsource(check.function).partition('"""')[2]
        assert "rng" in body or not (shown and check.points), check.name


# Points


def test_the_points_sum_to_a_hundred(hw: Homework) -> None:
    assert sum(question.points for question in hw.compiled.manifest.questions) == 100


def headings(hw: Homework) -> dict[str, int]:
    """Return the points that the headings name, by title."""
    text = "\n".join(cell.text for cell in hw.prose)
    found = re.findall(r"^## (\d\.\d .+) \((\d+) points?\)$", text, re.MULTILINE)
    return {title: int(points) for title, points in found}


def test_each_heading_names_the_points_of_its_question(hw: Homework) -> None:
    questions = [q for q in hw.compiled.manifest.questions if q.points]
    assert list(headings(hw).items()) == [(q.title, q.points) for q in questions]


def test_the_table_of_parts_adds_up(hw: Homework) -> None:
    table = re.findall(r"^\| (\d) \| .* \| (\d+) \|$", hw.prose[0].text, re.MULTILINE)
    sums = {part: 0 for part, _ in table}
    for title, points in headings(hw).items():
        sums[title[0]] += points
    assert sums == {part: int(points) for part, points in table}


def test_a_rubric_adds_up_to_the_points_of_its_question(hw: Homework) -> None:
    for question in hw.compiled.manifest.questions:
        if question.manual:
            rubric = hw.manual(question.id).partition("=== BEGIN MARK SCHEME ===")[2]
            points = re.findall(r"^- (\d+) points?:", rubric, re.MULTILINE)
            assert sum(map(int, points)) == question.points, question.id
