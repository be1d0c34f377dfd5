"""The engine of a grader that stays up, with slots that say what a test wants."""

import threading

import pytest

from autograder.artefacts.bundle import read_bundle
from autograder.artefacts.results import Status, now
from autograder.engines import standing
from autograder.engines.feed import Feed
from autograder.engines.orders import LostGpu, Order, Outcome
from autograder.engines.standing import Standing
from autograder.engines.work import Job, Work
from autograder.errors import DeviceLost, HarnessError, UnsafeHere
from autograder.grading.scoring import result_of
from autograder.sandbox.limits import Limits

SECRET = b"the secret of the course"


class Slots:
    def __init__(self, most, spare):
        self.most, self.orders, self.outcome = most, [], None

    def warm_up(self, setup, bundle):
        pass

    def grade(self, setup, bundle, orders):
        self.orders += orders
        return [self.outcome(order) for order in orders]


@pytest.fixture
def graded(bundle_path):
    bundle = read_bundle(bundle_path)

    def graded(order, starved=False, seconds=0.0):
        result = result_of(bundle, order.student, order.data, (), (), "cpu", now)
        return Outcome(result, starved, seconds)

    return graded


@pytest.fixture
def grade(bundle_path, tmp_path, monkeypatch):
    """Return a function that grades a few submissions; it returns each and what was sent."""
    monkeypatch.setattr(standing, "Slots", Slots)

    def grade(outcome, *students, missing=()):
        jobs = []
        for student in students:
            path = tmp_path / "submitted" / student / "tiny" / "tiny.ipynb"
            if student not in missing:
                path.parent.mkdir(parents=True)
                path.write_bytes(student.encode())
            jobs.append(Job(student, path))
        engine = Standing(2)
        engine._slots.outcome = outcome
        work = Work(bundle_path, SECRET, Limits(), "cpu")
        found = [(one.student, one) for one in engine(work, jobs, 2)]
        assert len(found) == len(dict(found)), "each is yielded once"
        return dict(found), [(o.student, o.gradings) for o in engine._slots.orders]

    return grade


def test_each_is_graded_once(grade, graded):
    found, sent = grade(graded, "a", "b", "c", "d", "e")
    assert sorted(found) == ["a", "b", "c", "d", "e"]
    assert sorted(sent) == [(student, 0) for student in "abcde"]


def test_a_fault_is_tried_again_behind_all_others_and_is_then_for_staff(grade, graded):
    def outcome(order):
        return Outcome(fault="it broke") if order.student == "a" else graded(order)

    found, sent = grade(outcome, "a", "b", "c")
    assert [one for one in sent if one[0] == "a"] == [("a", n) for n in range(4)]
    assert [student for student, _ in sent[-3:]] == ["a"] * 3
    assert found["a"].result.status is Status.NEEDS_ATTENTION
    assert "it broke" in found["a"].result.fault


def test_what_was_starved_is_graded_again_behind_all_others(grade, graded):
    others = threading.Event()

    def outcome(order):
        if order.student == "a":
            assert others.wait(20)
            return graded(order, not order.gradings, 3.0)
        others.set()
        return graded(order)

    found, sent = grade(outcome, "a", "b", "c")
    assert sent[-1] == ("a", 1)
    assert len(found) == 3
    assert found["a"].former_seconds == 3.0
    assert found["b"].former_seconds == 0.0


def test_who_is_alone_and_starved_has_had_the_machine(grade, graded):
    _, sent = grade(lambda order: graded(order, starved=True), "a")
    assert sent == [("a", 0)]


def test_what_cannot_be_read_is_sent_to_no_worker(grade, graded):
    found, sent = grade(graded, "a", "b", missing=["b"])
    assert sent == [("a", 0)]
    assert found["b"].result.status is Status.NEEDS_ATTENTION


def test_a_bundle_that_is_not_there_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(standing, "Slots", Slots)
    work = Work(tmp_path / "no.bundle", SECRET, Limits(), "cpu")
    with pytest.raises(HarnessError, match=r"no\.bundle cannot be read"):
        list(Standing(1)(work, [Job("a", tmp_path / "a.ipynb")], 1))


def gone(during):
    return Outcome(lost=LostGpu("GPU-7", "it fell off the bus", during))


def test_a_card_that_is_gone_ends_the_run_and_is_nobodys_fault(grade, graded):
    with pytest.raises(DeviceLost, match=r"GPU-7 cannot be used: it fell.*; 2 of the submissions"):
        grade(lambda order: gone(during=False), "a", "b")


def test_a_submission_with_which_the_card_is_lost_twice_is_for_staff_and_stops_no_other(
    grade, graded
):
    found, sent = grade(lambda o: gone(True) if o.student == "a" else graded(o), "a", "b", "c")
    assert [one for one in sent if one[0] == "a"] == [("a", 0), ("a", 1)]
    assert sent[-1] == ("a", 1), "again behind all others"
    assert found["a"].result.status is Status.NEEDS_ATTENTION
    assert found["a"].result.fault == "a GPU was lost with it 2 times"
    assert len(found) == 3


def test_whoever_was_graded_when_the_card_was_lost_for_good_is_named(grade, graded):
    with pytest.raises(DeviceLost, match="lost while a was graded; 1 of the submissions wait"):
        grade(lambda order: gone(during=order.gradings == 0), "a")


def test_where_the_walls_do_not_hold_any_more_nothing_is_graded(grade):
    with pytest.raises(UnsafeHere, match="an escape got out"):
        grade(lambda order: Outcome(fault="an escape got out", unsafe=True), "a")


def test_a_result_that_is_of_something_else_is_a_fault_of_ours(grade, graded):
    def of_something_else(order):
        return graded(Order(order.student, order.file, b"something else"))

    found, _ = grade(of_something_else, "a")
    assert "a result came back that is another's" in found["a"].result.fault


def test_what_comes_while_others_are_graded_begins_as_soon_as_a_worker_is_free(
    bundle_path, tmp_path, monkeypatch, graded
):
    """One that is slow holds its worker alone; those of two runs take turns as they come."""
    monkeypatch.setattr(standing, "Slots", Slots)
    slow, engine = threading.Event(), Standing(2)

    def outcome(order):
        assert order.student != "slow" or slow.wait(20)
        return graded(order)

    def job(student):
        path = tmp_path / f"{student}.ipynb"
        path.write_bytes(student.encode())
        return Job(student, path)

    engine._slots.outcome = outcome
    work, feed = Work(bundle_path, SECRET, Limits(), "cpu"), Feed([job("slow"), job("a")])
    run = engine(work, feed, 2)
    assert next(run).student == "a"
    feed.put([job("b")])
    assert next(run).student == "b"
    assert [one.student for one in engine(work, [job("c"), job("d")], 2)] == ["c", "d"]
    slow.set()
    assert next(run).student == "slow"
    feed.close()
    assert list(run) == []
