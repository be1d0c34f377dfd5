from autograder.engines.batches import Pace
from tests.each import require_each


def pace(*seconds, alone=False):
    found = Pace(alone)
    for one in seconds:
        found.note(one)
    return found


def test_a_batch_takes_two_seconds_and_a_scheduler_gets_a_hundred_a_second():
    def is_so(seconds, slots, left, size):
        assert pace(*seconds).size(slots, left) == size

    cases = (
        ((), 8, 1000, 1),  # nothing is known
        ((2.0,), 2, 1000, 1),
        ((0.5,), 2, 1000, 4),
        ((0.01,), 2, 10_000, 64),  # the most
        ((2.0,), 800, 100_000, 4),  # else 400 a second
        ((0.5, 0.5, 30.0), 2, 1000, 4),  # one that is slow changes nothing
        ((0.1,), 2, 6, 2),  # near the end all slots have something
        ((0.1,), 2, 0, 1),
        ((0.1,), 0, 100, 1),  # all workers are gone
        ((0.0,), 2, 1000, 64),
    )
    require_each(cases, is_so)


def test_a_gpu_gets_one_at_a_time():
    assert pace(0.01, alone=True).size(4, 1000) == 1
