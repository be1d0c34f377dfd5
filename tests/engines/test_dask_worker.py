"""What a worker of a cluster keeps, and what it does not."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from autograder.artefacts.results import digest_of
from autograder.engines import dask_worker
from autograder.engines.dask_worker import Batch, Facts, _State
from autograder.engines.orders import Order, Outcome, Setup, Warm, decode, encode
from autograder.engines.work import Work
from autograder.sandbox.limits import Limits

BUNDLE = b"the bytes of a bundle"
SECRET = b"the secret of the course"


class Slots:
    def __init__(self, most, private):
        self.most, self.private, self.graded = most, private, []
        self.dropped, self.under_way = [], []
        self.begun, self.over = threading.Semaphore(0), threading.Event()
        self.over.set()

    def grade(self, setup, bundle, orders):
        self.graded += [(setup.id, bundle, order.student) for order in orders]
        self.under_way += [order.student for order in orders]
        self.begun.release()
        assert self.over.wait(20)
        found = [Outcome(starved=True, seconds=len(self.under_way)) for _ in orders]
        self.under_way.clear()
        return found

    def drop(self, name):
        self.dropped.append(name)

    def warm_up(self, setup, bundle):
        raise OSError("no memory")

    def close_idle(self, seconds):
        pass


@pytest.fixture
def state(monkeypatch):
    found = _State()
    monkeypatch.setattr(dask_worker, "_state", found)
    monkeypatch.setattr(dask_worker, "Slots", Slots)
    return found


@pytest.fixture
def worker(tmp_path):
    """A worker of Dask, as far as ours looks at it."""
    key = tmp_path / "key.pem"
    key.touch()
    tls = {"key": str(key), "cert": "-----BEGIN CERTIFICATE-----"}
    return SimpleNamespace(
        state=SimpleNamespace(nthreads=3),
        security=SimpleNamespace(get_tls_config_for_role=lambda role: tls),
        key=str(key),
        address="tls://10.0.0.1:7",
    )


@pytest.fixture
def setup(bundle_path):
    return Setup.of(Work(bundle_path, SECRET, Limits(), "cpu"), digest_of(BUNDLE))


def test_a_bundle_is_sent_once_and_only_the_one_that_is_named_is_taken(state, worker, setup):
    assert dask_worker.receive_setup(encode(setup), worker) is True, "its bundle is missing"
    assert not dask_worker.receive_bundle(setup.bundle, BUNDLE + b"!")
    assert decode(dask_worker.grade_batch(setup.id, (), False), Batch).outcomes is None
    assert dask_worker.receive_bundle(setup.bundle, BUNDLE)
    assert decode(dask_worker.look(setup.bundle), Facts).has_bundle
    assert dask_worker.receive_setup(encode(setup), worker) is False


def test_it_grades_by_the_setup_that_is_named_and_says_when_it_has_none(state, worker, setup):
    order = encode(Order("ada", "tiny.ipynb", b"x"))
    assert decode(dask_worker.grade_batch(setup.id, (order,), False), Batch).outcomes is None
    dask_worker.receive_setup(encode(setup), worker)
    dask_worker.receive_bundle(setup.bundle, BUNDLE)
    batch = decode(dask_worker.grade_batch(setup.id, (order,), False), Batch)
    assert (len(batch.outcomes), batch.worker) == (1, worker.address)
    assert state.slots.graded == [(setup.id, BUNDLE, "ada")]
    assert decode(dask_worker.grade_batch("another", (order,), False), Batch).outcomes is None
    dask_worker.forget(setup.id)
    assert decode(dask_worker.grade_batch(setup.id, (order,), False), Batch).outcomes is None
    assert state.setups == {}, "the secret is dropped"
    assert state.slots.dropped == [setup.id], "with the processes that know it"
    assert dask_worker.receive_setup(encode(setup), worker) is False, "the bundle stays a while"
    state.tidy(0.0)
    assert (state.setups, state.bundles) == ({}, {})
    assert state.slots.dropped == [setup.id] * 2


def test_what_is_graded_alone_has_the_worker_for_itself_and_was_starved_by_nobody(
    state, worker, setup
):
    dask_worker.receive_setup(encode(setup), worker)
    dask_worker.receive_bundle(setup.bundle, BUNDLE)
    state.slots.over.clear()

    def grade(student, alone):
        order = encode(Order(student, "tiny.ipynb", b"x"))
        return decode(dask_worker.grade_batch(setup.id, (order,), alone), Batch).outcomes

    with ThreadPoolExecutor(4) as pool:
        others = [pool.submit(grade, student, False) for student in ("ada", "bo")]
        for _ in others:
            assert state.slots.begun.acquire(timeout=20)
        alone = pool.submit(grade, "cy", True)
        time.sleep(0.02)
        assert len(state.slots.graded) == 2, "it waits until the others are done"
        state.slots.over.set()
        assert [one.starved for (one,) in (other.result(20) for other in others)] == [True, True]
        (outcome,) = alone.result(20)
    assert (outcome.starved, outcome.seconds) == (False, 1)


def test_its_slots_are_its_threads_and_its_key_is_private(state, worker, setup):
    dask_worker.receive_setup(encode(setup), worker)
    assert state.slots.most == 3
    assert state.slots.private == (worker.key,)


def test_nothing_that_goes_wrong_raises_as_dask_would_log_the_arguments(state, worker, setup):
    assert dask_worker.receive_setup(b"no set-up", worker) is True
    dask_worker.receive_setup(encode(setup), worker)
    dask_worker.receive_bundle(setup.bundle, BUNDLE)
    (outcome,) = decode(dask_worker.grade_batch(setup.id, (b"no order",), False), Batch).outcomes
    assert "cannot be read" in outcome.fault
    warm = decode(asyncio.run(dask_worker.warm_up(setup.id)), Warm)
    assert warm == Warm(refused="no memory"), "which may pass"
