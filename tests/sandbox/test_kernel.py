"""Calls of the system that no other test makes."""

import multiprocessing
import resource

from autograder.sandbox.kernel import keep_freed_memory

LARGE = 32 << 20  # bytes


def faults_of_a_second_array(keeps):
    """Return how many pages the system clears for an array that is made where one has been."""
    if keeps:
        keep_freed_memory()
    bytearray(LARGE)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    bytearray(LARGE)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def test_memory_that_is_freed_is_kept_for_what_comes_next():
    with multiprocessing.get_context("fork").Pool(1) as pool:
        first, kept = pool.map(faults_of_a_second_array, [False, True])
    assert kept < 100 < first
