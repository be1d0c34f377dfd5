"""A deadline rehearsed: what is known of queues holds for ours."""

import json
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from autograder.artefacts.bundle import read_bundle
from autograder.artefacts.results import now
from autograder.bench.deadline import HOUR, Curve, Waits, drawn, waiting_times, workers_for
from autograder.bench.rehearse import Measured, measure, rehearse
from autograder.course import Course
from autograder.engines.work import Graded
from autograder.errors import HarnessError, NotCompiled, UsageError
from autograder.grading.intake import read_submitted
from autograder.grading.scoring import broken, result_of
from tests.cli.conftest import run
from tests.each import require_each
from tests.small_course import compiled, small_proof

__all__ = ["compiled", "run", "small_proof"]

DAY = 24 * HOUR


def test_a_curve_has_its_submissions_its_last_day_and_its_last_hour():
    times = Curve(933, 20, 7, 0.4, 0.1).times(np.random.default_rng(0))
    assert len(times) == 18_660
    assert (np.diff(times) >= 0).all()
    assert times[0] >= -7 * DAY
    assert times[-1] <= 0
    assert 0.36 < np.mean(times >= -DAY) < 0.44
    assert 0.08 < np.mean(times >= -HOUR) < 0.13
    halves = [np.mean((times >= -HOUR * a) & (times < -HOUR * b)) for a, b in ((1, 0.5), (0.5, 0))]
    assert halves[1] > 1.5 * halves[0], "more and more"
    night = np.mean((times % DAY > 2 * HOUR) & (times % DAY < 7 * HOUR))
    assert night < 0.5 * 5 / 24


def test_a_curve_of_one_day_one_student_and_no_rush_is_one_too():
    def is_one(*numbers):
        curve = Curve(*numbers)
        times = curve.times(np.random.default_rng(1))
        assert len(times) == curve.submissions
        assert times.min() >= -curve.days * DAY
        assert times.max() <= 0

    cases = ((1, 1, 1, 0.4, 0.1), (5, 0.1, 7, 0, 0), (10, 20, 7, 1, 1), (3, 2, 1, 0, 0))
    require_each(cases, is_one)


def test_the_same_seed_is_the_same_class():
    one, other = (Curve().times(np.random.default_rng(7)) for _ in range(2))
    assert (one == other).all()


def test_what_is_no_curve_is_refused():
    def is_refused(words, **numbers):
        with pytest.raises(UsageError, match=words):
            Curve(**numbers)

    is_refused("--students must be above 0, got 0", students=0)
    is_refused("--each must be above 0, got nan", each=float("nan"))
    is_refused("shares from 0 to 1", last_day=0.1, last_hour=0.2)
    is_refused("shares from 0 to 1", last_day=1.5)


def test_who_comes_first_is_graded_first():
    times, services = np.array([0.0, 1.0, 2.0, 30.0]), np.array([10.0, 10.0, 10.0, 5.0])
    assert waiting_times(times, services, 1).tolist() == [10.0, 19.0, 28.0, 5.0]
    assert waiting_times(times, services, 2).tolist() == [10.0, 10.0, 18.0, 5.0]
    assert waiting_times(times, services, 4).tolist() == services.tolist()


def test_what_is_graded_again_has_all_workers_for_itself_when_nothing_else_waits():
    times, services = np.array([0.0, 0.0, 1.0, 4.0, 11.0]), np.array([2.0, 3.0, 3.0, 2.0, 1.0])
    again = np.array([5.0, 0.0, 0.0, 0.0, 0.0])
    # The first is starved until 2; the others end at 3, 5 and 6, and from then on it has all.
    waits = waiting_times(times, services, 2, again)
    assert waits.tolist() == [11.0, 3.0, 4.0, 2.0, 1.0]
    later = waiting_times(times - [0, 0, 0, 0, 1], services, 2, again)
    assert later.tolist() == [11.0, 3.0, 4.0, 2.0, 2.0], "what comes meanwhile waits"


def test_what_waits_long_to_be_graded_again_is_let_in_before_others():
    times = np.arange(1000.0)
    again = np.where(times == 0, 5.0, 0.0)
    waits = waiting_times(times, np.full(1000, 1.5), 1, again)
    assert 300 < waits[0] < 310, "after five minutes, though others always wait"
    assert waits[500] - waiting_times(times, np.full(1000, 1.5), 1)[500] == 5.0


def test_a_queue_at_random_waits_as_long_as_theory_has_it():
    """Arrivals and gradings at random, at 80 %: 1 / (mu - lambda) on average (M/M/1)."""
    rng = np.random.default_rng(3)
    times = np.cumsum(rng.exponential(1.0, 50_000))
    waits = waiting_times(times, rng.exponential(0.8, len(times)), 1)
    assert abs(waits.mean() - 4.0) < 0.3


