"""Work in forks: what comes back, and what is lost."""

import multiprocessing
import os
import resource
import signal
import sys
import time
from itertools import pairwise

import pytest

from autograder.audit import forks
from autograder.audit.forks import Lost, Mark, in_forks
from autograder.errors import HarnessError


def results(work: forks.Work[object], count: int, jobs: int) -> dict[int, object]:
    found = dict(in_forks(work, count, jobs))
    assert len(found) == count
    return found


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_every_number_is_worked_on(jobs: int) -> None:
    assert results(lambda n, _: n * n, 4, jobs) == {0: 0, 1: 1, 2: 4, 3: 9}


def test_what_is_side_by_side_is_done_in_one_process() -> None:
    pids = [pid for _, pid in sorted(in_forks(lambda _, __: os.getpid(), 40, 2))]
    assert len(set(pids)) == 2
    assert sum(one != other for one, other in pairwise(pids)) == 1


def test_cores_that_others_use_are_taken_once_they_are_spare(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spare = multiprocessing.Semaphore(3)
    monkeypatch.setattr(forks._CORES, "spare", None)
    forks.share_cores(spare)

    def work(_number: int, _mark: Mark) -> int:
        time.sleep(0.05)
        return os.getpid()

    with forks.own_core():
        spare.acquire()
        spare.acquire()
        alone = in_forks(work, 12, 8)
        first = {next(alone)[1] for _ in range(3)}
        assert len(first) == 1
        spare.release()
        assert len(first | {pid for _, pid in alone}) == 2
        spare.release()
        assert len(set(results(work, 12, 8).values())) == 3
    assert [spare.acquire(block=False) for _ in range(4)] == [True, True, True, False]


def test_no_work_needs_no_process() -> None:
    assert results(lambda n, _: n, 0, 2) == {}


def test_none_is_a_result() -> None:
    assert results(lambda _n, _: None, 3, 2) == {0: None, 1: None, 2: None}


def test_a_process_that_dies_loses_its_own_number_only() -> None:
    def work(number: int, mark: Mark) -> int:
        mark(7 + number, 10.0)
        if number == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return number

    assert results(work, 4, 2) == {0: 0, 1: Lost(8), 2: 2, 3: 3}


@pytest.mark.parametrize("computes", [True, False])
def test_a_process_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch, computes: bool) -> None:
    monkeypatch.setattr(forks, "GRACE", 0.3)
    monkeypatch.setattr(forks, "WAITING", 60 if computes else 2)

    def work(number: int, mark: Mark) -> int:
        mark(5, 0.3)
        while number == 0:
            time.sleep(0.0 if computes else 60.0)
        return number

    assert results(work, 3, 1) == {0: Lost(5), 1: 1, 2: 2}


def test_work_that_goes_on_is_not_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forks, "GRACE", 0.2)

    def work(number: int, mark: Mark) -> int:
        for place in range(6):
            mark(place, 0.2)
            until = time.process_time() + 0.2
            while time.process_time() < until:
                pass
        return number

    assert results(work, 1, 1) == {0: 0}


def test_memory_is_bounded() -> None:
    def work(_number: int, _mark: Mark) -> int:
        return len(bytearray(1 << 35))

    assert results(work, 1, 1) == {0: Lost(0)}


def test_work_that_raises_is_our_own_fault() -> None:
    def work(number: int, _: Mark) -> int:
        return 1 // number

    with pytest.raises(HarnessError, match="work 0 failed: ZeroDivisionError"):
        results(work, 2, 2)


def test_nothing_is_left_running() -> None:
    work = in_forks(lambda _n, _: os.getpid(), 3, 2)
    _, pid = next(work)
    work.close()
    with pytest.raises(ProcessLookupError):
        os.kill(int(str(pid)), 0)


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc can be told to keep memory")
def test_freed_memory_is_kept_for_what_comes_next() -> None:
    def faults(_number: int, _mark: Mark) -> int:
        bytearray(1 << 24)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range(20):
            bytearray(1 << 24)
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

    (found,) = results(faults, 1, 1).values()
    assert isinstance(found, int)
    assert found < 1000  # of 20 * 4096 pages
