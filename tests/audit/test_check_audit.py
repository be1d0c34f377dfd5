"""The audit of one check: planted faults are found and named."""

import time
from types import FunctionType

import numpy as np
import pytest

from autograder import assert_close, assert_that
from autograder.artefacts.compiled import Oracle
from autograder.artefacts.results import Verdict
from autograder.audit.checking import trial
from autograder.audit.checking.calibration import standard_in
from autograder.audit.checking.check_audit import audit_check
from autograder.audit.checking.variants import run_perturbed
from autograder.authoring.bank import Bank, Variant
from autograder.authoring.checks import Case, case, check
from autograder.errors import HarnessError
from autograder.grading.cases import drawn_under
from autograder.grading.twice import TWO_ANSWERS, gives_two_answers


def mean(x):
    return x.sum() / x.shape[0]


def anew(body):
    """Return a function anew, as cases are noted at it."""
    return FunctionType(body.__code__, body.__globals__, body.__name__, None, body.__closure__)


def make(body, *cases, mistakes=(), alternatives=(), before=0.0, **options):
    """Return the audit of a check of `mean`."""
    body = anew(body)
    for one in reversed(cases or (case("five", n=5), case("nine", n=9, hidden=True))):
        body = one(body)
    checked = check("mean", points=2, **options)(body)
    kept = (mistakes, alternatives)
    bank = Bank(*(tuple(Variant(t, {"mean": one}, t) for t, one in pairs) for pairs in kept))
    names = {"mean": mean, "np": np}
    oracle = Oracle("planted", names, {checked.name: checked}, banks={"mean": bank})
    return audit_check(checked, ["mean"], {"mean"}, oracle, seconds=before)


def sound(student, reference, rng, n):
    """Compares means."""
    x = rng.normal(size=n)
    assert_close(student.mean(x), reference.mean(x), what="mean")


def test_a_sound_check_has_no_findings_and_bands_far_apart():
    found = make(
        sound,
        mistakes=[("the sum", np.sum)],
        alternatives=[("numpy's own", np.mean)],
    )
    assert found.findings == []
    assert (list(found.rejects), found.passing, found.accepts) == (["the sum"], {}, 1)
    assert found.null_models >= 12
    assert 0 < found.gaps.double.right < 1e-6
    assert 0 < found.gaps.single.right < 1e-5
    assert found.gaps.double.wrong > 1e5
    assert found.gaps.single.wrong > 0.01
    assert found.nearest is not None


def test_each_precision_that_is_wanted_has_a_gap_of_its_own():
    def both(student, reference, rng, dtype):
        """Compares means."""
        x = rng.normal(size=5).astype(dtype)
        assert_close(student.mean(x), reference.mean(x), what="mean")

    off = [("a little off", lambda x: np.mean(x) * x.dtype.type(1 + 1e-3))]
    cases = case("double", dtype="float64"), case("single", dtype="float32", hidden=True)
    gaps = make(both, *cases, mistakes=off).gaps
    assert gaps.double.right < 1e-6 < 1e-3 < gaps.coarse.right < 1
    assert 9e-4 < gaps.single.widest < 1.1e-3
    assert standard_in(gaps, True, strict=False).single < 1e-6
    assert standard_in(gaps, True, strict=True).single == 0.0


@pytest.mark.parametrize(("dtypes", "runs"), [(["float64"], 8), (["float64", "float32"], 14)])
def test_what_a_perturbation_does_not_change_is_not_run(dtypes, runs, monkeypatch):
    def of(student, reference, rng, dtype):
        """Compares means."""
        x = rng.normal(size=5).astype(dtype)
        assert_close(student.mean(x), reference.mean(x), what="mean")

    moves = []

    def counting(check, session, oracle, seed):
        moves.append(seed)
        return run_perturbed(check, session, oracle, seed)

    monkeypatch.setattr(trial, "run_perturbed", counting)
    assert make(of, *(case(dtype, dtype=dtype) for dtype in dtypes)).findings == []
    assert len(moves) == runs


def test_an_alternative_in_single_precision_needs_the_room_for_it():
    def in_single(x):
        return np.float32(np.sum(x[::-1].astype("float32")) / len(x))

    found = make(sound, alternatives=[("in single precision", in_single)])
    assert found.findings == []
    assert 0 < max(share for share, _ in found.needing) < 1e-5
    near = make(sound, alternatives=[("nearly right", lambda x: np.mean(x) + 1e-3)])
    assert max(share for share, _ in near.needing) > 1e-4
    assert "the alternative 'nearly right' does not pass" in near.needing[0][1]