def test_the_fewest_workers_are_found_or_that_none_are_enough():
    times, services = np.zeros(100), np.full(100, 10.0)
    assert workers_for(times, services, 101.0) == 10  # ten rounds of ten seconds
    assert workers_for(times, services, 10.5) == 95
    assert workers_for(times, services, 5.0) is None
    assert workers_for(times, services, 5.0, since=1.0) == 1  # nobody comes then


def test_of_nobody_nothing_waits():
    assert Waits.of(np.empty(0)) == Waits(0, 0.0, 0.0, 0.0)


def test_a_rehearsal_says_what_was_measured_and_what_it_takes():
    measured = Measured((1.0, 2.0, 30.0), 2, 20.0, (0.0,) * 3, 3)
    found = rehearse("hw1", Curve(), measured, 2, 300.0, 0)
    assert found.week.count == 18_660
    assert found.last_hour.most > 300
    assert found.needed > 2
    enough = rehearse("hw1", Curve(), measured, found.needed, 300.0, 0)
    assert enough.last_hour.most < 300
    assert rehearse("hw1", Curve(), measured, found.needed - 1, 300.0, 0).last_hour.most >= 300
    text = "\n".join(found.lines())
    assert f"p95 of the last hour is below 5 min with {found.needed} workers" in text
    assert (
        "2 s (median; on average 11 s, at most 30 s): measured on 3 gradings, 2 at a time" in text
    )
    assert "warning: 3 submissions were measured, and slow ones are rare" in text
    assert json.loads(json.dumps(found.as_json()))["measured"]["mean"] == 11.0
    starved = Measured((1.0, 2.0, 30.0), 2, 20.0, (0.0, 0.0, 20.0), 100)
    found = rehearse("hw1", Curve(), starved, 2, 300.0, 0)
    assert starved.warning is None
    assert "; 1 of them were starved, and graded again alone" in "\n".join(found.lines())
    assert found.week.most > rehearse("hw1", Curve(), measured, 2, 300.0, 0).week.most


def test_times_are_drawn_from_those_that_were_measured():
    found = drawn(((1.0, 0.0), (5.0, 2.0)), 1000, np.random.default_rng(0))
    pairs = zip(*(part.tolist() for part in found), strict=True)
    assert set(pairs) == {(1.0, 0.0), (5.0, 2.0)}


class Engine:
    """An engine that takes two seconds for each; what is starved it grades again in four."""

    def __init__(self, fault=None, starved=False):
        self._fault, self._starved = fault, starved

    @contextmanager
    def held(self, work):
        yield 2

    def __call__(self, work, jobs, workers):
        assert workers == 2
        bundle, fault = read_bundle(work.bundle), self._fault
        for job in jobs:
            submitted = read_submitted(job.path)
            data = submitted.data
            if fault:
                result = broken(bundle, job.student, data, fault, "cpu", now)
            else:
                result = result_of(bundle, job.student, data, (), (), "cpu", now)
            one = Graded(job.student, submitted, result, seconds=2.0)
            yield replace(one, seconds=4.0, former_seconds=2.0) if self._starved else one


def test_where_nobody_has_submitted_the_solution_is_measured(compiled):
    course = Course(compiled, "Small")
    found = measure(course, "small", Engine(), "cpu", 5, 0)
    assert (found.submissions, found.workers) == (0, 2)
    assert (found.seconds, found.again) == ((2.0,) * 5, (0.0,) * 5)
    assert "warning: the solution alone was measured, as nobody has submitted" in "\n".join(
        rehearse("small", Curve(), found, 2, 300.0, 0).lines()
    )


def test_both_gradings_of_what_was_starved_are_measured(compiled):
    found = measure(Course(compiled, "Small"), "small", Engine(starved=True), "cpu", 5, 0)
    assert (found.seconds, found.again) == ((2.0,) * 5, (4.0,) * 5)


def test_what_cannot_be_measured_is_said(compiled):
    course = Course(compiled, "Small")
    with pytest.raises(NotCompiled):
        measure(course, "other", Engine(), "cpu", 5, 0)
    with pytest.raises(HarnessError, match="none of 5 submissions of small could be graded"):
        measure(course, "small", Engine("it broke"), "cpu", 5, 0)


def test_the_command_measures_here_writes_nothing_and_prints_json(compiled, run):
    def files():
        return sorted(path for path in compiled.rglob("*") if "__pycache__" not in path.parts)

    before = files()
    done = run(compiled, "rehearse", "small", "--sample", "2", "--students", "9", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["workers"] == 1
    assert found["week"]["count"] == 180
    assert found["measured"]["gradings"] == 2
    assert 0 < found["measured"]["mean"] < 60
    assert files() == before
    done = run(compiled, "rehearse", "small", "--sample", "0")
    assert (done.returncode, "--sample must be above 0" in done.stderr) == (2, True)
