"""What is proven again and what stands, and what a proof says of mistakes and tolerances."""

from collections.abc import Callable, Collection
from pathlib import Path
from types import FunctionType
from typing import Any

import msgspec
import pytest

from autograder.artefacts.bundle import read_bundle
from autograder.artefacts.compiled import Oracle
from autograder.artefacts.gaps import Bands, Gaps
from autograder.artefacts.proof import Proof, read_proof, write_proof
from autograder.audit import prove as proving
from autograder.audit.checking.calibration import lies_in
from autograder.audit.checking.earlier import Earlier
from autograder.audit.checking.tried import CheckAudit
from autograder.audit.prove import Proven, prove, stale_checks
from autograder.audit.publish import audit_only, compile_and_publish
from autograder.authoring.checks import Check, case, check
from autograder.authoring.standard import Standard
from autograder.compiler.build import compile_assignment
from autograder.course import Course
from tests.audit.test_kills import SIGN_IS_LOST
from tests.audit.test_mutants import HELPER, USES_HELPER
from tests.small_course import BANK_OF_SUM

SUM, CHOICE, SIGN = "scaled_sum_matches_reference", "choice_is_right", "scaled_sum_has_its_sign"
WriteCourse = Callable[..., Course]
pytestmark = pytest.mark.usefixtures("sharing_fork_servers")
TWO_CHECKS = (
    "# %% [markdown]\n# ## 2 A choice",
    f'''# %%
@check("scaled_sum", points=1)
@case("five numbers", n=5)
def {SIGN}(student, reference, rng, n):
    """scaled_sum has the right sign."""
    rows = rng.normal(size=(8, n))
    got, want = ([side.scaled_sum(x) for x in rows] for side in (student, reference))
    assert_close(np.sign(got), np.sign(want), what="signs")

# %% [markdown]
# ## 2 A choice''',
)


