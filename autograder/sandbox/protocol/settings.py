"""What a fork server is started with, as its supervisor and its warm process read it."""

from enum import StrEnum

import msgspec

from autograder.sandbox.limits import Limits

__all__ = ["TRIAL", "TRIAL_ANSWER", "WALLED", "WEAKEST", "Gpu", "Isolation", "Settings", "down_to"]

TRIAL_ANSWER = 2.0**24
TRIAL = """
import torch
ones = torch.ones(256, 256, device="cuda")
answer = float((ones @ ones).sum())
"""


class Isolation(StrEnum):
    """An isolation level: a kind of walls around a session, by its name, the strongest first.

    `autograder.sandbox.isolation.walls` builds them.
    """

    NAMESPACES = "namespaces"
    BUBBLEWRAP = "bubblewrap"
    OWN_USER = "own user"
    UNWALLED = "none"  # as a trial, which counts for nothing; a result does not name it

    @property
    def strength(self) -> int:
        """How strong it is: larger is stronger, 0 is none at all."""
        return len(Isolation) - 1 - list(Isolation).index(self)

    @property
    def is_walled(self) -> bool:
        """Whether there are walls at all."""
        return self is not Isolation.UNWALLED

    @property
    def has_own_processes(self) -> bool:
        """Whether each session is the first process of names of its own.

        Then nothing inside of it can kill it, all of it ends with it, and one that waits is out of
        the running one's reach.
        """
        return self is Isolation.NAMESPACES

    @property
    def has_own_mounts(self) -> bool:
        """Whether sessions have a file system of their own, which is bounded and ends with them."""
        return self in (Isolation.NAMESPACES, Isolation.BUBBLEWRAP)

    @property
    def has_own_user(self) -> bool:
        """Whether sessions have a user of their own, whose processes nobody else's count with."""
        return self in (Isolation.NAMESPACES, Isolation.OWN_USER)

    @property
    def is_in_bubblewrap(self) -> bool:
        """Whether bubblewrap stands around the fork server, which all sessions in it can see."""
        return self is Isolation.BUBBLEWRAP


WALLED = tuple(level for level in Isolation if level.is_walled)  # the strongest first
WEAKEST = WALLED[-1]


def down_to(weakest: Isolation) -> tuple[Isolation, ...]:
    """Return the isolation levels that will do, in the order in which they are tried."""
    if not weakest.is_walled:
        return (weakest,)
    return tuple(level for level in WALLED if level.strength >= weakest.strength)


class Gpu(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One GPU, as its driver names it.

    Attributes:
        id: what ``CUDA_VISIBLE_DEVICES`` takes: its UUID, which is the same wherever it is seen.
        name: as people know it.
        memory_mb: all of its memory.
        used_mb: what others used of it before the run.
        node: the file by which it is reached; "" where nobody says which one that is.
        smi: the program that tells of it, ``nvidia-smi``; "" where there is none.
        trial: the cell of a notebook that leaves `TRIAL_ANSWER` in ``answer`` if it computes.
    """

    id: str
    name: str
    memory_mb: int
    used_mb: int = 0
    node: str = ""
    smi: str = ""
    trial: str = TRIAL

    @property
    def called(self) -> str:
        """Its name with what tells it from others."""
        return f"{self.name} ({self.id})"


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settings of one fork server.

    Attributes:
        isolation: the level of its walls.
        limits: of each session.
        preload: modules to import before the first session.
        device: ``cpu`` or ``cuda``.
        card: the GPU that its sessions see; None is all of them.
        folder: for the sessions' files.
        user_names: the user namespace of the grader.
        others: how many tasks this user may have beside a session's.
        groups: folders of control groups that each session enters.
        shared: those that the fork server enters once.
        entries: what to write to for a process to be in each of the groups, once they are open.
        user: the number of the sessions' user, once the supervisor has chosen it.
    """

    isolation: Isolation
    limits: Limits
    preload: tuple[str, ...]
    device: str
    folder: str
    user_names: str
    others: int
    groups: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    entries: tuple[int, ...] = ()
    user: int | None = None
    card: Gpu | None = None

    @property
    def gpu(self) -> bool:
        """Whether sessions have a GPU."""
        return self.device == "cuda"

    def text(self) -> str:
        """Return the settings as one argument of a command."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def of(cls, text: str) -> "Settings":
        """Return the settings that an argument of a command holds."""
        return msgspec.json.decode(text, type=cls)
