"""A submission whose grading broke is graded again with other inputs, in this run and the next."""

import dataclasses
from itertools import pairwise

import msgspec
import pytest

from autograder.artefacts.results import Status
from autograder.engines import local
from autograder.engines.planning import plan_of
from autograder.engines.run import grade_assignment
from autograder.engines.table import ENGINES
from autograder.engines.work import GRADINGS
from autograder.records.store import Store
from autograder.sandbox.protocol.settings import WEAKEST


class Silent:
    def begin(self, total):
        pass

    def advance(self, result):
        pass

    def say(self, text):
        pass


@pytest.fixture
def course(classroom):
    classroom.submit("ada")
    return classroom.course


def test_each_run_after_one_that_broke_has_other_inputs_and_one_that_stands_is_not_run_again(
    course, monkeypatch
):
    seen, broke = [], [True, True, False]

    def graded(work, jobs, workers):
        for one, job in zip(local.grade_all(work, jobs, workers), jobs, strict=True):
            seen.append(job.gradings)
            fault = f"run {len(seen)}" if broke[len(seen) - 1] else None
            result = msgspec.structs.replace(one.result, fault=fault, status=Status.NEEDS_ATTENTION)
            yield dataclasses.replace(one, result=result)

    monkeypatch.setitem(ENGINES, "local", graded)
    for _ in range(4):
        grade_assignment(course, "small", Silent())
    assert len(seen) == 3
    assert len(Store(course.results("small")).history("ada")) == 3
    # No two runs share a try, though each run may grade a submission so often.
    assert [b - a for a, b in pairwise(seen)] == [GRADINGS] * 2


def test_a_submission_whose_worker_was_killed_has_other_inputs_each_time(course, monkeypatch):
    seen = []

    def killed(work, queue, where, aside, places):
        seen.append(queue[0].gradings)
        aside.suspects.extend(queue)
        queue.clear()
        yield from ()

    monkeypatch.setattr(local, "_grade_in_pool", killed)
    plan = plan_of(course, "small", (), "cpu", WEAKEST, Store.get, again=False)
    (one,) = local.grade_all(plan.work, plan.jobs, 1)
    assert (one.student, one.result.status) == ("ada", Status.NEEDS_ATTENTION)
    assert seen == list(range(1 + local.TRIES))
    assert max(seen) + 1 < GRADINGS  # with one that was graded again alone before


def test_a_card_that_is_lost_between_is_told_beside_the_kills(course, monkeypatch):
    seen = []

    def lost_once(work, queue, where, aside, places):
        job = queue.popleft()
        seen.append(job.gradings)
        if len(seen) == 2:  # alone, and not killed
            aside.alone.append(dataclasses.replace(job, lost=1, gradings=job.gradings + 1))
        else:
            aside.suspects.append(job)
        yield from ()

    monkeypatch.setattr(local, "_grade_in_pool", lost_once)
    plan = plan_of(course, "small", (), "cpu", WEAKEST, Store.get, again=False)
    (one,) = local.grade_all(plan.work, plan.jobs, 1)
    assert one.result.fault == "its worker was killed 2 times, and a GPU was lost with it once"
    assert seen == list(range(1 + local.TRIES))
