"""Where the notebooks of an nbgrader course run: two fork servers, one for each side."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from autograder.errors import HarnessError
from autograder.foreign.definition import Definition
from autograder.foreign.harness import Setting
from autograder.sandbox.client.fork_server import ForkServer
from autograder.sandbox.isolation.canary import send_canary
from autograder.sandbox.limits import Limits
from autograder.sandbox.protocol.settings import WEAKEST, Isolation, down_to

__all__ = ["Servers"]

INSIDE = ("autograder.foreign.inside.rehearsal",)  # and with it all that runs on either side
ALWAYS = ("numpy", *INSIDE)


class Servers:
    """The two fork servers: one for students' code, and one for the tests of their courses.

    Args:
        preload: modules that they import before the first session, where all can be imported.
        limits: of each session.
        min_isolation: the weakest isolation level that will do.
        private: files and folders that no session may find.
        expected: modules that they import, too, where they can import these.
    """

    def __init__(
        self,
        preload: Sequence[str],
        limits: Limits,
        min_isolation: Isolation = WEAKEST,
        private: Sequence[Path] = (),
        expected: Sequence[str] = (),
    ) -> None:
        own = (*preload, *INSIDE)
        # A module of the course's may be there, and not importable: then it is done without.
        self._preloads = list(dict.fromkeys([tuple(dict.fromkeys([*expected, *own])), own, ALWAYS]))
        self._limits = limits
        self._levels, self._private = down_to(min_isolation), private
        self._open: list[ForkServer] = []

    def __enter__(self) -> "Servers":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def imported(self) -> frozenset[str]:
        """The modules that both have imported; none before they are warm."""
        return frozenset(self._preloads[0]) if self._open else frozenset()

    @property
    def isolation(self) -> Isolation:
        """The isolation level of their walls."""
        return self._warm()[0].isolation

    @property
    def tests(self) -> ForkServer:
        """The one for the tests."""
        return self._warm()[1]

    def setting(
        self,
        definition: Definition,
        files: Mapping[str, bytes],
        seconds: float,
        factor: float = 1.0,
    ) -> Setting:
        """Return where a notebook is run.

        Args:
            definition: the assignment's.
            files: what lies beside the student's notebook; the assignment's own replace them.
            seconds: how long all may take.
            factor: of the definition's limit on a cell.
        """
        students, tests = self._warm()
        own, cell = definition.files, self.cell_seconds(definition) * factor
        deadline = time.monotonic() + seconds
        return Setting(students, tests, {**files, **own}, own, cell, deadline)

    def cell_seconds(self, definition: Definition) -> float:
        """Return the limit on a cell: that on a submission, where the assignment has none."""
        known = definition.cell_seconds
        return known if known is not None else self._limits.submission_seconds

    def close(self) -> None:
        """End both."""
        for server in self._open:
            with suppress(Exception):
                server.close()
        self._open = []

    def _warm(self) -> list[ForkServer]:
        while not self._open:
            try:
                self._begin()
            except HarnessError:
                if len(self._preloads) == 1:
                    raise
                del self._preloads[0]
        return self._open

    def _begin(self) -> None:
        try:
            for _ in range(2):
                server = ForkServer(self._limits, self._preloads[0], levels=self._levels)
                self._open.append(server)
                if server.isolation.is_walled:
                    send_canary(server, self._private)
        except BaseException:
            self.close()
            raise