def test_zeros_have_room_for_single_precision_as_a_number():
    def balanced(student, reference, rng, n):
        """Compares zeros."""
        x = rng.normal(size=n)
        assert_close(student.mean(x) - reference.mean(x), 0.0, what="difference")

    gaps = make(balanced, mistakes=[("a little off", lambda x: np.mean(x) + 1e-3)]).gaps
    assert 0 < gaps.zero.right < 1e-6
    assert 9e-4 < gaps.zero.widest < 1.1e-3
    assert 0 < standard_in(gaps, True, strict=False).single_at_zero < 1e-5


def test_a_tolerance_too_tight_is_named():
    def tight(student, reference, rng, n):
        """Compares means."""
        x = rng.normal(size=n)
        assert_close(student.mean(x), reference.mean(x), rtol=1e-17, atol=0, what="mean")

    found = make(tight)
    assert "check tight: the tolerance of 'mean' (rtol=1e-17, atol=0) is too tight" in "".join(
        found.findings
    )


def test_a_tolerance_too_loose_is_told_with_how_near_the_mistake_is_that_it_lets_through():
    def loose(student, reference, rng, n):
        """Compares means."""
        x = rng.normal(size=n)
        assert_close(student.mean(x), reference.mean(x), atol=100.0, what="mean")

    found = make(loose, mistakes=[("the sum", np.sum)])
    assert not found.rejects
    assert 0 < found.passing["the sum"] < 1
    assert any("the null model 'zeros' passes every case" in f for f in found.findings)


def test_a_check_on_one_example_lets_a_missing_mean_pass():
    found = make(sound, case("one", n=1), mistakes=[("the sum", np.sum)])
    assert (found.findings, found.rejects) == ([], {})
    assert found.passing["the sum"] < 1


def test_a_check_that_ignores_its_argument_is_named():
    def deaf(student, reference, rng, n):
        """Compares means."""
        x = rng.normal(size=4)
        assert_close(student.mean(x), reference.mean(x))

    assert make(deaf).findings == [
        "check deaf: it ignores its argument 'n', so that no case tests it"
    ]


def test_a_check_that_does_not_look_is_passed_by_null_models():
    def blind(student, reference, rng, n):
        """Calls and does not compare."""
        student.mean(rng.normal(size=n))

    findings = make(blind).findings
    assert "check blind: the null model 'zeros' passes every case; it answers a float64" in findings
    assert "check blind: the null model 'None' passes every case" in findings


def test_a_case_that_a_null_model_passes_is_told():
    found = make(sound, case("of zeros", n=3), case("of ones", n=4, hidden=True))
    assert found.free == {}

    def partly(student, reference, rng, scale):
        """Compares means."""
        x = scale * rng.normal(size=4)
        assert_close(student.mean(x), reference.mean(x))

    found = make(partly, case("nothing", scale=0.0), case("something", scale=1.0, hidden=True))
    assert found.findings == []
    assert found.free["zeros"] == ["nothing"]


def test_a_flaky_check_is_refused():
    calls = []  # none in single precision: by the check's own tolerance there is no room for it

    def moody(student, reference, rng, n):
        """Changes its mind."""
        got = student.mean(rng.normal(size=n))
        calls.extend([n] * int(got == 40.0))
        assert_close(got, 0.0, atol=1 if 0 < len(calls) <= 2 else 100)

    findings = make(moody, alternatives=[("a lot", lambda x: 40.0)]).findings
    assert any("is flaky on the alternative 'a lot'" in finding for finding in findings)


def test_a_mistake_may_fail_by_another_number_each_time():
    calls = []

    def counts(x):
        calls.append(x)
        return 1e3 * len(calls)

    assert make(sound, mistakes=[("remembers", counts)]).findings == []


def test_a_reference_that_fails_for_some_inputs_is_told_with_how_often():
    def lucky(student, reference, rng, n):
        """Hopes."""
        x = rng.normal(size=n)
        assert_that(student.mean(x) > -0.1, "below")

    findings = make(lucky, case("five", n=5)).findings
    assert any("the reference does not pass case 'five' under" in finding for finding in findings)


def test_a_name_that_is_put_together_as_the_check_runs_is_asked_for_too():
    @check("mean", points=1)
    @case("by name", name="me", hidden=True)
    def by_name(student, reference, rng, name):
        """Calls."""
        assert_close(student[f"{name}an"](np.arange(3.0)), 1.0)

    oracle = Oracle("planted", {"mean": mean}, {"by_name": by_name})
    found = audit_check(by_name, [], {"mean"}, oracle)
    assert found.null_models > 8
    assert any("the null model 'ones' passes every case" in f for f in found.findings)


def test_a_check_that_needs_a_gpu_is_not_tried():
    found = make(sound, device="cuda")
    assert found.notes == ["needs a GPU: nothing was tried on this machine"]
    assert found.null_models == 0


