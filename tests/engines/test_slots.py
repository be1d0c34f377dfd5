import os
import signal
import time
from pathlib import Path

import pytest
from msgspec import structs

from autograder.artefacts.bundle import read_bundle
from autograder.artefacts.results import digest_of
from autograder.engines import slots as module
from autograder.engines.grader import Worker
from autograder.engines.orders import LostGpu, Order, Outcome, Setup, Warm, decode, encode
from autograder.engines.slot_process import _outcome
from autograder.engines.slots import Slots, _environment
from autograder.engines.work import Job, Work
from autograder.errors import DeviceLost, HarnessError, UnsafeHere
from autograder.grading.intake import Submitted
from autograder.sandbox.limits import Limits
from tests.fake_gpu import install

SECRET = b"the secret of the course"


@pytest.fixture
def setup(bundle_path):
    work = Work(bundle_path, SECRET, Limits(call_seconds=2.0), "cpu")
    return Setup.of(work, digest_of(bundle_path.read_bytes()))


@pytest.fixture
def slots():
    found = Slots(1)
    yield found
    found.close_idle()


def facts(result):
    """Return what is the same in every grading of a submission with the same inputs."""
    return result.earned, result.status, [q.earned for q in result.questions], result.verdicts


def is_gone(process):
    deadline = time.monotonic() + 20
    while os.path.exists(f"/proc/{process}") and time.monotonic() < deadline:
        time.sleep(0.01)
    return not os.path.exists(f"/proc/{process}")


def test_a_slot_grades_as_a_worker_does_and_stays_warm(slots, setup, bundle_path, submit):
    data = bundle_path.read_bytes()
    orders = [Order("ada", "tiny.ipynb", submit()), Order("bo", "other.ipynb", submit(answers={}))]
    found = slots.grade(setup, data, orders)
    process = slots.warm_up(setup, b"not asked for").process
    worker = Worker(setup.work(), read_bundle(bundle_path))
    try:
        for order, outcome in zip(orders, found, strict=True):
            here = worker.grade_read(order.job(), Submitted(order.data))
            assert facts(here.result) == facts(outcome.result)
            assert here.result.notes == outcome.result.notes  # also of the file's name
    finally:
        worker.close()
    assert [outcome.result.earned for outcome in found] == [5.0, 0.0]
    slots.close_idle()
    assert is_gone(process)


def test_a_slot_that_is_killed_costs_a_fault_and_the_next_order_has_another(
    slots, setup, bundle_path, submit
):
    data, order = bundle_path.read_bytes(), Order("ada", "tiny.ipynb", submit())
    process = slots.warm_up(setup, data).process
    os.kill(process, signal.SIGKILL)
    first, second = slots.grade(setup, data, [order, order])
    assert first.result is None
    assert "the process that grades" in first.fault
    assert second.result.earned == 5.0


def test_what_cannot_start_says_why(slots, setup, bundle_path, submit):
    with pytest.raises(HarnessError, match="not the one that was named"):
        slots.warm_up(setup, b"another bundle")
    (outcome,) = slots.grade(setup, b"another", [Order("ada", "tiny.ipynb", submit())])
    assert "not the one that was named" in outcome.fault


def test_only_walls_that_do_not_hold_are_told_as_unsafe_and_all_else_may_pass():
    def held(error):
        return decode(encode(Warm.refusing(error)), Warm).held()

    with pytest.raises(UnsafeHere, match="an escape got out"):
        held(UnsafeHere("an escape got out"))
    with pytest.raises(HarnessError, match="did not come up in 30 s"):
        held(HarnessError("the fork server did not come up in 30 s"))
    with pytest.raises(DeviceLost, match="it fell off the bus"):
        held(DeviceLost("GPU-7", "it fell off the bus"))


@pytest.fixture
def light(monkeypatch):
    """Slots without a process."""

    class Slot:
        def __init__(self, setup, bundle, private):
            self.id, self.used, self.is_open = setup.id, 0.0, True

        def close(self):
            self.is_open = False

    monkeypatch.setattr(module, "Slot", Slot)


