"""A run on GPUs: spread over them, and none of them lost costs anybody a point."""

import dataclasses
import os
import time

import pytest

from autograder import doctor
from autograder.artefacts.bundle import read_bundle
from autograder.artefacts.results import Status, Verdict
from autograder.engines import local
from autograder.engines.grader import Worker
from autograder.engines.local import grade_all
from autograder.engines.places import MOST_LOST, Lost, Place, Places
from autograder.engines.run import grade_assignment, try_again
from autograder.engines.work import Job, Work
from autograder.errors import DeviceLost
from autograder.grading import runner
from autograder.grading.oracle import load_bundle_oracle
from autograder.grading.runner import Grader
from autograder.records.store import Store
from autograder.sandbox.client.fork_server import ForkServer
from autograder.sandbox.client.gpu import gpus_here
from autograder.sandbox.limits import Limits
from tests.engines.test_completing import Silent, classroom, compiled_for_gpu
from tests.fake_gpu import built_with_cuda, fake_driver, install

__all__ = ["built_with_cuda", "classroom", "compiled_for_gpu", "fake_driver"]

SECRET = b"the secret of the course"
LIMITS = Limits(call_seconds=5.0, gpu_sessions=1)
# Says on which card it ran, where a student reads it.
WHERE = "import os\nraise RuntimeError(os.environ['CUDA_VISIBLE_DEVICES'])"


@pytest.fixture
def cards(tmp_path):
    return install(tmp_path / "cards", cards=2)


@pytest.fixture
def work(bundle_path, cards):
    return Work(bundle_path, SECRET, LIMITS, "cuda", gpus=cards.gpus)


@pytest.fixture
def job_of(tmp_path, submit):
    def job_of(student, **options):
        path = tmp_path / "submitted" / student / "tiny" / "tiny.ipynb"
        path.parent.mkdir(parents=True)
        path.write_bytes(submit(**options))
        return Job(student, path)

    return job_of


def cards_of(graded):
    return {note.split(": ")[1] for one in graded for note in one.result.notes if "GPU-" in note}


def test_a_class_is_spread_over_the_cards_and_each_session_sees_one(work, job_of):
    """Each holds its session for a moment, so that nobody grades all."""
    slowly = "import time; time.sleep(0.5)"
    jobs = [job_of(f"s{number}", before=[slowly], after=[WHERE]) for number in range(4)]
    graded = list(grade_all(work, jobs, 4))
    assert {one.student: one.result.earned for one in graded} == {job.student: 5.0 for job in jobs}
    assert cards_of(graded) == {"GPU-00000000", "GPU-00000001"}


def test_a_lost_card_is_used_no_more_and_the_others_grade_all(work, job_of, cards):
    cards.set(0, lost=True)
    jobs = [job_of(f"s{number}", after=[WHERE]) for number in range(3)]
    graded = list(grade_all(work, jobs, 2))
    assert {one.student: one.result.earned for one in graded} == {job.student: 5.0 for job in jobs}
    assert cards_of(graded) == {"GPU-00000001"}


def test_where_every_card_is_lost_nothing_is_scored_and_the_run_says_so(work, job_of, cards):
    for number in range(2):
        cards.set(number, lost=True)
    with pytest.raises(DeviceLost, match=r"is lost.*2 of the submissions wait for a GPU: run the"):
        list(grade_all(work, [job_of("ada"), job_of("bo")], 2))


def test_a_card_that_computes_wrongly_is_lost(work, job_of):
    wrong = tuple(msgspec_replace(card, trial="answer = 2.0**24 + 1") for card in work.gpus)
    with pytest.raises(DeviceLost, match=r"it computed 16777217.0, not 16777216.0"):
        list(grade_all(dataclasses.replace(work, gpus=wrong), [job_of("ada")], 1))


def test_a_card_that_a_notebook_of_ours_cannot_use_is_lost(work, job_of):
    failing = "raise RuntimeError('CUDA error: device unavailable')"
    broken = tuple(msgspec_replace(card, trial=failing) for card in work.gpus)
    with pytest.raises(DeviceLost, match="device unavailable"):
        list(grade_all(dataclasses.replace(work, gpus=broken), [job_of("ada")], 1))


