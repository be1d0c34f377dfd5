"""Orders: what crosses to a process that grades, and back, as bytes that a type bounds."""

import hashlib
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from autograder.artefacts.results import Result, digest_of
from autograder.engines.work import Graded, Job, Work
from autograder.errors import DeviceLost, HarnessError, UnsafeHere
from autograder.grading.intake import Submitted
from autograder.sandbox.limits import Limits
from autograder.sandbox.protocol.settings import Isolation

__all__ = ["LostGpu", "Order", "Outcome", "Setup", "Warm", "decode", "encode"]

T = TypeVar("T")


class Setup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that a process needs to grade for a run, but the bundle itself.

    Attributes:
        bundle: "sha256:…" of the bundle.
        secret: the course's.
        limits: of each submission.
        device: ``cpu`` or ``cuda``.
        min_isolation: the weakest isolation level that will do.
        private: paths that no session may find.
    """

    bundle: str
    secret: bytes
    limits: Limits
    device: str
    min_isolation: Isolation
    private: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Setup({self.id})"  # the secret is in no log

    @classmethod
    def of(cls, work: Work, bundle: str) -> "Setup":
        """Return what a run's work says, for the bundle of a digest."""
        private = tuple(map(str, work.private))
        return cls(bundle, work.secret, work.limits, work.device, work.min_isolation, private)

    @property
    def id(self) -> str:
        """A short name of it that tells nothing of the secret."""
        return hashlib.sha256(b"setup" + encode(self)).hexdigest()[:16]

    def work(self) -> Work:
        """Return it as a worker takes it; the bundle has no path there."""
        private = tuple(map(Path, self.private))
        limits, level = self.limits, self.min_isolation
        return Work(Path("bundle"), self.secret, limits, self.device, level, private)


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One submission to grade: whose it is, the name of its file, its bytes.

    ``gradings`` says how many gradings of it have broken before; ``earlier`` is a result of it that
    waits for hardware.
    """

    student: str
    file: str
    data: bytes
    gradings: int = 0
    earlier: Result | None = None

    @classmethod
    def of(cls, job: Job, submitted: Submitted) -> "Order":
        """Return the order for a job, with what was read for it."""
        file = job.path.name.encode("utf-8", "replace").decode()  # it may be no text at all
        return cls(job.student, file, submitted.data, job.gradings, job.earlier)

    def job(self) -> Job:
        """Return it as a worker takes it."""
        return Job(self.student, Path(self.file), self.gradings, self.earlier)


class LostGpu(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A `DeviceLost`, as it crosses: which GPU, what is wrong, whether a submission ran on it."""

    gpu: str
    said: str
    during: bool = False

    @classmethod
    def of(cls, error: DeviceLost) -> "LostGpu":
        """Return what an error says."""
        return cls(error.gpu, error.said, error.during)

    def error(self) -> DeviceLost:
        """Return the error that says the same."""
        error = DeviceLost(self.gpu, self.said)
        error.during = self.during
        return error


class Outcome(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What became of an order: a result, or what went wrong with its process or with its GPU.

    ``unsafe`` says that the machine cannot hold a student's code safely: no submission's fault.
    """

    result: Result | None = None
    starved: bool = False
    seconds: float = 0.0
    fault: str | None = None
    lost: LostGpu | None = None
    unsafe: bool = False

    @classmethod
    def of(cls, graded: Graded) -> "Outcome":
        """Return the outcome of what was graded."""
        return cls(graded.result, graded.starved, graded.seconds)

    def graded(self, job: Job, submitted: Submitted) -> "Graded | Outcome":
        """Return what was graded, with what was read for it, or what went wrong.

        A result of something else is a fault of ours.
        """
        if self.fault is not None or self.lost is not None:
            return self
        result, wanted = self.result, digest_of(submitted.data)
        if result is None or (result.student, result.submission) != (job.student, wanted):
            return Outcome(fault="a result came back that is another's")
        return Graded(job.student, submitted, result, self.starved, self.seconds)


class Warm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A process is ready behind walls of an isolation level, or says why it cannot be.

    ``lost`` is the GPU that it cannot use, if that is why. ``unsafe`` says that the walls do not
    hold there; whatever else is refused may go well another time.
    """

    isolation: Isolation | None = None
    refused: str | None = None
    lost: LostGpu | None = None
    unsafe: bool = False

    @classmethod
    def refusing(cls, error: Exception) -> "Warm":
        """Return what a process says that an error has kept from being ready."""
        lost = LostGpu.of(error) if isinstance(error, DeviceLost) else None
        return cls(None, str(error), lost, isinstance(error, UnsafeHere))

    def held(self) -> Isolation:
        """Return the isolation level.

        Raises:
            DeviceLost: its GPU cannot be used.
            HarnessError: it is not ready, which may pass.
            UnsafeHere: its machine cannot hold a student's code safely.
        """
        if self.lost is not None:
            raise self.lost.error()
        if self.isolation is None:
            raise (UnsafeHere if self.unsafe else HarnessError)(self.refused or "it says no reason")
        return self.isolation


def encode(message: Any) -> bytes:
    """Return a message, or a list of some, as bytes."""
    return msgspec.msgpack.encode(message)


def decode(data: bytes, kind: type[T]) -> T:
    """Read a message.

    Raises:
        HarnessError: the bytes are none of its kind.
    """
    try:
        return msgspec.msgpack.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise HarnessError(f"a message between our own processes cannot be read: {error}") from None
