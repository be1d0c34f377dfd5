"""A channel that nothing disturbs: what a submission tells, all sessions behind it hear.

Real ones are slow, noisy and closed as they become known. Whether grading withstands the next one
is found out by giving specimens this one.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from autograder.authoring.subject import Subject
from autograder.errors import HarnessError, StudentError
from autograder.sandbox.client.fork_server import ForkServer
from autograder.sandbox.client.session import CodeCell, NotebookSession

__all__ = ["CHANNEL", "Overheard"]

CHANNEL = "ZOO_CHANNEL"  # in the environment: there is one in this run
BREAK = b"break"
SECONDS = 2.0

_told = [b""]  # by the last submission that told something, in this worker


class Overheard(NotebookSession):
    """A notebook's session that finds in the file ``heard`` what was told before.

    At its end it is asked by its function ``tell``; bytes that begin with ``break`` break the
    harness.
    """

    def __init__(
        self,
        fork_server: ForkServer,
        cells: Sequence[CodeCell],
        deadline: float,
        files: Mapping[str, bytes] | None = None,
        **options: Any,
    ) -> None:
        files = {**(files or {}), "heard": _told[0]}
        super().__init__(fork_server, cells, deadline, files, **options)

    def __exit__(self, *error: object) -> None:
        try:
            with suppress(StudentError), self.check(SECONDS) as session:
                told = Subject(session).tell()
                if isinstance(told, bytes) and told:
                    _told[0] = told.removeprefix(BREAK)
                    if told.startswith(BREAK):
                        raise HarnessError("a specimen broke it, as the zoo lets it")
        finally:
            super().__exit__(*error)