def test_a_check_without_points_may_be_passed_by_anybody():
    def blind(student, reference, rng):
        """Calls."""
        student.mean(np.ones(2))

    checked = check("mean", points=0)(case("one")(blind))
    oracle = Oracle("planted", {"mean": mean}, {"blind": checked})
    assert audit_check(checked, ["mean"], {"mean"}, oracle).findings == []


def test_a_long_check_with_its_own_limit_on_time_is_tried_less_often(monkeypatch):
    def counted(**options):
        calls = []

        def noted(x):
            calls.append(1)
            return np.mean(x)

        make(sound, alternatives=[("counted", noted)], **options)
        return len(calls)

    # Two cases under three secrets and again, and in three ways in single precision.
    assert (counted(), counted(seconds=5)) == (8 + 6, 8 + 6)
    monkeypatch.setattr(trial, "LONG", -1.0)  # a clock may stand still
    monkeypatch.setattr("autograder.audit.checking.single_precision.SECONDS", -1.0)
    assert (counted(), counted(seconds=5)) == (4, 4)


def test_of_a_check_that_takes_long_few_inputs_are_drawn(monkeypatch):
    def counted(**options):
        drawn = []

        def noted(student, reference, rng, n):
            """Compares means."""
            drawn.append(n)
            sound(student, reference, rng, n)

        monkeypatch.setattr(trial.CheckTrial, "right_answers", lambda *_: None)
        monkeypatch.setattr(trial.CheckTrial, "null_models", lambda *_: None)
        make(noted, case("five", n=5), **options)
        return len(drawn)

    asked = 1  # once more, for what it asks for
    assert counted() == counted(seconds=5) == len(trial.SEEDS + trial.SAMPLES) + asked
    monkeypatch.setattr(trial, "LONG", -1.0)
    assert (counted(), counted(seconds=5)) == (trial.FEW + asked, trial.FEWEST + asked)


def test_a_draw_that_became_a_case_is_tried_as_a_case_only():
    @check("mean", points=1)
    @case("five", n=5)
    def noted(student, reference, rng, n):
        """Compares means."""
        drawn.append(n)
        sound(student, reference, rng, n)

    def count(*draws):
        drawn.clear()
        audit_check(noted, [], set(), oracle, draws=draws)
        return len(drawn)

    drawn = []
    oracle = Oracle("planted", {"mean": mean}, {"noted": noted})
    alone = count()
    assert count(noted.cases[0]) == alone
    assert count(Case("seven", {"n": 7})) == alone + 1


def test_a_null_model_that_passes_something_is_tried_again():
    passed = iter([True, False])

    def fickle(student, reference, rng, n):
        """Passes what has one number, the first time."""
        x = rng.normal(size=n)
        value = np.asarray(student.mean(x))
        if value.ndim == 0 and value == 0 and n == 5:
            assert_that(next(passed, False), "not this time")
        else:
            assert_close(value, reference.mean(x))

    found = make(fickle)
    assert any("is flaky on the null model 'zeros'" in text for text in found.findings)


def test_a_case_that_breaks_on_a_mistake_is_a_finding_and_does_not_reject_it():
    def breaks(student, reference, rng, n):
        """Compares means, and breaks on large ones."""
        x = rng.normal(size=n)
        got = student.mean(x)
        if got == 99.0:
            raise HarnessError("too much")
        assert_close(got, reference.mean(x), what="mean")

    found = make(breaks, mistakes=[("ninety-nine", lambda x: 99.0)])
    assert found.rejects == {}
    assert "check breaks: case 'five' breaks on 'ninety-nine': too much" in found.findings


def test_a_reference_that_draws_a_little_is_found_by_an_alternative():
    def noisy(x):
        return x.mean() + 1e-9 * np.random.default_rng().normal()

    body = check("mean", points=2)(case("five", n=5)(sound))
    bank = Bank((), (Variant("numpy's own", {"mean": np.mean}, "numpy's own"),))
    oracle = Oracle("planted", {"mean": noisy, "np": np}, {"sound": body}, banks={"mean": bank})
    found = audit_check(body, ["mean"], {"mean"}, oracle)
    assert f"check sound: case 'five': {TWO_ANSWERS}" in found.findings
    assert not any("flaky on the alternative" in text for text in found.findings)


def drawing(x):
    return x.mean() + 1e-3 * np.random.default_rng().normal()


def from_the_process_s_generator(x):
    return x.mean() + 1e-3 * np.random.normal()


def counting(x, calls=[]):  # noqa: B006 - that is what is wrong
    calls.append(1)
    return x.mean() + 1e-3 * len(calls)


