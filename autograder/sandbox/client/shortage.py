"""Shortage: whether what failed in a session may have failed for want of what others had."""

from autograder.sandbox.client.fork_server import ForkServer

__all__ = ["wanted_the_processor"]

BUSY_SHARE = 0.7  # of its time that something must have had the processor to have used it


def wanted_the_processor(fork_server: ForkServer, waited: float, forks: bool) -> bool:
    """Return whether what ran out of its time was kept from the processor by others.

    What sleeps was not: it had no use for one.

    Args:
        fork_server: whose session it was.
        waited: seconds for which it was waited for.
        forks: whether it was a fork of the session.
    """
    had = fork_server.busy_seconds(forks) >= BUSY_SHARE * waited
    queued = fork_server.queued_seconds(forks)
    return not had and (queued is None or queued > (1 - BUSY_SHARE) * waited)
