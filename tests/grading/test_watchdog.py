import threading
import time
import weakref

import numpy as np
import pytest

from autograder.artefacts.results import Verdict
from autograder.authoring.checks import case, check
from autograder.errors import StudentError, StudentTimeout
from autograder.grading.cases import ReferenceSession, run_case
from autograder.grading.watchdog import TimedSession, watchdog
from autograder.sandbox.protocol.messages import InProcessSession


def loop_for_ever():
    while True:
        pass


def busy(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def test_a_block_that_runs_too_long_is_stopped():
    with pytest.raises(TimeoutError, match=r"^it ran for more than 0 s$"), watchdog(0.05):
        loop_for_ever()


def test_a_block_in_time_is_left_alone_and_so_is_what_follows():
    with watchdog(0.05):
        pass
    time.sleep(0.1)


@pytest.mark.parametrize("of_processor", [False, True])
def test_a_stop_that_falls_into_a_finalizer_is_not_lost(of_processor):
    class Lingering:
        def __del__(self):
            busy(0.1)

    def linger():
        Lingering()
        busy(20)

    with pytest.raises(TimeoutError), watchdog(0.02, of_processor):
        linger()


def test_a_stop_that_falls_into_the_callback_of_a_weak_reference_is_not_lost():
    def linger():
        weakref.finalize(threading.Event(), busy, 0.1)
        busy(20)

    with pytest.raises(TimeoutError), watchdog(0.02):
        linger()


def test_waiting_takes_no_time_of_the_processor():
    with watchdog(0.05, of_processor=True):
        time.sleep(0.2)
    with pytest.raises(TimeoutError), watchdog(0.05, of_processor=True):
        loop_for_ever()


def test_a_block_in_another_thread_is_stopped_too_and_what_follows_is_left_alone():
    said = []

    def work():
        for seconds in (0.05, 10.0):
            try:
                with watchdog(seconds) as watch:
                    while seconds < 1:
                        pass
            except TimeoutError:
                said.append("stopped")
            said.append(watch.is_over)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(10)
    assert said == ["stopped", True, False]


def test_each_call_of_a_timed_session_has_its_own_time():
    def f(seconds):
        time.sleep(seconds)
        return seconds

    session = TimedSession({"f": f}, 0.2)
    target = session.get("f").number
    assert [session.call(target, (0.12,), {}, False)[0] for _ in range(3)] == [0.12] * 3
    with pytest.raises(StudentTimeout, match=r"^ran for more than 0\.2 s$"):
        session.call(target, (5,), {}, False)


def test_an_error_in_time_stays_what_it_is():
    session = TimedSession({"f": lambda: 1 / 0}, 10.0)
    with pytest.raises(StudentError, match="ZeroDivisionError"):
        session.call(session.get("f").number, (), {}, True)


def test_a_check_that_loops_over_the_students_number_is_stopped_and_the_miss_is_theirs():
    @check("n", points=1)
    @case("hidden", hidden=True)
    def counts(student, reference, rng):
        for _ in range(student.n):
            pass

    result = run_case(
        counts,
        counts.cases[0],
        InProcessSession({"n": 10**15}),
        ReferenceSession({"n": 3}),
        np.random.default_rng,
        seconds=0.2,
    )
    assert result.verdict is Verdict.FAILED
    assert "the check cannot use what the code returned (TimeoutError" in result.message
