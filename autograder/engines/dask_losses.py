"""The GPUs that a run on a cluster has lost: which workers had them, and what ran there then."""

from dataclasses import replace

from autograder.engines.dask_workers import Workers
from autograder.engines.orders import LostGpu
from autograder.engines.places import none_left
from autograder.engines.work import Job
from autograder.errors import DeviceLost

__all__ = ["Losses"]


class Losses:
    """What one run has lost."""

    def __init__(self) -> None:
        self._lost: dict[str, LostGpu] = {}  # by the worker's address
        self._culprits = list[str]()
        self._may_come_back = set[str]()
        self._asked = set[str]()  # again, when no other was left

    def note(self, workers: Workers, worker: str, job: Job, lost: LostGpu) -> Job:
        """Have a worker used no more; return its submission, to be sent again.

        Args:
            workers: of the run.
            worker: the address of the one whose GPU is lost.
            job: what it had.
            lost: what it says of the GPU.
        """
        self._lost[worker] = lost
        workers.lose(worker, str(lost.error()))
        if not lost.during:
            return job
        self._culprits.append(job.student)
        self._may_come_back.add(worker)
        # With inputs of its own, as whenever something is run a second time.
        return replace(job, lost=job.lost + 1, gradings=job.gradings + 1)

    def hope(self, workers: Workers) -> bool:
        """Ask workers again whose GPU was lost with a submission; return whether there were any.

        It may be sound again, now that nothing is run on it. Each is asked once for each loss.
        """
        self._asked, self._may_come_back = self._may_come_back, set()
        workers.ask_again(self._asked)
        return bool(self._asked)

    def are_all(self, workers: Workers) -> bool:
        """Return whether no worker is left, and those that were asked again have not come back."""
        refused = not self._asked.isdisjoint(workers.refused)
        return refused and not workers.fit and not workers.are_asked

    def error(self, left: int) -> DeviceLost:
        """Return the error of a run that no worker is left to.

        Args:
            left: how many submissions are not graded.
        """
        return none_left([lost.error() for lost in self._lost.values()], self._culprits, left)