def msgspec_replace(card, **changes):
    return type(card)(**{f: getattr(card, f) for f in card.__struct_fields__} | changes)


def test_a_run_that_loses_its_card_keeps_what_it_has_and_is_completed_later(
    classroom, fake_driver, built_with_cuda, monkeypatch
):
    classroom.submit("ada")
    assert grade(classroom, "cpu").results["ada"].earned == 4.0
    classroom.submit("bo")
    fake_driver.set(0, used=3)
    with monkeypatch.context() as patch:
        lost_from_the_start(patch, fake_driver)
        run = grade(classroom, "cuda")
    (problem,) = run.problems
    assert "2 of the submissions wait" in problem.text
    assert run.graded == ()
    assert {s: (r.earned, r.status) for s, r in run.results.items()} == {"ada": (4.0, "pending")}
    fake_driver.set(0, lost=False)
    run = grade(classroom, "cuda")
    assert {s: r.earned for s, r in run.results.items()} == {"ada": 5.0, "bo": 5.0}
    assert run.problems == ()
    store = Store(classroom.course.results("small"))
    assert [len(store.history(s)) for s in ("ada", "bo")] == [2, 1]


def test_a_trial_run_that_loses_its_card_says_so(
    classroom, fake_driver, built_with_cuda, monkeypatch
):
    classroom.submit("ada")
    lost_from_the_start(monkeypatch, fake_driver)
    tried = try_again(classroom.course, "small", Silent(), ["ada"], "cuda")
    assert tried.results == {}
    assert "wait" in tried.problems[0].text


def lost_from_the_start(patch, driver):
    """Lose the card when the run has found it."""

    def found(device):
        cards = driver.gpus if device == "cuda" else ()
        driver.set(0, lost=True)
        return cards

    patch.setattr(local, "gpus_for", found)


def grade(classroom, device):
    return grade_assignment(classroom.course, "small", Silent(), device=device)


def test_places_share_the_workers_evenly_and_no_card_has_too_many(work):
    one, two = work.gpus
    limits = dataclasses.replace(LIMITS, gpu_sessions=3)
    places = Places(dataclasses.replace(work, limits=limits))
    assert places.of(1) == [Place(one, 1)]
    assert places.of(2) == [Place(one, 1), Place(two, 1)]
    assert places.of(5) == [Place(one, 3), Place(two, 2)]
    assert places.of(64) == [Place(one, 3), Place(two, 3)]
    assert Places(dataclasses.replace(work, device="cpu")).of(7) == [Place(None, 7)]
    assert Places(dataclasses.replace(work, gpus=())).of(7) == [Place(None, 7)]


def test_a_submission_with_which_cards_are_lost_is_named_and_then_for_staff(work, tmp_path):
    places, job = Places(work, 1), Job("ada", tmp_path)
    one, two = places.of(2)
    error = DeviceLost("Fake", "it fell off the bus")
    assert places.note(job, one, Lost(error, during=False)) == job
    job = places.note(job, one, Lost(error, during=True))
    assert job.gradings == 1, "its next try has inputs of its own"
    assert (job.lost, places.is_lost(one), places.is_lost(two)) == (1, True, False)
    assert places.of(2) == [two]
    job = places.note(job, two, Lost(error, during=True))
    assert job.lost == MOST_LOST
    assert places.of(2) == []
    said = str(places.all_lost())
    assert said.count("it fell off the bus") == 1
    assert "; lost while ada was graded; 1 of the submissions wait" in said


def test_of_a_card_that_came_back_nobody_is_named(work, tmp_path, cards):
    places, error = Places(work, 3), DeviceLost("Fake", "it fell off the bus")
    one, two = places.of(2)
    for student, place in (("ada", one), ("mallory", one), ("bo", two)):
        places.note(Job(student, tmp_path), place, Lost(error, during=True))
    assert "lost while ada and mallory and bo were graded; 3 of" in str(places.all_lost())
    cards.set(1, lost=True)
    assert places.come_back()
    assert "lost while bo was graded" in str(places.all_lost())


