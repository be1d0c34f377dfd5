"""Shortage: whether what failed in a session may have failed for want of what others had."""

from autograder.authoring.gpu import memory_on_gpu
from autograder.sandbox.client.fork_server import ForkServer
from autograder.sandbox.client.gpu import has_room
from autograder.sandbox.limits import MB

__all__ = ["wanted_the_gpu", "wanted_the_processor"]

BUSY_SHARE = 0.7  # of its time that something must have had the processor to have used it
OUT_OF_GPU = "OutOfMemoryError"  # PyTorch's name for it; anybody may raise one of that name


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


def wanted_the_gpu(fork_server: ForkServer, error_type: str) -> bool:
    """Return whether an error may be that others had taken memory of the same GPU.

    The name of an error is the session's word. So the driver must say, too, that the session could
    not have had its share; where there is no driver to ask, it has not.

    Args:
        fork_server: whose session it was.
        error_type: the name of the error's type.
    """
    gpu = fork_server.gpu
    if error_type != OUT_OF_GPU or gpu is None or not fork_server.shares_gpu:
        return False
    own = (memory_on_gpu(fork_server.in_use()) or 0) // MB
    return not has_room(gpu, fork_server.limits, own)
