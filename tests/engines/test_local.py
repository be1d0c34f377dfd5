import dataclasses
import multiprocessing

import pytest

from autograder.artefacts.results import Status
from autograder.engines import local
from autograder.engines.local import grade_all
from autograder.engines.work import Job, Work
from autograder.errors import HarnessError
from autograder.sandbox.limits import Limits

SECRET = b"the secret of the course"


@pytest.fixture
def work(bundle_path):
    return Work(bundle_path, SECRET, Limits(call_seconds=2.0), "cpu")


@pytest.fixture
def job_of(tmp_path, submit):
    """Return a job for what a student submitted."""

    def job_of(student, data=None, **options):
        path = tmp_path / "submitted" / student / "tiny" / "tiny.ipynb"
        path.parent.mkdir(parents=True)
        path.write_bytes(submit(**options) if data is None else data)
        return Job(student, path)

    return job_of


def earned(work, jobs, workers=2):
    return {one.student: one.result.earned for one in grade_all(work, jobs, workers)}


def test_several_submissions_in_two_workers_each_get_their_own_result(
    work, job_of, solutions, tmp_path
):
    jobs = [
        job_of("all"),
        job_of("none", answers={}),
        job_of("half", answers={"triple": "def triple(x):\n    return 3 * x"}),
        job_of("noise", data=b"no notebook"),
        Job("absent", tmp_path / "submitted" / "absent" / "tiny" / "tiny.ipynb"),
    ]
    graded = {one.student: one.result for one in grade_all(work, jobs, 2)}
    assert {name: result.earned for name, result in graded.items()} == {
        "all": 5.0,
        "none": 0.0,
        "half": 3.0,
        "noise": 0.0,
        "absent": 0.0,
    }
    assert graded["absent"].notes == ("there is no tiny.ipynb in the submission",)
    assert graded["absent"].status is graded["noise"].status is Status.NEEDS_ATTENTION
    assert all(result.student == name for name, result in graded.items())
    assert multiprocessing.active_children() == []


def test_a_worker_killed_midway_costs_nothing(work, job_of):
    jobs = [job_of(f"s{i}", after=["import time; time.sleep(0.2)"]) for i in range(3)]
    found, killed = {}, False
    for one in grade_all(work, jobs, 2):
        found[one.student] = one.result.earned
        if not killed:
            multiprocessing.active_children()[0].kill()
            killed = True
    assert found == {job.student: 5.0 for job in jobs}


ASSASSIN = """
import os, signal
fork_server = os.getppid()
status = open(f"/proc/{fork_server}/stat").read().rpartition(")")[2].split()
os.kill(int(status[1]), signal.SIGKILL)
"""


def test_a_submission_that_kills_its_worker_every_time_does_not_stop_the_others(work, job_of):
    jobs = [job_of("assassin", before=[ASSASSIN]), *(job_of(f"s{i}") for i in range(2))]
    found = {}
    try:
        for one in grade_all(work, jobs, 2):
            found[one.student] = one.result
    except HarnessError:
        pass
    assert {f"s{i}": 5.0 for i in range(2)}.items() <= {
        name: result.earned for name, result in found.items()
    }.items()
    # Where the attack succeeds it is for staff; where it cannot, the cell merely raised.
    assert found["assassin"].status in (Status.GRADED, Status.NEEDS_ATTENTION)


def test_no_work_needs_no_worker(work):
    assert earned(work, []) == {}
    assert multiprocessing.active_children() == []


def test_a_missing_bundle_is_said_as_it_is(tmp_path, job_of):
    work = Work(tmp_path / "no.bundle", SECRET, Limits(), "cpu")
    with pytest.raises(HarnessError, match="there is no bundle"):
        earned(work, [job_of("ada")], workers=1)


def test_what_ran_out_of_time_for_want_of_a_processor_is_graded_again_alone_behind_all_others(
    work, job_of, monkeypatch
):
    grade, runs = local._grade_in_pool, []

    def noted(work, queue, where, suspects, places):
        (place,) = where
        for job, graded in grade(work, queue, where, suspects, places):
            runs.append((job.student, job.gradings, place.workers))
            hungry = job.student == "a-hungry" and place.workers > 1
            yield job, dataclasses.replace(graded, starved=hungry)

    monkeypatch.setattr(local, "_grade_in_pool", noted)
    done = [one.student for one in grade_all(work, [job_of("a-hungry"), job_of("b")], 2)]
    assert done == ["b", "a-hungry"]
    assert runs[-1] == ("a-hungry", 1, 1)  # with inputs of its own
    assert len(runs) == 3
