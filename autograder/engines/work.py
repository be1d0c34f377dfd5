"""Work: what is given to an engine, what comes back, and what an engine is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from autograder.cluster import Cluster
from autograder.course import Course
from autograder.sandbox.limits import Limits
from autograder.sandbox.protocol.settings import WEAKEST, Isolation

if TYPE_CHECKING:
    from autograder.artefacts.results import Result
    from autograder.grading.intake import Submitted

__all__ = ["GRADINGS", "Engine", "Graded", "Job", "Work"]

GRADINGS = 5  # of a submission in one run, at the most; each has inputs of its own


@dataclass(frozen=True)
class Work:
    """What the workers of one run share; ``cluster`` is for an engine that needs other machines."""

    bundle: Path
    secret: bytes = field(repr=False)
    limits: Limits
    device: str
    min_isolation: Isolation = WEAKEST
    private: tuple[Path, ...] = ()
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
            course.cluster.within(course.root),
        )


@dataclass(frozen=True)
class Job:
    """One submission to grade: as it is when its turn comes.

    ``gradings`` says how many gradings of it have broken before: each has inputs of its own.
    """

    student: str
    path: Path
    gradings: int = 0


@dataclass(frozen=True)
class Graded:
    """A submission that was graded: what was read of it then, and the result.

    ``starved`` says that something ran out of time that had not had the processor for it;
    ``seconds`` is the wall time that its worker took.
    """

    student: str
    submitted: "Submitted" = field(repr=False)
    result: "Result"
    starved: bool = False
    seconds: float = 0.0


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
            HarnessError: the bundle cannot be read or run here.
            UnsafeHere: a machine cannot hold a student's code safely.
        """
