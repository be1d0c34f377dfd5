"""What an audit says of a mistake: the checks that it fails, and what it earns."""

import json

import pytest

from autograder import assert_close, whole
from autograder.artefacts.compiled import Oracle
from autograder.artefacts.proof import Proof
from autograder.audit.checking.check_audit import audit_check
from autograder.audit.mistake_report import mistake_reports
from autograder.audit.publish import audit_only
from autograder.authoring.bank import Bank, Variant
from autograder.authoring.checks import case, check, domain
from autograder.errors import AuditRefused
from autograder.records.audit_page import write_audit_page


@check("mean", points=4)
@case("five", n=5)
@case("one", n=1, hidden=True)
def matches(student, reference, rng, n):
    """The mean."""
    x = rng.normal(size=n)
    assert_close(student.mean(x), reference.mean(x), what="mean")


@check("mean", points=3, all_or_nothing=True)
@case("seven", n=7)
@case("one", n=1, hidden=True)
def matches_all(student, reference, rng, n):
    """The mean, all of it."""
    x = rng.normal(size=n)
    assert_close(student.mean(x), reference.mean(x), what="mean")


@check("mean", points=1)
@case("only one", n=1, hidden=True)
def of_one(student, reference, rng, n):
    """The mean of one number."""
    x = rng.normal(size=n)
    assert_close(student.mean(x), reference.mean(x), what="mean")


@check("mean", points=2)
@domain(n=whole(1, 5), visible=1)
def matches_drawn(student, reference, rng, n):
    """The mean of some numbers."""
    x = rng.normal(size=n)
    assert_close(student.mean(x), reference.mean(x), what="mean")


def report(costs=None, of=(matches, matches_all, of_one)):
    """Return what is said of the sum in place of the mean, as a check is audited."""
    kept = Variant("the sum", {"mean": lambda x: x.sum()}, "the sum", costs)
    checks = {one.name: one for one in of}
    names = {"mean": lambda x: x.sum() / x.shape[0]}
    oracle = Oracle("means", names, checks, banks={"mean": Bank((kept,))})
    proofs = {
        name: audit_check(one, ["mean"], {"mean"}, oracle).proof("key")
        for name, one in checks.items()
    }
    (found,) = mistake_reports(oracle, Proof(proofs))
    return found


def test_a_mistake_is_told_with_all_checks_that_it_fails():
    found = report()
    assert found.fails == {"matches": (1, 2), "matches_all": (1, 2)}
    assert found.passes == ("of_one",)
    assert (found.points, found.left, found.priced) == (8.0, 3.0, 3.0)


@pytest.mark.parametrize(
    ("costs", "earns", "words"),
    [
        (2.0, 6.0, "6 of 8 points, 3 without its price"),
        (5.0, 3.0, "3 of 8 points, 3 without its price, which changes nothing"),
        (7.0, 3.0, "3 of 8 points, 3 without its price, which changes nothing"),
        (None, 3.0, "3 of 8 points"),
    ],
)
def test_it_is_told_with_its_points_with_and_without_its_price(costs, earns, words):
    found = report(costs)
    assert found.priced == earns
    assert found.line() == f"mean: 'the sum' earns {words}; it fails matches, matches_all"
    assert found.to_plain()["earned"] == {"priced": earns, "by_checks": 3.0}


def test_the_audit_and_its_page_show_prices(write_proven_course, tmp_path):
    title = '"the factor is forgotten altogether"'
    course = write_proven_course((title, f"{title}, costs=1.5"))
    outcome = audit_only(course, "small", lambda _: None)
    assert outcome.news[-1] == "small: 0 checks proven now, the proof of 2 stands"
    line = (
        "  scaled_sum: 'the factor is forgotten altogether' earns 2.5 of 4 points, 0 without its "
        "price; it fails scaled_sum_matches_reference"
    )
    assert line in outcome.summary
    assert line in outcome.details
    stored = course.build("small") / "audit.json"
    told = {one["question"]: one for one in json.loads(stored.read_bytes())["mistakes"]}
    assert told["scaled_sum"]["fails"] == {"scaled_sum_matches_reference": [2, 2]}
    assert told["choice"]["costs"] is None
    write_audit_page(page := tmp_path / "audit.html", stored)
    words = page.read_text("utf-8")
    assert "the factor is forgotten altogether" in words
    assert '2.5<span class="of"> / 4</span>' in words


def test_a_priced_mistake_that_passes_every_check_is_refused_as_any(write_proven_course):
    title = '"the factor is forgotten altogether"'
    right = ("return x.sum()", "return 2 * x.sum()")
    course = write_proven_course((title, f"{title}, costs=1.5"), right)
    with pytest.raises(AuditRefused, match="the mistake 'the factor is forgotten altogether' pass"):
        audit_only(course, "small", lambda _: None)


def test_what_a_mistake_passes_beside_typical_inputs_earns_nothing():
    found = report(of=(matches_drawn,))
    failed, cases = found.fails["matches_drawn"]
    assert 0 < failed < cases
    assert found.left == 0
