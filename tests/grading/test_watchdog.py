import time

import numpy as np
import pytest

from autograder.artefacts.results import Verdict
from autograder.authoring.checks import case, check
from autograder.grading.cases import ReferenceSession, run_case
from autograder.grading.watchdog import watchdog
from autograder.sandbox.protocol.messages import InProcessSession


def loop_for_ever():
    while True:
        pass


def test_a_block_that_runs_too_long_is_stopped():
    with pytest.raises(TimeoutError, match=r"^it ran for more than 0 s$"), watchdog(0.05):
        loop_for_ever()


def test_a_block_in_time_is_left_alone_and_so_is_what_follows():
    with watchdog(0.05):
        pass
    time.sleep(0.1)


def test_waiting_takes_no_time_of_the_processor():
    with watchdog(0.05, of_processor=True):
        time.sleep(0.2)
    with pytest.raises(TimeoutError), watchdog(0.05, of_processor=True):
        loop_for_ever()


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
