"""Speed: our clock, new arguments for every call, values compared, and load costs nobody points."""

import time
from contextlib import contextmanager

import numpy as np
import pytest

from autograder.artefacts.results import Verdict
from autograder.authoring import timing
from autograder.authoring.checks import case, check
from autograder.authoring.kinds import Kind, Noted, noting_kinds
from autograder.authoring.placement import DeviceProxy
from autograder.authoring.subject import Proxy, RemoteId, Subject
from autograder.authoring.timing import FEWEST, MOST, assert_fast
from autograder.errors import CheckFailure, HarnessError, NotMeasured, Unanswered
from autograder.grading.cases import run_case
from autograder.sandbox.protocol.messages import InProcessSession


def work(seconds):
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def double(x):
    work(0.004)
    return 2 * x


def slow(x):
    work(0.06)
    return 2 * x


class Counting:
    """Arguments of a check, and how often they were drawn."""

    def __init__(self):
        self.rng, self.count = np.random.default_rng(0), 0

    def __call__(self):
        self.count += 1
        return [self.rng.normal(size=3)]


class Elsewhere(InProcessSession):
    """A session that says that it is another process, and so is timed by the clock on the wall."""

    def processes(self):
        return (1,)


class Recorded(InProcessSession):
    def processes(self):
        return None


def run(student, reference=double, within=5.0, session=Elsewhere, draw=None):
    draw = draw or Counting()
    got = Subject(session({"f": student})).f
    assert_fast(got, Subject(InProcessSession({"f": reference})).f, draw, within=within)
    return draw.count


@pytest.mark.parametrize("session", [Elsewhere, InProcessSession])
def test_what_is_as_fast_as_the_reference_passes_after_a_few_calls(session):
    assert FEWEST <= run(double, session=session) <= MOST


@pytest.mark.parametrize("session", [Elsewhere, InProcessSession])
def test_what_is_too_slow_fails_and_says_by_how_much(session):
    with pytest.raises(CheckFailure, match=r"takes [\d.]+ ms, which is [\d.]+ times as long"):
        run(slow, session=session, within=2.0)


def test_what_is_hopeless_is_not_called_again_and_again():
    draw = Counting()
    with pytest.raises(CheckFailure, match="at most 2 times is fast enough"):
        run(lambda x: work(0.3) or 2 * x, within=2.0, draw=draw)
    assert draw.count < FEWEST


def test_every_value_that_was_timed_is_compared():
    calls = []

    def guessing(x):
        calls.append(x)
        return 2 * x if len(calls) % 3 else 0 * x

    with pytest.raises(CheckFailure, match="value: 3 of 3 values differ"):
        run(guessing)


def test_what_is_wrong_is_not_timed_on():
    draw = Counting()
    with pytest.raises(CheckFailure, match="value: 3 of 3 values differ"):
        run(lambda x: 0 * x, draw=draw)
    assert draw.count == 1


def test_an_answer_that_was_kept_is_of_no_use():
    kept = []

    def caching(x):
        kept.append(2 * x)
        return kept[0]

    with pytest.raises(CheckFailure, match="value: 3 of 3 values differ"):
        run(caching)


def test_a_value_that_tells_a_time_of_its_own_is_no_value():
    with pytest.raises(CheckFailure, match="expected numbers"):
        run(lambda x: {"value": 2 * x, "seconds": 0.0})


def pairs(student, busy, waited):
    return [timing._Pair(1, 1, s, b, w) for s, b, w in zip(student, busy, waited, strict=True)]


def test_a_busy_machine_slows_some_calls_and_the_shortest_counts():
    timing._judge(pairs([0.9, 0.03, 0.8], [0.01, 0.01, 0.02], [0.2, 0.01, 0.3]), 5)


def test_a_reference_that_was_kept_waiting_decides_nothing():
    """Whoever keeps the machine busy makes the reference slow on the wall: that is no pass."""
    with pytest.raises(HarnessError, match="too busy to time anything: the reference had to wait"):
        timing._judge(pairs([0.1] * 3, [0.01] * 3, [0.05] * 3), 5)
    with pytest.raises(CheckFailure):
        timing._judge(pairs([0.3] * 3, [0.01] * 3, [0.05] * 3), 5)


def test_what_is_too_short_to_be_timed_is_fast_enough():
    timing._judge(pairs([0.004], [0.0001], [0.0001]), 5)


