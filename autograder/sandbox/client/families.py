"""Families: the processes of a fork server's sessions, as they are outside of their walls."""

from contextlib import suppress
from typing import NamedTuple

from autograder.sandbox.kernel import children_of, family_of, is_called

__all__ = ["Families"]


class Families(NamedTuple):
    """The processes below a fork server: ``sessions`` are its children.

    What a session has started becomes a child of the fork server, too, when its own parent ends, at
    the isolation levels at which a session is not the first process of a namespace.
    """

    fork_server: int
    sessions: tuple[int, ...]

    @classmethod
    def below(cls, supervisor: int, boxed: bool, driver: str) -> "Families":
        """Look at the processes below a supervisor.

        Args:
            supervisor: its number.
            boxed: whether bubblewrap is around the fork server.
            driver: the driver's program, which may run beside it; "" is none.
        """
        kept = [p for p in children_of(supervisor) if not (driver and is_called(p, driver))]
        (warm, *_) = kept or [0]
        if boxed:  # it is what this process is
            (warm, *_) = children_of(warm) or [0]
        return cls(warm, tuple(children_of(warm)))

    def members(self, forks: bool) -> set[int]:
        """Return the processes of sessions, and what they started.

        Args:
            forks: without the sessions' own processes.
        """
        used = {process for session in self.sessions for process in family_of(session)}
        return used.difference(self.sessions if forks else ())

    def without(self, number: int) -> tuple[int, ...]:
        """Return the processes of all sessions but one, each before what it started.

        Args:
            number: of that one, as the fork server knows it; 0 leaves none out.
        """
        others = [s for s in self.sessions if not number or self._number_of(s) != number]
        return tuple(dict.fromkeys(p for session in others for p in family_of(session)))

    def _number_of(self, session: int) -> int:
        """Return the number that a session has for the fork server, in its process namespace."""
        depth = len(_numbers_of(self.fork_server)) - 1
        numbers = _numbers_of(session)
        return numbers[depth] if 0 <= depth < len(numbers) else session


def _numbers_of(process: int) -> list[int]:
    """Return the numbers of a process in its process namespaces, from ours inwards."""
    with (
        suppress(OSError),
        open(f"/proc/{process}/status", encoding="utf-8", errors="replace") as file,
    ):
        for line in file:
            if line.startswith("NSpid:"):
                return [int(word) for word in line.split()[1:]]
    return []
