"""Which draws of a domain the audit makes cases of a check, and what right answers must pass."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from autograder.artefacts.bundle import read_bundle
from autograder.artefacts.compiled import Oracle
from autograder.artefacts.proof import Draw, Proof, read_proof
from autograder.artefacts.results import Verdict
from autograder.audit.draws import cover, draws_for_mistakes, pools_of
from autograder.audit.mutation.kills import Fate, try_mutants
from autograder.audit.mutation.targets import mutants_for
from autograder.audit.publish import audit_only, compile_and_publish, unproven
from autograder.authoring.array_parts import arrays
from autograder.authoring.assertions import assert_close
from autograder.authoring.bank import Bank, Variant
from autograder.authoring.checks import Check, case, check
from autograder.authoring.matching import matches_reference
from autograder.authoring.parts import whole
from autograder.compiler.build import compile_assignment
from autograder.course import Course
from autograder.errors import AuditRefused
from autograder.grading.oracle import load_bundle_oracle
from autograder.grading.runner import Grader
from autograder.sandbox.limits import Limits
from tests.audit.conftest import all_sites

WriteCourse = Callable[..., Course]
pytestmark = pytest.mark.usefixtures("sharing_fork_servers")

NAME = "scaled_sum_matches_reference"
CHECK = '''@check("scaled_sum", points=4, pure=True, hint="mind the default of the factor")
@case("three numbers", n=3)
@case("many numbers, hidden", hidden=True, n=40)
def scaled_sum_matches_reference(student, reference, rng, n):
    """scaled_sum adds up and scales."""
    x = rng.normal(size=n)
    assert_close(student.scaled_sum(x), reference.scaled_sum(x), what="sum")
'''
DRAWN = """scaled_sum_matches_reference = matches_reference(
    "scaled_sum",
    points=4,
    returns="sum",
    x=arrays("n", layouts=["strided"]),
    factor=interval(-2, 2, optional=True),
)
"""
DOMAIN = (
    (CHECK, DRAWN),
    (
        "import assert_close, assert_equal, case,",
        "import arrays, assert_equal, case, interval, matches_reference,",
    ),
)
# Wrong where a factor that is left out meets one example: of the few draws none is of both.
PAIR = """
@mistake("one number is not scaled")
def _(x, factor=None):
    if factor is None:
        factor = 1.0 if len(x) == 1 else 2.0
    return factor * x.sum()