def test_a_recording_compares_one_value_and_measures_nothing():
    draw = Counting()
    with pytest.raises(NotMeasured, match="the values are right; how long it takes is measured at"):
        run(slow, session=Recorded, draw=draw)
    assert draw.count == 1
    with pytest.raises(CheckFailure):
        run(lambda x: x, session=Recorded)


def test_what_is_not_measured_is_pending():
    @check("f", points=1)
    @case("one")
    def waits(student, reference, rng):
        """Waits."""
        assert_fast(student.f, reference.f, lambda: [rng.normal(size=2)], within=5)

    names = {"f": double}
    result = run_case(
        waits, waits.cases[0], Recorded(names), InProcessSession(names), np.random.default_rng
    )
    assert result.verdict is Verdict.PENDING
    assert result.message == "the values are right; how long it takes is measured at grading"


@pytest.mark.parametrize(
    ("draw", "said"),
    [
        (lambda: [np.ones(3)], "new arguments each time"),
        (lambda: np.ones(3), "must return a list of arguments, got an array"),
    ],
)
def test_a_slip_of_the_author_is_not_the_student_s(draw, said):
    with pytest.raises(ValueError, match=said):
        run(double, draw=draw)
    with pytest.raises(ValueError, match="within must be 2 or more, got nan"):
        run(double, within=float("nan"))


@pytest.mark.parametrize("value", [3, None, "f", [double]])
def test_what_is_no_function(value):
    with pytest.raises(CheckFailure, match="expected a function"):
        run(value)
    with pytest.raises(Unanswered):
        assert_fast(Proxy(None, RemoteId(0, "ellipsis"), "f"), None, Counting(), within=5)


def test_the_audit_hears_of_it():
    with noting_kinds() as found:
        run(double, within=4)
    assert found == [Noted(Kind.SPEED, (4.0,))]


NOBODY = (1 << 22) + 1  # no process can have this number: it is beyond the highest


class Far(InProcessSession):
    def processes(self):
        return (NOBODY,)


def on_a_gpu(function, session=Far):
    """Return a function as one on a GPU: here the clock and the judgement are, and no device."""
    return DeviceProxy(Subject(session({"f": function})).f, "cuda", "f")


def run_on_a_gpu(student, within=5.0, draw=None):
    draw = draw or Counting()
    reference = on_a_gpu(lambda x: time.sleep(0.004) or 2 * x, InProcessSession)
    assert_fast(on_a_gpu(student), reference, draw, within=within)
    return draw.count


def test_on_a_gpu_the_wall_tells_the_time_of_both():
    """A device's work is no processor's: what sleeps takes time."""
    assert FEWEST <= run_on_a_gpu(lambda x: time.sleep(0.004) or 2 * x) <= MOST
    with pytest.raises(CheckFailure, match=r"times as long as the reference"):
        run_on_a_gpu(lambda x: time.sleep(0.5) or 2 * x, within=2.0)
    with pytest.raises(CheckFailure, match="value: 3 of 3 values differ"):
        run_on_a_gpu(lambda x: x)


def test_on_a_gpu_a_reference_whose_times_differ_decides_nothing():
    with pytest.raises(HarnessError, match="too busy to time anything"):
        timing._judge(pairs([0.1] * 3, [0.01, 0.05, 0.06], [0.01, 0.05, 0.06]), 5, on_gpu=True)
    with pytest.raises(CheckFailure):
        timing._judge(pairs([0.1] * 3, [0.01, 0.011, 0.6], [0.01, 0.011, 0.6]), 5, on_gpu=True)


def test_the_session_is_held_while_the_reference_is_timed_on_a_gpu(monkeypatch):
    told = []

    @contextmanager
    def holding(processes):
        told.append(processes)
        yield
        told.append("go on")

    monkeypatch.setattr(timing, "held", holding)
    run(double)
    assert told == []
    count = run_on_a_gpu(lambda x: 2 * x)
    assert told == [(NOBODY,), "go on"] * count


def test_one_function_on_a_gpu_and_the_other_elsewhere_are_no_pair():
    with pytest.raises(ValueError, match="both functions must be on one device"):
        assert_fast(
            on_a_gpu(double), Subject(InProcessSession({"f": double})).f, Counting(), within=5
        )
