"""Places: where the workers of a run grade, on the processors alone or spread over GPUs."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace

from autograder.artefacts.manifest import Manifest
from autograder.engines.work import Job, Work
from autograder.errors import DeviceLost
from autograder.sandbox.client.gpu import device_here, require_free, sessions_on
from autograder.sandbox.protocol.settings import Gpu
from autograder.visible import visible

__all__ = ["MOST_LOST", "Lost", "Place", "Places", "device_for", "none_left", "times_lost"]

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


def none_left(lost: Iterable[DeviceLost], culprits: Iterable[str], left: int) -> DeviceLost:
    """Return the error of a run that no GPU is left to.

    Args:
        lost: what each of them said.
        culprits: the students with whose submissions they were lost.
        left: how many submissions are not graded.
    """
    lost, names = list(lost), list(dict.fromkeys(map(visible, culprits)))
    reasons = list(dict.fromkeys(error.said for error in lost))
    if names:
        were = "were" if len(names) > 1 else "was"
        reasons.append(f"lost while {' and '.join(names)} {were} graded")
    return DeviceLost(
        "; ".join(dict.fromkeys(error.gpu for error in lost)),
        f"{'; '.join(reasons)}; {left} of the submissions wait for a GPU: run the same command "
        "again when one answers",
    )


def times_lost(times: int) -> str:
    """Return how often a GPU was lost while a submission was graded, as a fault says it."""
    return f"a GPU was lost with it {'once' if times == 1 else f'{times} times'}"


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

    Attributes:
        left: how many submissions are not graded yet; the engine counts them.

    Args:
        work: what the workers share.
        left: how many there are.
    """

    def __init__(self, work: Work, left: int = 0) -> None:
        self._work, self.left = work, left
        self._lost: dict[Gpu, DeviceLost] = {}
        self._culprits: dict[Gpu, list[str]] = {}
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

    def are_left(self) -> bool:
        """Return whether there are GPUs that are not lost."""
        return len(self._lost) < len(self._work.gpus)

    def note(self, job: Job, place: Place, lost: Lost) -> Job:
        """Note that a worker of a place has lost its GPU; return its job, for another place."""
        assert place.gpu is not None
        self._lost.setdefault(place.gpu, lost.error)
        if not lost.during:
            return job
        self._culprits.setdefault(place.gpu, []).append(job.student)
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
                self._culprits.pop(gpu, None)
        return self.are_left()

    def all_lost(self) -> DeviceLost:
        """Return the error of a run that no GPU is left to."""
        culprits = [student for gpu in self._lost for student in self._culprits.get(gpu, ())]
        errors = [DeviceLost(gpu.called, error.said) for gpu, error in self._lost.items()]
        return none_left(errors, culprits, self.left)
