"""Right answers in single precision are measured in each way in which people hand them back."""

from dataclasses import replace

import numpy as np
import pytest

from autograder import assert_close
from autograder.artefacts.compiled import Oracle
from autograder.artefacts.gaps import Bands, Gaps, SingleBand, figures_of
from autograder.artefacts.proof import CheckProof, Proof
from autograder.artefacts.results import Verdict
from autograder.audit.checking import single_precision
from autograder.audit.checking.calibration import standard_in
from autograder.audit.checking.check_audit import audit_check
from autograder.audit.checking.single_precision import measure_single
from autograder.audit.checking.variants import run_perturbed, run_variant
from autograder.audit.reporting import _calibration_notes
from autograder.authoring.bank import Bank, Variant
from autograder.authoring.checks import case, check
from autograder.sandbox.protocol.messages import InProcessSession


def total(x):
    return np.asarray(x.sum())


def one_by_one(x):
    """Sums in single precision are worse so."""
    s = x.dtype.type(0)
    for number in x:
        s = s + number
    return np.asarray(s, dtype=x.dtype)


def unstable(x):
    far = x.dtype.type(2.0**20)
    return np.asarray((x + far).sum() - far * len(x))


@check("total", points=1)
@case("many numbers", n=5000, hidden=True)
def total_matches(student, reference, rng, n):
    """The sum."""
    x = rng.uniform(size=n)
    assert_close(student.total(x), reference.total(x), what="sum")


def measured(*alternatives, function=total, **options):
    return measure_single(total_matches, oracle(*alternatives, function=function), **options)


def oracle(*alternatives, function=total, mistakes=()):
    kept = tuple(Variant(one.__name__, {"total": one}, one.__name__) for one in alternatives)
    names = {"total": function, "np": np}
    banks = {"total": Bank(mistakes, kept)}
    return Oracle("sums", names, {"total_matches": total_matches}, banks=banks)


OPTIONS = {"is_long": False, "tell": lambda: None}


def test_alternatives_are_measured_as_the_reference_is():
    alone, both = measured(**OPTIONS), measured(one_by_one, **OPTIONS)
    assert alone.share.right == both.share.right <= 6e-8
    assert alone.share.alternatives == 0.0
    assert 1e-7 < both.share.alternatives < 1e-4
    assert both.notes == []


def test_there_is_no_time_for_more_than_the_reference_where_that_takes_all(monkeypatch):
    monkeypatch.setattr(single_precision, "SECONDS", 0.0)
    assert measured(one_by_one, **OPTIONS).share == measured(**OPTIONS).share


def test_what_is_further_off_than_rounding_may_be_is_said_and_makes_no_room():
    found = measured(unstable, **OPTIONS)
    assert found.share == measured(**OPTIONS).share
    assert len(found.notes) == 2
    assert found.notes[0].startswith("the alternative 'unstable', single precision, is off by ")
    assert found.notes[1].startswith("the alternative 'unstable', single precision, handed back")


@pytest.mark.parametrize("move", ["single precision, handed back in it", "double precision, han"])
def test_each_way_to_hand_back_is_measured(monkeypatch, move):
    (only,) = [m for m in single_precision.single_precisions() if m.name.startswith(move)]
    monkeypatch.setattr(single_precision, "single_precisions", lambda: iter([only]))
    found = measured(function=one_by_one, **OPTIONS).share.right
    assert found == 0.0 if move.startswith("double") else found > 1e-7


@pytest.mark.parametrize(
    ("tolerance", "plain", "ways"),
    [({}, False, 3), ({"rtol": 1e-3, "atol": 0.0}, False, 0), ({"rtol": 1e-3}, True, 3)],
)
def test_other_ways_are_measured_where_there_may_be_room(tolerance, plain, ways):
    """By a check's own tolerances there is none, unless the reference is compared otherwise."""
    asked, others = [], []

    def counted(x):
        asked.append(1)
        return total(x)

    def other(x):
        others.append(1)
        return total(x)

    @check("total", points=1)
    @case("some numbers")
    def total_is_near(student, reference, rng):
        x = rng.uniform(size=5)
        assert_close(student.total(x), reference.total(x), **tolerance)

    seen = (
        [one for _, some in run_perturbed_plainly(total_matches) for one in some] if plain else ()
    )
    known = oracle(counted, other)
    measure_single(total_is_near, known, **OPTIONS, plain=seen)
    assert (len(asked), len(others)) == (ways, ways)


def run_perturbed_plainly(one):
    names = oracle()
    return run_perturbed(one, InProcessSession(names.namespace), names, b"audit 1")


def one_by_one_in_single(x):
    return np.float64(one_by_one(x.astype("float32")))


def test_a_right_answer_in_single_precision_passes_though_a_mistake_is_near_in_a_case():
    """In the other case it is far off, so that it fails all the same."""

    def near(x):
        return total(x) * ((1 + 2.5e-7) if len(x) > 10 else 2)

    @check("total", points=2)
    @case("many", n=5000)
    @case("few", n=5)
    def both(student, reference, rng, n):
        """The sum."""
        x = rng.uniform(size=n)
        assert_close(student.total(x), reference.total(x), what="sum")

    known = oracle(one_by_one, mistakes=(Variant("near", {"total": near}, "near"),))
    found = audit_check(both, ["total"], {"total"}, known)
    assert found.gaps.single.widest < found.gaps.single.alternatives
    drawn = standard_in(found.gaps, found.by_default, strict=False)

    def passed(total, standard=drawn):
        results = run_variant(both, {"total": total}, known, b"audit 1", standard=standard)
        return [one.verdict is Verdict.PASSED for one in results]

    assert passed(one_by_one_in_single) == [True, True]
    assert passed(near) == [True, False]
    assert passed(one_by_one_in_single, standard_in(found.gaps, True, strict=True))[0] is False


@pytest.mark.parametrize(
    ("band", "precision", "told"),
    [
        (SingleBand(1e-7), "any", False),
        (SingleBand(1e-7, alternatives=2e-6, wrong=4e-6), "any", True),
        (SingleBand(1e-7, wrong=1e-7), "any", True),
        (SingleBand(9e-5), "any", True),
        (SingleBand(9e-5), "strict", False),
    ],
)
def test_an_author_reads_where_single_precision_has_little_room(band, precision, told):
    gaps = Gaps(Bands(0.01), Bands(0.01), band)
    standard = standard_in(gaps, True, strict=precision == "strict")
    own = CheckProof("key", gaps=figures_of(gaps), by_default=True).holding_to(standard)
    checked = replace(total_matches, precision=precision)
    notes = list(_calibration_notes(checked, Proof({"total_matches": own})))
    assert any("a right answer in single precision is off by" in note for note in notes) is told