def test_a_card_that_comes_back_is_used_again_and_a_submission_stops_no_other(work, job_of, cards):
    """It is gone behind the first submission, and sound when nothing runs on it any more."""
    cards.set(lost_at=[2])
    jobs = [job_of("ada"), job_of("bo")]
    alone = dataclasses.replace(work, gpus=work.gpus[:1])
    graded = list(grade_all(alone, jobs, 1))
    assert {one.student: one.result.earned for one in graded} == {"ada": 5.0, "bo": 5.0}
    cards.set(lost_at=list(range(len(cards.asked()) + 2, 1000)))
    with pytest.raises(DeviceLost, match="lost while ada was graded; 2 of the"):
        list(grade_all(alone, jobs, 1))


def loses_the_card(job):
    """Stand in for a worker: the card is lost with all of the first round, and with mallory."""
    with (job.path.parents[2] / "log").open("a", buffering=1) as log:
        log.write(f"+{job.student} {job.lost}\n")
        time.sleep(0.3 * job.lost)
        log.write(f"-{job.student} {job.lost}\n")
    if job.lost == 0 or job.student == "mallory":
        return Lost(DeviceLost("Fake", "it fell off the bus"), during=True)
    return local._worker.grade(job)


def test_whoever_shared_a_card_with_a_culprit_is_graded_again_by_itself(work, job_of, monkeypatch):
    """Else both would lose it twice, and both be for staff."""
    monkeypatch.setattr(local, "_grade", loses_the_card)
    limits = dataclasses.replace(LIMITS, gpu_sessions=2)
    shared = dataclasses.replace(work, gpus=work.gpus[:1], limits=limits)
    jobs = [job_of("mallory"), job_of("ada")]
    found = {one.student: one.result for one in grade_all(shared, jobs, 2)}
    assert found["ada"].earned == 5.0
    assert found["mallory"].status is Status.NEEDS_ATTENTION
    assert found["mallory"].fault == "a GPU was lost with it 2 times"
    log = (jobs[0].path.parents[2] / "log").read_text().split("\n")
    again = [line[:-2] for line in log if line.endswith("1")]
    assert again in (
        ["+ada", "-ada", "+mallory", "-mallory"],
        ["+mallory", "-mallory", "+ada", "-ada"],
    )


def test_a_card_that_is_not_used_yet_takes_the_place_of_a_lost_one(work, job_of, cards):
    cards.set(0, lost=True)
    graded = list(grade_all(work, [job_of("ada"), job_of("bo")], 1))
    assert {one.student: one.result.earned for one in graded} == {"ada": 5.0, "bo": 5.0}


def test_a_card_is_asked_once_whether_it_comes_back(work, tmp_path, cards):
    places, job = Places(dataclasses.replace(work, gpus=work.gpus[:1])), Job("ada", tmp_path)
    (place,) = places.of(1)
    error = DeviceLost("Fake", "it fell off the bus")
    places.note(job, place, Lost(error, during=False))
    assert not places.come_back(), "it was lost before anything ran"
    places.note(job, place, Lost(error, during=True))
    cards.set(0, lost=True)
    assert not places.come_back()
    cards.set(0, lost=False)
    assert not places.come_back()
    places.note(job, place, Lost(error, during=True))
    assert places.come_back()
    assert places.of(1) == [place]


def test_what_a_submission_came_to_counts_only_if_the_card_was_sound(
    bundle_path, cards, submit, monkeypatch
):
    """A card that is lost meanwhile makes every answer wrong: the student's are not."""
    bundle, asked = read_bundle(bundle_path), []

    def sound(fork_server, limits, tried):
        asked.append(tried)
        if len(asked) > 1:
            raise DeviceLost("Fake", "it is gone")

    monkeypatch.setattr(runner, "require_sound", sound)
    parts = bundle, load_bundle_oracle(bundle), SECRET, LIMITS, "cuda"
    with Grader(*parts, gpu=cards.gpus[0]) as grader:
        crash = "import os\ndef double(x):\n    os._exit(1)"
        with pytest.raises(DeviceLost, match="it is gone"):
            grader.grade("ada", submit(answers={"double": crash}))
        assert asked == [True, True], "a crash may have been the card's doing"
        asked.clear()
        with pytest.raises(DeviceLost):
            grader.grade("ada", submit())
        assert asked == [True, False]


