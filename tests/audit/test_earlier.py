"""A mistake that was run on some inputs is not run on them again, and counts as if it were."""

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from autograder.artefacts.compiled import Oracle
from autograder.artefacts.proof import Proof
from autograder.artefacts.results import CaseResult, Verdict
from autograder.audit.checking.certainty import hold_mistakes
from autograder.audit.checking.check_audit import audit_check
from autograder.audit.checking.earlier import Earlier
from autograder.audit.checking.tried import CheckAudit
from autograder.audit.checking.variants import SEEDS, Ran, run_variant
from autograder.audit.draws import draws_for_mistakes
from autograder.authoring.assertions import assert_close
from autograder.authoring.bank import Bank, Variant
from autograder.authoring.checks import case, check

RAN = Counter[str]()


def total(x: Any) -> Any:
    RAN["total"] += 1
    return np.sum(x)


def nearly(x: Any) -> Any:
    RAN["nearly"] += 1
    return np.mean(x) * (1 + 2e-6)


MISTAKES = (
    Variant("the sum", {"mean": total}, "the sum"),
    Variant("off by a little", {"mean": nearly}, "off by a little"),
)


@check("mean", points=1)
@case("one number", n=1)
@case("three numbers", n=3)
@case("five numbers", n=5, hidden=True)
def means(student, reference, rng, n):
    """Compares means."""
    x = rng.normal(size=n)
    assert_close(student.mean(x), reference.mean(x), what="mean")


def tried(
    earlier: Earlier | None, monkeypatch: pytest.MonkeyPatch
) -> tuple[CheckAudit, dict[str, int]]:
    """Return what is found of the mistakes, and how often each is called; all in this process."""
    RAN.clear()
    here = lambda work, count, _: ((i, work(i, lambda *_: None)) for i in range(count))  # noqa: E731
    for module in ("autograder.audit.draws", "autograder.audit.checking.certainty"):
        monkeypatch.setattr(f"{module}.in_forks", here)
    oracle = Oracle("planted", {"mean": np.mean}, {"means": means}, {})
    oracle.banks["mean"] = Bank(MISTAKES)
    silent = lambda _: None  # noqa: E731
    assert draws_for_mistakes(oracle, {"means": means}, 1, silent, earlier=earlier) == {}
    found = audit_check(means, ["mean"], {"mean"}, oracle, earlier=earlier)
    hold_mistakes(oracle, {"means": found}, Proof(), 1, silent, earlier)
    return found, dict(RAN)


def without_seconds(audit: CheckAudit) -> CheckAudit:
    rejects = {
        label: [CaseResult(r.name, r.hidden, r.verdict, 0.0, r.margin) for r in results]
        for label, results in audit.rejects.items()
    }
    return replace(audit, rejects=rejects)


def test_what_is_known_of_mistakes_counts_as_if_they_were_run_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    anew, often = tried(None, monkeypatch)
    known, less_often = tried(Earlier(), monkeypatch)
    assert without_seconds(known) == without_seconds(anew)
    assert set(known.rejects) == {"the sum", "off by a little"}
    # The sum of one number is the mean: of two cases under the first seed and of one under the
    # others it is known what comes. The other mistake fails its first case, under three seeds.
    spared = {name: often[name] - less_often[name] for name in often}
    assert spared == {"total": 4, "nearly": 3}


def test_what_is_known_of_a_case_is_taken_with_what_it_fails_by() -> None:
    oracle = Oracle("planted", {"mean": np.mean}, {"means": means}, {})
    misses: list[Any] = []
    first = run_variant(means, {"mean": nearly}, oracle, SEEDS[0], misses)
    known = {r.name: Ran(r, miss) for r, miss in zip(first, misses, strict=True)}
    del known["three numbers"]
    RAN.clear()
    again: list[Any] = []
    second = run_variant(means, {"mean": nearly}, oracle, SEEDS[0], again, known=known)
    assert RAN["nearly"] == 1
    assert [r.name for r in second] == [r.name for r in first]
    assert [m.margin for m in again] == [m.margin for m in misses]


def test_what_earlier_runs_took_is_counted_where_they_are_taken() -> None:
    earlier = Earlier()
    result = CaseResult("one number", False, Verdict.PASSED, 0.0)
    earlier.keep("means", "the sum", SEEDS[0], Ran(result, seconds=100.0))
    before = earlier.clock()
    assert earlier.of(means.only(means.cases[1:]), "the sum", SEEDS[0]) == {}
    assert earlier.of(means, "the sum", SEEDS[1]) == {}
    assert earlier.clock() - before < 100.0
    assert list(earlier.of(means, "the sum", SEEDS[0])) == ["one number"]
    assert earlier.clock() - before >= 100.0
