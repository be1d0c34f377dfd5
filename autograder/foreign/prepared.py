"""The session of a notebook's tests, run ahead as far as it is the same for all students.

Each student's tests run in a fork of it, which ends with them: so imports and given cells are not
run for each of them anew.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from types import MappingProxyType
from typing import Any

from autograder.errors import HarnessError, StudentError
from autograder.foreign.inside.testing import ASK
from autograder.foreign.plan import NotebookPlan, TestNames
from autograder.foreign.relay import Tests
from autograder.sandbox.client.fork_server import ForkServer
from autograder.sandbox.client.session import CheckSession
from autograder.sandbox.client.unforked import UnforkedSession

__all__ = ["GIVEN", "Prepared", "label_of", "run_ahead"]

GIVEN = "<given>"  # what a traceback calls a given cell
SHARE = 32  # of the memory that sessions may have: more a prepared one may not take
MOST_BYTES = 2 << 20  # of the files beside the tests, which are read behind each student


class Prepared:
    """The session from which those of all students are forked.

    Nothing is prepared where it cannot be forked, for threads or processes that it has, or takes
    much memory, which counts for all sessions together. Where a test has left a file, the next
    student's tests have another session; what it left running ended with its fork.

    Args:
        server: forks the session.
        plan: of the notebook's tests.
        files: what lies beside the tests.
        seconds: the limit on a cell.
        sources: the texts of tests, by name: what is known is compiled once for all students.
    """

    def __init__(
        self,
        server: ForkServer,
        plan: NotebookPlan,
        files: Mapping[str, bytes],
        seconds: float,
        sources: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._server, self._plan, self._files, self._seconds = server, plan, files, seconds
        self._sources = sources
        self._session: UnforkedSession | None = None
        self._began = 0  # how often the session had been begun when it was prepared
        self._known: Any = None  # what there was of files and processes then
        self._is_fit = plan.forked and sum(map(len, files.values())) <= MOST_BYTES

    def get_ready(self) -> None:
        """Prepare the session, if that is not done.

        Raises:
            HarnessError: the fork server is gone.
        """
        if self._session is not None or not self._is_fit:
            return
        session = self._session = UnforkedSession(self._server, [], float("inf"), self._files)
        try:
            asked = session.itself(self._seconds, [ASK])
            is_lost = run_ahead(Tests(asked), self._plan, self._seconds)
            asked.apply(_compile, (self._cells(),), {})
            room = self._server.limits.memory_mb / SHARE
            self._is_fit = not is_lost and asked.apply(_own_mb, (), {}) <= room
            self._began, self._known = session.began, self._traces_of(session)
        except StudentError:
            self._is_fit = False
        if not self._is_fit:
            self.close()

    @contextmanager
    def forked(self) -> Iterator[CheckSession | None]:
        """Give a fork of the session; None where there is none.

        Raises:
            HarnessError: the fork server is gone.
        """
        self.get_ready()
        if (session := self._session) is None:
            yield None
            return
        try:
            with ExitStack() as stack:
                try:
                    fork = stack.enter_context(session.check(self._seconds))
                except StudentError:  # it may start no other process
                    self._is_fit, fork = False, None
                if session.began != self._began:  # it could not be forked, or had ended
                    self._is_fit = self._is_fit and not session.anew
                    self._known, fork = None, None
                yield fork
        finally:
            if not self._is_fit or self._known is None or self._traces_of(session) != self._known:
                self.close()

    def close(self) -> None:
        """End the session."""
        session, self._session = self._session, None
        if session is not None:
            with suppress(HarnessError):  # its fork server is gone
                session.close()

    def _cells(self) -> list[tuple[str, str, str]]:
        """Return the cells that forks will run: the text of each, its label, what is shown."""
        later = self._plan.given[self._plan.ahead :]
        cells = [(source, GIVEN, self._plan.shown_of(source)) for source in later]
        for name, source in self._sources.items():
            if (test := self._plan.tests.get(name)) is not None and test.is_hardened:
                cells.append((source, label_of(name), test.shown))
        return cells

    def _traces_of(self, session: UnforkedSession) -> Any:
        """Return what there is of files and processes; None where the session has ended."""
        try:
            return session.itself(self._seconds).apply(_traces, (), {})
        except StudentError:
            return None


def run_ahead(tests: Tests, plan: NotebookPlan, seconds: float) -> bool:
    """Run the given cells that need nothing of a student's; return whether one ended the session.

    Args:
        tests: the session of the tests, in which nothing has run.
        plan: of the tests.
        seconds: the limit on a cell.

    Raises:
        HarnessError: the session says what it cannot.
    """
    return any(
        tests.run(
            source,
            TestNames(),
            GIVEN,
            None,
            seconds,
            is_test=False,
            shown=plan.shown_of(source),
        ).lost
        for source in plan.given[: plan.ahead]
    )


def label_of(test: str) -> str:
    """Return what a traceback calls a test."""
    return f"<{test}>"


def _compile(notebook: object, cells: list[tuple[str, str, str]]) -> None:
    """Compile cells, where this helper runs."""
    from autograder.foreign.inside.compiling import compile_ahead

    compile_ahead(cells)


def _own_mb(notebook: object) -> float:
    """Return the memory of a session's own, in MB, where this helper runs."""
    with open("/proc/self/smaps_rollup", encoding="utf-8") as file:
        return sum(int(line.split()[1]) for line in file if line.startswith("Private_")) / 1024


def _traces(notebook: object) -> list[tuple[object, ...]]:
    """Return the files and processes of a session, where this helper runs."""
    import os
    import stat
    import zlib

    from autograder.sandbox.kernel import children_of

    found: list[tuple[object, ...]] = [tuple(children_of(os.getpid()))]
    for place in (".", "/dev/shm"):
        for folder, folders, names in os.walk(place):
            for name in sorted(folders + names):
                path = os.path.join(folder, name)
                said = os.lstat(path)
                found.append((path, said.st_mode, said.st_size, said.st_mtime_ns))
                # By its bytes, too: what is written through a map leaves the time as it was.
                if place == "." and stat.S_ISREG(said.st_mode):
                    with open(path, "rb") as file:
                        found.append((zlib.crc32(file.read()),))
    return found
