"""What the gradebook asks of the database that its tables are in: a file, or one on a server."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from autograder.records.nbgrader_tables import tables

__all__ = ["ADVICE", "TABLE", "Database", "Opened", "closing_gradebook", "make_tables", "reason_of"]

ADVICE = "put that right, and run the same command again; no score is lost"
TABLE = "autograder_written"  # ours, beside nbgrader's


@dataclass(frozen=True)
class Opened:
    """A gradebook that nobody else changes until it is closed.

    Attributes:
        gradebook: nbgrader's.
        before: a digest of the state that it was found in.
        commit: writes what was changed, and returns a digest of the state that this leaves; ""
            where somebody else has changed it already.
    """

    gradebook: Any
    before: str
    commit: Callable[[], str]


class Database(Protocol):
    """Where nbgrader's tables are."""

    @property
    def name(self) -> str:
        """What messages call it."""

    @property
    def most_letters(self) -> int | None:
        """How many letters a name in it has at most; None for no end."""

    def is_there(self) -> bool:
        """Return whether there may be something in it."""

    def digest(self) -> str:
        """Return a digest of its state; "" where there is none, or nobody can look."""

    def opened(self, notes: list[str]) -> AbstractContextManager[Opened]:
        """Open it for a change; what is not there is made.

        Args:
            notes: is told what was moved aside.

        Raises:
            HarnessError: it cannot be reached or made, or holds something else.
        """

    def read(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query, with ``?`` for each value; none where there is no such table.

        Raises:
            HarnessError: nobody can read it now.
        """


def reason_of(error: Exception) -> str:
    """Return the database's own words, or the system's, without statements and addresses."""
    own = getattr(error, "orig", None) or getattr(error, "strerror", None)
    return str(own or error).partition("\n")[0]


def make_tables(connection: Any) -> None:
    """Make nbgrader's tables, with their version as nbgrader's own have it."""
    from sqlalchemy import text

    tables().Base.metadata.create_all(connection)
    connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
    values = {"version": _schema_version()}
    connection.execute(text("INSERT INTO alembic_version VALUES (:version)"), values)


@cache
def _schema_version() -> str:
    """Return the version of nbgrader's tables, by which ``nbgrader db upgrade`` knows them."""
    import nbgrader
    from alembic.script import ScriptDirectory

    head = ScriptDirectory(str(Path(nbgrader.__file__).parent / "alembic")).get_current_head()
    assert head is not None
    return head


def closing_gradebook(url: Any) -> Any:
    """Return nbgrader's gradebook, which leaves its connection open where it cannot be opened."""

    class Closing(tables().Gradebook):  # type: ignore[misc]
        def __init__(self, url: Any) -> None:
            try:
                super().__init__(url)
            except BaseException:
                self.close()
                raise

    return Closing(url)