def test_where_two_assignments_alternate_spare_slots_stay_warm(setup, light):
    other = structs.replace(setup, device="cuda")

    def warm(slots):
        first = []
        for one in (setup, other) * 2:
            slots._put_back(slot := slots._take(one, b""))
            first.append(slot)
        return first[0] is first[2]

    assert not warm(Slots(1))
    assert warm(Slots(1, spare=1))


def test_the_slots_of_a_set_up_end_when_it_is_dropped(setup, light):
    slots = Slots(2)
    idle, used = slots._take(setup, b""), slots._take(setup, b"")
    slots._put_back(idle)
    slots.drop(setup.id)
    assert (idle.is_open, used.is_open) == (False, True), "somebody uses it"
    slots._put_back(used)
    assert not used.is_open
    slots._put_back(again := slots._take(setup, b""))
    assert again.is_open


def test_a_slot_has_no_secret_and_nothing_of_a_cluster_in_its_environment():
    said = {
        "AUTOGRADER_SECRET": "s",
        "AUTOGRADER_SECRET_FILE": "f",
        "DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY": "k",
        "PATH": "p",
    }
    kept = _environment(said)
    assert kept.pop("PATH") == "p"
    assert all(name.endswith("_NUM_THREADS") for name in kept)


def test_a_setup_has_a_name_that_changes_with_all_it_says_and_shows_no_secret(setup):
    other = Setup.of(
        Work(None, b"another secret of a course", Limits(call_seconds=2.0), "cpu"), "b"
    )
    assert setup.id != other.id
    assert SECRET.decode() not in repr(setup) + setup.id
    again = decode(encode(setup), Setup)
    assert again == setup
    assert again.id == setup.id


def test_bytes_that_are_no_message_are_said_to_be_none(setup):
    with pytest.raises(HarnessError, match="cannot be read"):
        decode(encode(setup)[:-3], Setup)
    with pytest.raises(HarnessError, match="cannot be read"):
        decode(encode({"student": 5}), Order)


def test_an_order_carries_the_name_of_a_file_and_no_path():
    order = Order.of(Job("ada", Path("a/b.ipynb"), 2), Submitted(b"x"))
    assert decode(encode(order), Order) == order
    assert order.job() == Job("ada", Path("b.ipynb"), 2)


def test_a_name_that_is_no_text_can_be_ordered():
    order = Order.of(Job("ada", Path(os.fsdecode(b"\xfcbung.ipynb"))), Submitted(b"x"))
    assert decode(encode(order), Order).file == "?bung.ipynb"


def test_a_lost_card_is_told_as_such_by_whoever_graded_on_it():
    class Worker:
        def grade_read(self, job, submitted):
            raise LostGpu("GPU-7", "it fell off the bus", during=True).error()

    outcome = _outcome(Worker(), encode(Order("ada", "tiny.ipynb", b"x")))
    assert outcome == Outcome(lost=LostGpu("GPU-7", "it fell off the bus", during=True))
    error = decode(encode(outcome), Outcome).lost.error()
    assert (str(error), error.during) == ("GPU-7 cannot be used: it fell off the bus", True)


def test_a_slot_whose_card_is_lost_does_not_start_and_says_so(
    slots, bundle_path, submit, tmp_path, monkeypatch
):
    card = install(tmp_path / "driver")
    card.set(0, lost=True)
    monkeypatch.setenv("PATH", str(card.folder), prepend=":")
    work = Work(bundle_path, SECRET, Limits(), "cuda")
    data = bundle_path.read_bytes()
    setup = Setup.of(work, digest_of(data))
    with pytest.raises(DeviceLost, match="is lost"):
        slots.warm_up(setup, data)
    (outcome,) = slots.grade(setup, data, [Order("ada", "tiny.ipynb", submit())])
    assert outcome.fault is None
    assert "is lost" in outcome.lost.said