def test_out_of_memory_on_a_card_that_is_shared_is_graded_again_alone(work, job_of, cards):
    """Then it is the submission's own."""
    for number in range(2):
        cards.set(number, used=35_000)  # what is free is enough for a session, but not for its all
    limits = dataclasses.replace(LIMITS, gpu_sessions=2)
    greedy = "import torch\ndef double(x):\n    raise torch.OutOfMemoryError('CUDA out of memory')"
    jobs = [job_of("ada", answers={"double": greedy}), job_of("bo")]
    found = {o.student: o for o in grade_all(dataclasses.replace(work, limits=limits), jobs, 2)}
    assert list(found) == ["bo", "ada"]
    (check,) = found["ada"].result.questions[0].checks
    assert {case.verdict for case in check.cases} == {Verdict.ERRORED}
    assert "CUDA out of memory" in check.cases[0].message


def test_the_grader_s_own_checks_compute_on_the_card_of_its_sessions(work, job_of, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    worker = Worker(work, read_bundle(work.bundle), work.gpus[1])
    assert os.environ["CUDA_VISIBLE_DEVICES"] == work.gpus[1].id
    graded = worker.grade(job_of("ada", after=[WHERE]))
    worker.close()
    assert cards_of([graded]) == {work.gpus[1].id}


def test_the_doctor_says_of_each_card_whether_a_session_can_use_it(cards, monkeypatch):
    class Server:
        def __init__(self, limits, preload, device, levels, gpu):
            self.gpu = gpu

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    def sound(fork_server, limits, tried):
        if fork_server.gpu is cards_here[1]:
            raise DeviceLost(fork_server.gpu.called, "it computed 3.0, not 4.0")

    cards_here = cards.gpus
    monkeypatch.setattr(doctor, "ForkServer", Server)
    monkeypatch.setattr(doctor, "require_sound", sound)
    monkeypatch.setattr(doctor, "_unbounded", lambda *_: "; nobody bounds it")
    monkeypatch.setattr(doctor, "torch_can_use_gpus", lambda: True)
    monkeypatch.setattr(doctor, "gpus_here", lambda: cards_here)
    good, bad = doctor._gpus(Limits(gpu_sessions=3))
    assert (good.state, bad.state) == ("ok", "no")
    assert good.text.startswith("Fake (GPU-00000000), 40000 MB, 3 at a time, ")
    assert good.text.endswith(" s for one; nobody bounds it")
    assert "computed 3.0" in bad.text
    assert "stay pending" in bad.text
    monkeypatch.setattr(doctor, "torch_can_use_gpus", lambda: False)
    (one,) = doctor._gpus(Limits())
    assert "built for processors alone" in one.text
    monkeypatch.setattr(doctor, "gpus_here", lambda: ())
    (one,) = doctor._gpus(Limits())
    assert one.text == "none; checks that need one stay pending"
    cards.set(0, lost=True)
    monkeypatch.setattr(doctor, "gpus_here", gpus_here)
    monkeypatch.setenv("PATH", str(cards.folder), prepend=":")
    (one,) = doctor._gpus(Limits())
    assert (one.state, "is lost" in one.text) == ("no", True)


@pytest.mark.parametrize(("used", "said"), [(None, "does not tell what each session"), (9, "")])
def test_the_doctor_says_where_the_driver_tells_of_no_session(cards, monkeypatch, used, said):
    asked = []
    monkeypatch.setattr(doctor, "memory_on_gpu", lambda those: asked.extend(those) or used)
    (card, *_) = cards.gpus
    with ForkServer(Limits(), device="cuda", gpu=card) as fork_server:
        found = doctor._unbounded(fork_server, card)
    assert asked
    assert said in found
    assert bool(found) is bool(said)
    without = msgspec_replace(card, smi="")
    assert "without nvidia-smi" in doctor._unbounded(None, without)