def silent(_: str) -> None:
    """Show no progress."""


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Return what is tried: checks, and the sites whose mutants are."""
    seen: dict[str, list[str]] = {"checks": [], "sites": []}
    audit, mutants = proving._audit_checks, proving.try_mutants

    def audited(checks: Any, *rest: Any) -> Any:
        seen["checks"] += checks
        return audit(checks, *rest)

    def mutated(oracle: Any, sites: Any, wanted: Collection[str], *rest: Any) -> Any:
        seen["sites"] += sorted(wanted)
        return mutants(oracle, sites, wanted, *rest)

    monkeypatch.setattr(proving, "_audit_checks", audited)
    monkeypatch.setattr(proving, "try_mutants", mutated)
    return seen


def proven(course: Course) -> Proven:
    """Prove what is not proven yet of the small course, and keep it."""
    found = prove(compile_assignment(course, "small"), read_proof(course, "small"), 1, silent)
    write_proof(course, "small", found.sound)
    return found


def text_of(found: Proven) -> str:
    return "\n".join(text for texts in found.findings.values() for text in texts)


def test_a_check_whose_key_stands_is_not_tried_again(
    write_proven_course: WriteCourse, tried: dict[str, list[str]]
) -> None:
    course = write_proven_course()
    before = read_proof(course, "small")
    found = proven(course)
    assert tried == {"checks": [], "sites": []}
    assert found.proof == before
    assert list(found.now) == []
    write_proven_course(("mind the default of the factor", "look at the factor"))
    assert list(proven(course).now) == []


def test_one_check_that_changed_is_tried_alone(
    write_proven_course: WriteCourse, tried: dict[str, list[str]]
) -> None:
    course = write_proven_course(("n=40", "n=41"))
    before = read_proof(course, "small")
    assert before is not None
    found = proven(course)
    assert tried == {"checks": [SUM], "sites": ["reference/small.py: scaled_sum"]}
    assert list(found.now) == [SUM]
    assert found.proof.checks[CHOICE] == before.checks[CHOICE]
    assert found.proof.checks[SUM].key != before.checks[SUM].key
    assert not text_of(found)


def test_what_a_check_reaches_of_the_reference_is_tried_with_it(
    write_proven_course: WriteCourse, tried: dict[str, list[str]]
) -> None:
    proven(write_proven_course(HELPER, USES_HELPER))
    sites = ["reference/small.py: _total", "reference/small.py: scaled_sum"]
    assert tried == {"checks": [SUM], "sites": sites}


def test_everything_is_proven_again_where_that_is_asked_for(
    write_proven_course: WriteCourse, tried: dict[str, list[str]]
) -> None:
    course = write_proven_course()
    stored = read_proof(course, "small")
    found = prove(compile_assignment(course, "small"), stored, 1, silent, everything=True)
    assert tried["checks"] == [SUM, CHOICE]
    assert list(found.now) == [SUM, CHOICE]
    assert stored is not None
    assert found.proof.checks.keys() == stored.checks.keys()
    assert found.proof.definitions == stored.definitions


def test_a_check_is_stale_whose_proof_is_missing_or_of_another_key(
    write_proven_course: WriteCourse,
) -> None:
    stored = read_proof(write_proven_course(), "small")
    assert stored is not None
    keys = {name: check.key for name, check in stored.checks.items()}
    assert stale_checks(keys, stored) == []
    assert stale_checks({**keys, CHOICE: "other", "new": "key"}, stored) == [CHOICE, "new"]
    assert stale_checks(keys, None) == list(keys)


def test_mutants_that_only_a_check_rejected_that_is_gone_are_tried_again(
    write_course: WriteCourse, tried: dict[str, list[str]]
) -> None:
    course = write_course(SIGN_IS_LOST, TWO_CHECKS)
    before = proven(course).proof.definitions["reference/small.py: scaled_sum"]
    assert before.killed[SIGN]
    assert before.survivors == ()
    tried["sites"].clear()
    write_course(SIGN_IS_LOST)
    after = proven(course).proof.definitions["reference/small.py: scaled_sum"]
    assert tried["sites"] == ["reference/small.py: scaled_sum"]
    assert SIGN not in after.killed
    assert "return -(factor * total)" in {one.after for one in after.survivors}


def test_a_survivor_stands_where_it_is_now_and_is_explained_by_a_comment_of_today(
    write_course: WriteCourse, tried: dict[str, list[str]]
) -> None:
    course = write_course(SIGN_IS_LOST)
    (before,) = proven(course).proof.definitions["reference/small.py: scaled_sum"].survivors
    assert (before.reason, before.after) == (None, "return -(factor * total)")
    tried["sites"].clear()
    line = "    # survives: the sign is free here\n    return factor * total\n"
    write_course(SIGN_IS_LOST, ("    return factor * total\n", line))
    (after,) = proven(course).proof.definitions["reference/small.py: scaled_sum"].survivors
    assert tried["sites"] == []
    assert (after.reason, after.line) == ("the sign is free here", before.line + 1)


def with_tolerance(course: Course, standard: Standard) -> Proof:
    """Give the first check a stored tolerance, and a key that does not hold."""
    stored = read_proof(course, "small")
    assert stored is not None
    other = msgspec.structs.replace(stored.checks[SUM].holding_to(standard), key="former")
    proof = msgspec.structs.replace(stored, checks={**stored.checks, SUM: other})
    write_proof(course, "small", proof)
    return proof


def test_a_stored_tolerance_that_lies_in_the_gap_stands(write_proven_course: WriteCourse) -> None:
    course = write_proven_course()
    stored = read_proof(course, "small")
    assert stored is not None
    drawn = stored.checks[SUM].standard
    near = Standard(2.0, drawn.coarse_factor, 1.1 * drawn.single, 1.1 * drawn.in_single)
    with_tolerance(course, near)
    found = proven(course)
    assert found.now == [SUM]
    assert found.proof.checks[SUM].standard == near != drawn
    assert not text_of(found)


def test_a_stored_tolerance_beside_the_gap_is_drawn_anew(write_proven_course: WriteCourse) -> None:
    course = write_proven_course()
    stored = read_proof(course, "small")
    assert stored is not None
    with_tolerance(course, Standard(1e-9))
    assert proven(course).proof.checks[SUM].standard == stored.checks[SUM].standard


def test_a_gap_takes_what_lies_away_from_both_of_its_ends() -> None:
    gaps = Gaps(Bands(right=1.0, wrong=100.0))
    assert lies_in(gaps, Standard(factor=10.0), True, strict=True)
    assert lies_in(gaps, Standard(factor=50.0), True, strict=True)
    assert not lies_in(gaps, Standard(factor=1.2), True, strict=True)
    assert not lies_in(gaps, Standard(factor=90.0), True, strict=True)
    assert not lies_in(gaps, Standard(factor=10.0, single=1e-6), True, strict=True)


def test_a_check_with_findings_is_not_kept_in_the_proof(
    write_proven_course: WriteCourse, tried: dict[str, list[str]]
) -> None:
    course = write_proven_course(("return x.sum()", "return 2 * x.sum()"))
    first = proven(course)
    assert SUM in first.proof.checks
    stored = read_proof(course, "small")
    assert stored is not None
    assert list(stored.checks) == [CHOICE]
    again = proven(course)
    assert tried["checks"] == [SUM, SUM]
    assert again.findings[SUM] == first.findings[SUM] != []


def test_a_mistake_that_passes_all_checks_of_its_question_is_a_finding(
    write_course: WriteCourse,
) -> None:
    right = ("return x.sum()", "return 2 * x.sum()")
    said = text_of(proven(write_course(TWO_CHECKS, right)))
    assert said == (
        f"check {SUM}: the mistake 'the factor is forgotten altogether' passes every case of every"
        " check: no case tells it from the reference; add one that does"
    )


def test_a_mistake_that_differs_by_rounding_alone_is_told_from_a_loose_tolerance(
    write_course: WriteCourse,
) -> None:
    """No tolerance would reject what lies where right answers lie, too."""
    mistake = "the mistake 'the factor is forgotten altogether'"
    passes = f"check {SUM}: {mistake} passes every case of every check"
    near = ("return x.sum()", "return 2 * x[::-1].sum() * (1 + 1e-15)")
    assert text_of(proven(write_course(TWO_CHECKS, near))) == (
        f"{passes}: no case tells it from the reference; add one that does"
    )
    off = ("return 2 * x[::-1].sum() * (1 + 1e-15)", "return 2 * x.sum() * (1 + 1e-11)")
    said = text_of(proven(write_course(TWO_CHECKS, near, off)))
    assert said.startswith(f"{passes}, at most ")
    assert said.endswith(" of the tolerance away: too loose")


def test_a_mistake_that_fails_at_one_of_two_checks_is_fine(write_course: WriteCourse) -> None:
    course = write_course(TWO_CHECKS)
    found = proven(course)
    label = "the factor is forgotten altogether"
    assert found.proof.rejects()[SUM] == (label,)
    assert found.proof.rejects()[SIGN] == ()
    assert text_of(found) == ""


def test_an_alternative_passes_each_check_of_its_question(write_course: WriteCourse) -> None:
    positive = ("return (factor * x).sum()", "return abs(factor * x.sum())")
    course = write_course(SIGN_IS_LOST, TWO_CHECKS, positive)
    found = proven(course)
    assert found.findings[SUM] == []
    start = f"check {SIGN}: the alternative 'scale first, add up afterwards' does not pass case"
    assert found.findings[SIGN]
    assert all(finding.startswith(start) for finding in found.findings[SIGN])


def test_a_bundle_names_a_mistake_only_at_checks_that_reject_it(write_course: WriteCourse) -> None:
    course = write_course(TWO_CHECKS)
    compile_and_publish(course, "small", silent)
    manifest = read_bundle(course.bundle("small")).manifest
    rejects = {check.name: check.rejects for q in manifest.questions for check in q.checks}
    label = "the factor is forgotten altogether"
    assert rejects == {SUM: (label,), SIGN: (), CHOICE: ("the first of the two choices",)}


def test_news_tell_what_is_let_through_with_a_case_that_would_reject_it(
    write_course: WriteCourse,
) -> None:
    course = write_course(("total = x.sum()", "total = x[:5].sum()"), ("n=40", "n=4"))
    news = audit_only(course, "small", silent).news
    assert any(line.startswith(f"  {SUM} lets through, ") for line in news), news
    assert any("a case that rejects it: @case(" in line for line in news), news


def test_the_proof_of_a_course_is_the_same_with_any_number_of_processes(
    write_course: WriteCourse, tmp_path: Path
) -> None:
    compiled = compile_assignment(write_course(SIGN_IS_LOST, TWO_CHECKS), "small")
    one, three = (prove(compiled, None, jobs, silent) for jobs in (1, 3))
    assert one.proof == three.proof
    assert one.findings == three.findings


def test_a_bank_of_edits_is_proven_like_any_other(write_course: WriteCourse) -> None:
    edits = 'mistake("no factor", edit=("factor * total", "total"))\n'
    course = write_course(banks={"scaled_sum": BANK_OF_SUM + "\n\n" + edits})
    found = proven(course)
    assert text_of(found) == ""
    assert "no factor" in found.proof.checks[SUM].rejects


def test_a_check_that_takes_long_is_begun_first(
    write_course: WriteCourse, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = []

    def audited(check: Check, *_: Any) -> CheckAudit:
        begun.append(check.name)
        return CheckAudit(check.name)

    monkeypatch.setattr(proving, "audit_check", audited)
    monkeypatch.setattr(
        proving,
        "in_forks",
        lambda work, count, _: [(i, work(i, lambda *_: None)) for i in range(count)],
    )
    monkeypatch.setattr(proving, "seconds_of", lambda check, _: 2.0 if check.name == SIGN else 1.0)
    oracle = compile_assignment(write_course(TWO_CHECKS), "small").oracle
    names = [name for name in oracle.checks if name in (SUM, SIGN)]
    found = proving._audit_checks(names, {}, [], oracle, Earlier(), 1, silent)
    assert names == [SUM, SIGN]
    assert begun == [*found] == [SIGN, SUM]


def test_of_two_processes_each_begins_with_what_takes_longest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def noop(student: Any, reference: Any, rng: Any) -> None:
        """Compares nothing."""

    def named(name: str) -> Check:
        one = FunctionType(noop.__code__, globals(), name)
        return check("mean", points=1)(case("one")(one))

    checks = {one.name: one for one in (named(f"takes_{n}") for n in (3, 5, 1, 4, 2))}
    oracle = Oracle("planted", {}, checks)
    monkeypatch.setattr(proving, "seconds_of", lambda one, _: float(one.name[-1]))
    ordered = proving._longest_first(proving._seconds_of_checks([*checks.values()], oracle), oracle)
    assert [one.name for one in ordered] == [f"takes_{n}" for n in (5, 3, 1, 2, 4)]
