"""No case is run behind the one that decides, and nothing again that no tolerance can change."""

from types import SimpleNamespace

import pytest

from autograder import assert_close, assert_that
from autograder.artefacts.compiled import Oracle
from autograder.artefacts.results import Verdict
from autograder.audit.checking import with_standard
from autograder.audit.checking.deciding import comes_out_so
from autograder.audit.checking.tried import CheckAudit
from autograder.audit.checking.variants import SEEDS, run_variant
from autograder.audit.checking.with_standard import complaints
from autograder.authoring.bank import Bank, Variant
from autograder.authoring.checks import case, check
from autograder.authoring.standard import Standard


@check("double", points=1, given=["helped"])
@case("one", x=1.0)
@case("two", x=2.0)
@case("three", x=3.0, hidden=True)
def double_matches(student, reference, rng, x):
    """Doubles."""
    got, want = student.double(x), reference.double(x)
    assert_that(got is not None, "no number")
    assert_close(got, want)


def oracle(**variants):
    names = {"double": lambda x: 2 * x, "helped": lambda x: x}
    mistakes = tuple(Variant(title, {"double": one}, title) for title, one in variants.items())
    banks = {"double": Bank(mistakes, mistakes)}
    return Oracle("deciding", names, {"double_matches": double_matches}, banks=banks)


def fails(result):
    return result.verdict is not Verdict.PASSED


def test_no_case_is_run_behind_the_one_that_decides():
    asked = []

    def double(x):
        asked.append(x)
        return 2 * x if x < 2 else 0.0

    values = {"double": double}
    assert comes_out_so(fails, double_matches, values, oracle(), SEEDS[:2])
    assert asked == [1.0, 2.0, 2.0]


def test_a_case_decides_if_it_comes_out_so_under_each_seed():
    asked = []

    def once(x):
        asked.append(x)
        return 2 * x if len(asked) % 2 else 0.0

    assert not comes_out_so(fails, double_matches, {"double": once}, oracle(), SEEDS[:2])
    assert comes_out_so(fails, double_matches, {"double": once}, oracle(), SEEDS[:1])


def test_what_is_given_may_let_a_case_pass_that_failed():
    def helped(x):
        return x + 1

    def asking(notebook, x):
        return notebook.helped(x)

    @check("double", points=1, given=["helped"])
    @case("one", x=1.0)
    def asks_for_help(student, reference, rng, x):
        """Asks."""
        assert_close(student.apply(asking, x), reference.apply(asking, x))

    assert not comes_out_so(fails, asks_for_help, {"helped": helped}, oracle(), SEEDS[:1])


@pytest.mark.parametrize(
    ("answer", "standard", "runs"),
    [
        (lambda x: None, Standard(2.0, 2.0), 1),  # as an alternative only
        (lambda x: 2.5 * x, Standard(2.0, 2.0), 2),
        (lambda x: 2 * x, Standard(2.0, 2.0), 1),  # as a mistake only
        (lambda x: 2 * x, Standard(0.5, 1.0), 2),
    ],
)
def test_what_no_tolerance_can_change_is_not_run_again(answer, standard, runs, monkeypatch):
    known = oracle(answer=answer)
    results = run_variant(double_matches, {"double": answer}, known, SEEDS[0])
    audit = CheckAudit("double_matches", rejects={"answer": results})
    if not any(map(fails, results)):
        audit.passed.add("answer")
    ran = []
    monkeypatch.setattr(with_standard, "comes_out_so", lambda *args: ran.append(args) or True)
    monkeypatch.setattr(with_standard, "run_variant", lambda *args, **_: ran.append(args) or [])
    proven = SimpleNamespace(standard=standard, rejects=("answer",))
    assert list(complaints(double_matches, proven, known, audit)) == []
    assert len(ran) == runs