@pytest.mark.parametrize("wrong", [drawing, from_the_process_s_generator, counting])
def test_a_reference_that_gives_two_answers_for_one_input_is_told_so_and_nothing_else(wrong):
    cases = case("five", n=5, hidden=True)
    body = check("mean", points=2)(cases(anew(sound)))
    bank = Bank((Variant("the sum", {"mean": np.sum}, "the sum"),))
    oracle = Oracle("planted", {"mean": wrong, "np": np}, {"sound": body}, banks={"mean": bank})
    found = audit_check(body, ["mean"], {"mean"}, oracle)
    assert found.findings == [f"check sound: case 'five': {TWO_ANSWERS}"]
    assert not found.reference_passes
    draw = drawn_under(b"", "planted")
    assert not gives_two_answers(oracle_of(mean), body, body.cases[0], draw)


def oracle_of(function):
    return Oracle("planted", {"mean": function, "np": np}, {})


def test_a_reference_that_is_wrong_twice_alike_gives_one_answer():
    def wrong(student, reference, rng, n):
        """Compares with something else."""
        assert_close(student.mean(rng.normal(size=n)), 3.0, what="mean")

    (finding,) = make(wrong, case("five", n=5, hidden=True)).findings
    assert finding.startswith("check wrong: the reference does not pass case 'five': mean: ")


def busy(seconds):
    """Return a right mean that takes so long of the processor."""

    def slow(x):
        until = time.process_time() + seconds
        while time.process_time() < until:
            pass
        return np.mean(x)

    return slow


def test_an_answer_that_takes_longer_than_the_check_allows_is_rejected_as_at_grading():
    slow = ("a loop over all pairs", busy(0.2))
    assert list(make(sound, mistakes=[slow]).rejects) == []
    found = make(sound, mistakes=[slow], seconds=0.1)
    assert {one.verdict for one in found.rejects["a loop over all pairs"]} == {Verdict.TIMED_OUT}
    refused = make(sound, alternatives=[slow], seconds=0.1)
    assert any("'a loop over all pairs' does not pass" in text for text in refused.findings)
    assert any("ran for more than 0.1 s" in text for text in refused.findings)


def test_a_reference_that_takes_longer_than_its_own_check_allows_is_told():
    checked = check("mean", points=2, seconds=0.1)(case("five", n=5)(anew(sound)))
    oracle = Oracle("planted", {"mean": busy(0.2), "np": np}, {"sound": checked})
    findings = audit_check(checked, ["mean"], {"mean"}, oracle).findings
    said = "check sound: the reference does not pass case 'five': ran for more than 0.1 s"
    assert said in findings


def test_what_a_check_does_not_ask_for_is_not_tried_on_it_and_passes_as_the_reference_does():
    calls = []

    def noted(name):
        def call(x):
            calls.append(name)
            return np.mean(x)

        return call

    def by_its_name(notebook, x, name):
        return getattr(notebook, name)(x)

    @check("mean", points=1)
    @case("got by its name")
    def of_one(student, reference, rng):
        """Compares the means."""
        x = rng.normal(size=5)
        assert_close(student.mean(x), reference.mean(x), what="mean")

    @check("mean", points=1)
    @case("by a helper that is told the name", name="mean")
    def of_one_by_a_helper(student, reference, rng, name):
        """Compares the means."""
        x = rng.normal(size=5)
        got, want = (one.apply(by_its_name, x, name) for one in (student, reference))
        assert_close(got, want, what="mean")

    mistakes = [Variant(f"a wrong {n}", {n: np.sum}, f"a wrong {n}") for n in ("mean", "other")]
    alternatives = [Variant(f"numpy's {n}", {n: noted(n)}, n) for n in ("mean", "other")]
    names = {"mean": mean, "other": mean, "np": np}
    for checked in (of_one, of_one_by_a_helper):
        calls.clear()
        oracle = Oracle("planted", names, {checked.name: checked})
        oracle.banks["mean"] = Bank(tuple(mistakes), tuple(alternatives))
        found = audit_check(checked, [], {"mean", "other"}, oracle)
        assert found.findings == []
        assert (list(found.rejects), found.passing) == (["a wrong mean"], {"a wrong other": 0.0})
        assert (found.accepts, found.passed, set(calls)) == (2, {"mean", "other"}, {"mean"})


@pytest.mark.parametrize(
    ("limit", "before", "is_long"), [(9.0, 1.0, True), (9.0, 0.1, False), (None, 1.0, False)]
)
def test_a_check_that_took_long_before_is_long_though_it_is_replayed_now(limit, before, is_long):
    """Its author has given it a limit, and what the reference answered then takes no time now."""
    assert make(sound, seconds=limit, before=before).is_long is is_long
