"""Places: where the workers of a run grade, on the processors alone or spread over GPUs."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from autograder.artefacts.manifest import Manifest
from autograder.engines.work import Job, Work
from autograder.errors import DeviceLost
from autograder.sandbox.client.gpu import device_here, require_free, sessions_on
from autograder.sandbox.protocol.settings import Gpu
from autograder.visible import visible

__all__ = ["MOST_LOST", "Lost", "Place", "Places", "device_for"]

MOST_LOST = 2  # GPUs that a submission may lose; then it is for staff, and others go on


def device_for(wanted: str, manifest: Manifest) -> str:
    """Return the device of a run: for ``auto`` a GPU, where there is one and a check needs it.

    Raises:
        DeviceLost: there is one, and its driver does not answer.
    """
    if wanted != "auto":
        return wanted
    checks = (check for question in manifest.questions for check in question.checks)
    return device_here() if any(check.device == "cuda" for check in checks) else "cpu"


@dataclass(frozen=True)
class Place:
    """Some workers that grade side by side; ``gpu`` is None where there is none."""

    gpu: Gpu | None
    workers: int


@dataclass(frozen=True)
class Lost:
    """What a worker says in place of a result; ``during`` is whether it ran the submission."""

    error: DeviceLost
    during: bool


class Places:
    """The places of one run. A GPU that is lost is used no more, unless it comes back by itself.

    Args:
        work: what the workers share.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._lost: dict[Gpu, DeviceLost] = {}
        self._culprits: list[str] = []
        self._may_come_back = False

    def of(self, workers: int) -> list[Place]:
        """Return places for so many workers, at the most, on the GPUs that are left."""
        if self._work.device != "cuda" or not self._work.gpus:
            return [Place(None, workers)]
        limits, counts = self._work.limits, dict[Gpu, int]()
        turns = [
            (number, gpu)
            for gpu in self._work.gpus
            if gpu not in self._lost
            for number in range(sessions_on(gpu, limits))
        ]
        for _, gpu in sorted(turns, key=lambda turn: turn[0])[:workers]:  # one on each first
            counts[gpu] = counts.get(gpu, 0) + 1
        return [Place(gpu, count) for gpu, count in counts.items()]

    def is_lost(self, place: Place) -> bool:
        """Return whether a place is used no more."""
        return place.gpu in self._lost

    def note(self, job: Job, place: Place, lost: Lost) -> Job:
        """Note that a worker of a place has lost its GPU; return its job, for another place."""
        assert place.gpu is not None
        self._lost.setdefault(place.gpu, lost.error)
        if not lost.during:
            return job
        self._culprits.append(job.student)
        self._may_come_back = True
        # With inputs of its own, as whenever something is run a second time.
        return replace(job, lost=job.lost + 1, gradings=job.gradings + 1)

    def come_back(self) -> bool:
        """Return whether a lost GPU is sound again, now that nothing is run on it.

        One that was lost with a submission may be: then that submission stops no other. It is asked
        once for each that was.
        """
        if not self._may_come_back:
            return False
        self._may_come_back = False
        for gpu in list(self._lost):
            with suppress(DeviceLost):
                require_free(gpu, self._work.limits)
                del self._lost[gpu]
        return len(self._lost) < len(self._work.gpus)

    def all_lost(self, left: int) -> DeviceLost:
        """Return the error of a run that no GPU is left to.

        Args:
            left: how many submissions are not graded.
        """
        return DeviceLost(
            "; ".join(gpu.called for gpu in self._lost),
            f"{'; '.join(self._reasons())}; {left} of the submissions wait for a GPU: run the same "
            "command again when one answers",
        )

    def _reasons(self) -> Iterator[str]:
        seen: Sequence[str] = list(dict.fromkeys(error.said for error in self._lost.values()))
        yield from seen
        if self._culprits:
            names = " and ".join(map(visible, dict.fromkeys(self._culprits)))
            yield f"it was lost while {names} was graded"