@alternative("""
WITH_PAIR = *DOMAIN, ('\n@alternative("scale first', PAIR + '"scale first')


def silent(_: str) -> None:
    """Show no progress."""


def proof_of(course: Course) -> Proof:
    proof = read_proof(course, "small")
    assert proof is not None
    return proof


def test_a_domain_is_proven_with_the_few_draws_that_have_all_edges(
    write_course: WriteCourse,
) -> None:
    course = write_course(*DOMAIN)
    outcome = compile_and_publish(course, "small", silent)
    assert outcome.score == 1.0
    assert proof_of(course).checks[NAME].draws == ()
    entry = read_bundle(course.bundle("small")).manifest.questions[0].checks[0]
    assert [hidden for _, hidden in entry.cases[:2]] == [False, False]
    assert 4 < len(entry.cases) < 14
    assert all(hidden for _, hidden in entry.cases[2:])


@pytest.mark.parametrize(("low", "may_be_zero"), [(-2, True), (1, False)])
def test_no_mutant_takes_a_0_for_missing_that_no_prompt_promises(
    write_course: WriteCourse, low: int, may_be_zero: bool
) -> None:
    course = write_course(*DOMAIN, ("interval(-2, 2,", f"interval({low}, 2,"))
    compiled = compile_assignment(course, "small")
    (site,) = (site for site in all_sites(compiled) if site.name == "scaled_sum")
    mutants = mutants_for(site, [compiled.oracle.checks[NAME]])
    assert any(mutant.operator == "0 for missing" for mutant in mutants) == may_be_zero


def test_a_mistake_that_only_a_pair_of_edges_shows_gets_a_case_of_that_pair(
    write_course: WriteCourse,
) -> None:
    course = write_course(*WITH_PAIR)
    outcome = compile_and_publish(course, "small", silent)
    proof = proof_of(course)
    (draw,) = proof.checks[NAME].draws
    assert draw.kinds["n"] == "1"
    assert draw.kinds["factor"] == "left out"
    assert draw.rejects == ("one number is not scaled",)
    assert "one number is not scaled" in proof.checks[NAME].rejects
    assert not [note for note in proof.checks[NAME].notes if "are no cases" in note]
    assert (
        f"  {NAME}, case {draw.name!r}: for 'one number is not scaled', which passes all others"
    ) in outcome.details
    assert unproven(course, "small") == []
    bundle = read_bundle(course.bundle("small"))
    entry = bundle.manifest.questions[0].checks[0]
    assert entry.draws == (draw.kinds,)
    assert entry.cases[-1] == (draw.name, True)
    oracle = load_bundle_oracle(bundle)
    assert [(c.name, c.hidden) for c in oracle.checks[NAME].cases] == list(entry.cases)
    with Grader(bundle, oracle, b"a secret", Limits()) as grader:
        solution = (course.build("small") / "small_solution.ipynb").read_bytes()
        result = grader.grade("somebody", solution)
    assert result.questions[0].earned == 4
    cases = result.questions[0].checks[0].cases
    assert cases[-1].name == draw.name
    assert {case.verdict for case in cases} == {Verdict.PASSED}


def test_what_a_proof_has_drawn_stays_until_the_check_is_proven_again(
    write_course: WriteCourse,
) -> None:
    course = write_course(*WITH_PAIR)
    audit_only(course, "small", silent)
    before = proof_of(course).checks[NAME]
    source = course.source("small")
    source.write_text(source.read_text().replace("the right one, hidden", "the right choice"))
    assert unproven(course, "small") == ["check choice_is_right"]
    audit_only(course, "small", silent)
    assert proof_of(course).checks[NAME] == before


def test_an_alternative_must_pass_every_draw_and_not_only_the_cases(
    write_course: WriteCourse,
) -> None:
    wrong = PAIR.replace("@mistake", "@alternative").replace("None):\n", "None):\n", 1)
    course = write_course(*DOMAIN, ('\n@alternative("scale first', wrong + '"scale first'))
    with pytest.raises(AuditRefused) as refused:
        audit_only(course, "small", silent)
    assert "the alternative 'one number is not scaled' does not pass case 'n = 1, " in str(
        refused.value
    )


def test_a_mutant_that_the_cases_let_through_is_found_out_by_a_draw(
    write_course: WriteCourse,
) -> None:
    compiled = compile_assignment(write_course(*DOMAIN), "small")
    oracle, sites = compiled.oracle, all_sites(compiled)
    check = oracle.checks[NAME]
    only = next(c for c in check.cases if (c.kinds or {}).get("x values") == "zeros")
    poor: dict[str, Check] = {**oracle.checks, NAME: check.only([only])}
    wanted = {site.id for site in sites}
    pools = pools_of(oracle, [NAME, "choice_is_right"])
    assert list(pools) == [NAME]
    alone, none = try_mutants(replace(oracle, checks=poor), sites, wanted, 1)
    assert none == {}
    assert Fate.SURVIVED in {mutant.fate for mutant in alone}
    found, draws = try_mutants(replace(oracle, checks=poor), sites, wanted, 1, pools=pools)
    assert {mutant.fate for mutant in found} <= {Fate.KILLED, Fate.EQUIVALENT}
    assert list(draws) == [NAME]
    names = {draw.name for draw in draws[NAME]}
    by_draws = [mutant for mutant in found if mutant.killed_by and mutant.killed_by[1] in names]
    assert len(by_draws) == sum(len(draw.rejects) for draw in draws[NAME]) > 0


def test_as_few_draws_as_can_be_reject_all(write_course: WriteCourse) -> None:
    oracle = compile_assignment(write_course(*DOMAIN), "small").oracle
    pools = pools_of(oracle, [NAME])
    one, two, three = (case.name for case in pools[NAME].cases[:3])
    rejecting = {
        "a": [(NAME, one)],
        "b": [(NAME, one), (NAME, two)],
        "c": [(NAME, two), (NAME, three)],
        "nothing rejects this": [],
    }
    chosen = cover(rejecting, pools)[NAME]
    assert [draw.rejects for draw in chosen] in ([("a", "b"), ("c",)], [("b", "c"), ("a",)])
    assert all(isinstance(draw, Draw) for draw in chosen)
    assert cover({}, pools) == {}


def check_of_means(ran: list[str]) -> Check:
    """Return a check that compares means, and notes when it runs."""

    @check("mean", points=1)
    @case("mean")
    def of_the_mean(student: Any, reference: Any, rng: np.random.Generator) -> None:
        """Compares means."""
        ran.append("of_the_mean")
        x = rng.normal(size=3)
        assert_close(student.mean(x), reference.mean(x))

    return of_the_mean


def test_a_mistake_is_first_tried_on_the_checks_that_ask_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ran: list[str] = []

    @check("mean", points=1)
    @case("other")
    def of_the_other(student: Any, reference: Any, rng: np.random.Generator) -> None:
        """Compares what is no mean."""
        ran.append("of_the_other")
        assert_close(student.other(rng.normal(size=3)), 0.0)

    of_the_mean = check_of_means(ran)
    checks = {one.name: one for one in (of_the_other, of_the_mean)}
    oracle = Oracle("planted", {"mean": np.mean, "other": np.std}, checks)
    oracle.banks["mean"] = Bank((Variant("the sum", {"mean": np.sum}, "the sum"),))
    here = lambda work, count, _: ((i, work(i, lambda *_: None)) for i in range(count))  # noqa: E731
    monkeypatch.setattr("autograder.audit.draws.in_forks", here)
    assert draws_for_mistakes(oracle, {"of_the_mean": of_the_mean}, 1, silent) == {}
    assert set(ran) == {"of_the_mean"}


def test_a_mistake_is_first_tried_on_the_check_that_has_rejected_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ran: list[str] = []

    @check("mean", points=1)
    @case("sign")
    def of_the_sign(student: Any, reference: Any, rng: np.random.Generator) -> None:
        """Compares signs."""
        ran.append("of_the_sign")
        x = rng.normal(size=3)
        assert_close(np.sign(student.mean(x)), np.sign(reference.mean(x)))

    of_the_mean = check_of_means(ran)
    checks = {one.name: one for one in (of_the_sign, of_the_mean)}
    oracle = Oracle("planted", {"mean": np.mean}, checks)
    oracle.banks["mean"] = Bank((Variant("the sum", {"mean": np.sum}, "the sum"),))
    here = lambda work, count, _: ((i, work(i, lambda *_: None)) for i in range(count))  # noqa: E731
    monkeypatch.setattr("autograder.audit.draws.in_forks", here)
    pools = {"of_the_mean": of_the_mean}
    for rejected, first in (({}, "of_the_sign"), ({"of_the_mean": ("the sum",)}, "of_the_mean")):
        del ran[:]
        assert draws_for_mistakes(oracle, pools, 1, silent, rejected) == {}
        assert ran[0] == first
    assert set(ran) == {"of_the_mean"}


@pytest.mark.parametrize(
    ("parts", "runs"),
    [({"n": whole(1, 9), "k": whole(1, 9)}, 1), ({"x": arrays("n")}, 2)],
)
def test_a_draw_is_moved_both_ways_where_there_is_something_to_move(parts: Any, runs: int) -> None:
    calls: list[Any] = []

    def f(*args: Any, **named: Any) -> float:
        calls.append((args, named))
        return 1.0

    one = matches_reference("f", points=1, **parts)
    pools = pools_of(Oracle("planted", {"f": f}, {one.name: one}), [one.name])
    draws = len(pools[one.name].cases)
    assert draws > 0
    assert len(calls) == draws + runs * draws  # of the reference as it is, and moved
