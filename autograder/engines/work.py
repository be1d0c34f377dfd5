"""Work: what is given to an engine, what comes back, and what an engine is."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from autograder.cluster import Cluster
from autograder.course import Course
from autograder.sandbox.limits import Limits
from autograder.sandbox.protocol.settings import WEAKEST, Gpu, Isolation

if TYPE_CHECKING:
    from autograder.artefacts.results import Result
    from autograder.engines.feed import Feed
    from autograder.grading.intake import Submitted

__all__ = ["GRADINGS", "Engine", "Graded", "Job", "StandingEngine", "Work"]

GRADINGS = 5  # of a submission in one run, at the most; each has inputs of its own


@dataclass(frozen=True)
class Work:
    """What the workers of one run share.

    ``cluster`` is for an engine that needs other machines; ``gpus`` are those of this machine over
    which workers are spread: nothing means all that there are.
    """

    bundle: Path
    secret: bytes = field(repr=False)
    limits: Limits
    device: str
    min_isolation: Isolation = WEAKEST
    private: tuple[Path, ...] = ()
    gpus: tuple[Gpu, ...] = ()
    cluster: Cluster = field(default_factory=Cluster)

    @classmethod
    def of(cls, course: Course, name: str, device: str, min_isolation: Isolation) -> "Work":
        """Return the work at an assignment of a course.

        Raises:
            UnsafeHere: the course requires a secret, and has none.
        """
        return cls(
            course.bundle(name),
            course.secret_to_grade_with(),
            course.limits_of(name),
            device,
            min_isolation,
            course.private(),
            cluster=course.cluster.within(course.root),
        )


@dataclass(frozen=True)
class Job:
    """One submission to grade: as it is when its turn comes.

    ``gradings`` says how many gradings of it have broken before: each has inputs of its own.
    ``earlier`` is a result of it that waits for hardware: what is open of it is graded.
    ``lost`` says how many GPUs were lost while it was graded.
    """

    student: str
    path: Path
    gradings: int = 0
    earlier: "Result | None" = field(default=None, repr=False)
    lost: int = 0


@dataclass(frozen=True)
class Graded:
    """A submission that was graded: what was read of it then, and the result.

    ``starved`` says that something ran out of time that had not had the processor for it;
    ``seconds`` is the wall time that its worker took, and ``former_seconds`` that of a grading
    before, which was starved and counted for nothing.
    """

    student: str
    submitted: "Submitted" = field(repr=False)
    result: "Result"
    starved: bool = False
    seconds: float = 0.0
    former_seconds: float = 0.0


class Engine(Protocol):
    """Has submissions graded."""

    def __call__(self, work: Work, jobs: Sequence[Job], workers: int) -> Iterator[Graded]:
        """Grade each job, and yield each submission as it is done.

        What is lost on the way is graded again, at most `GRADINGS` times, each time as a job with
        one more grading; a submission that breaks its worker stops no other.

        Args:
            work: what the workers share.
            jobs: the submissions.
            workers: how many are graded at a time.

        Raises:
            DeviceLost: no GPU is left; what was not yielded is for a later run.
            HarnessError: the bundle cannot be read or run here.
            UnsafeHere: a machine cannot hold a student's code safely.
        """


class StandingEngine(Protocol):
    """Has submissions graded for a grader that stays up, in several runs at a time."""

    def __call__(
        self, work: Work, jobs: "Sequence[Job] | Feed[Job]", workers: int
    ) -> Iterator[Graded]:
        """Grade as an `Engine` does; of a feed also what comes meanwhile, until it is closed."""

    def held(self, work: Work) -> AbstractContextManager[int]:
        """Be ready while a block lasts; give how many submissions are graded at a time."""

    def close(self) -> None:
        """End what is kept between runs."""
