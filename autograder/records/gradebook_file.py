"""The gradebook as a file of SQLite's: made where there is none, set aside where it is none."""

import hashlib
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from autograder.errors import HarnessError
from autograder.records.database import (
    ADVICE,
    Opened,
    closing_gradebook,
    make_tables,
    reason_of,
)

__all__ = ["GradebookFile"]

MAGIC = b"SQLite format 3\0"
NO_DATABASE = ("file is not a database", "database disk image is malformed")
CHANGES = slice(24, 28)  # of the file's header


class GradebookFile:
    """nbgrader's ``gradebook.db``.

    Args:
        path: of the file.
    """

    most_letters = None

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def name(self) -> str:
        """The name of the file."""
        return self._path.name

    def is_there(self) -> bool:
        """Return whether there is a file."""
        return self._path.is_file()

    def digest(self) -> str:
        """Return a digest of the file's bytes, which a copy has too; "" for no file."""
        return self._version().digest

    @contextmanager
    def opened(self, notes: list[str]) -> Iterator[Opened]:
        """Open the file for a change of it, which nobody else makes meanwhile.

        A new one is made elsewhere, so that it is never half-made. A file that is no database, or
        a damaged one, is moved aside: what staff entered is in the journals.

        Args:
            notes: is told what was moved aside.

        Raises:
            HarnessError: it cannot be made.
        """
        from sqlalchemy import text

        path = self._path
        match _look_at(path):
            case _File.DAMAGED:
                aside = path.with_name(f"{path.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S}")
                path.rename(aside)
                notes.append(
                    f"{path.name} was no database, or a damaged one: it is {aside.name} now, and a "
                    "new one is written from results and staff's entries"
                )
            case _File.EMPTY:
                path.unlink()
        if not path.exists():
            _make(path)
        with closing_gradebook(_url(path)) as gradebook:
            _share_statements(gradebook.engine)
            gradebook.db.execute(text("BEGIN IMMEDIATE"))
            before = self._version()

            def commit() -> str:
                gradebook.db.commit()
                now = self._version()
                return now.digest if now.changes - before.changes <= 1 else ""

            yield Opened(gradebook, before.digest, commit)

    def read(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query; none of a file that is damaged, which is made anew.

        Raises:
            HarnessError: it is in use, or cannot be read.
        """
        if not self._path.is_file():
            return []
        address = f"file:{quote(str(self._path.absolute()))}?mode=ro"
        try:
            with closing(sqlite3.connect(address, uri=True)) as database:
                return database.execute(query, values).fetchall()
        except sqlite3.OperationalError as error:
            if "no such" in str(error):  # table, or column
                return []
            if "locked" in str(error):
                raise HarnessError(f"{self.name} is in use: {error}; run this again") from None
            raise HarnessError(f"{self.name} cannot be read: {error}; {ADVICE}") from None
        except sqlite3.DatabaseError:
            return []

    def _version(self) -> "_Version":
        try:
            data = self._path.read_bytes()
        except OSError:
            return _Version("", 0)
        count = int.from_bytes(data[CHANGES], "big")
        return _Version(hashlib.sha256(data).hexdigest(), count)


class _Version(NamedTuple):
    """A state of the file: a digest of it, and SQLite's count, one more for each change."""

    digest: str
    changes: int


class _File(Enum):
    """What is there in a gradebook's place."""

    DATABASE = "a database, or nothing"
    EMPTY = "a file without bytes, or a database without tables"
    DAMAGED = "no database, or a damaged one"


def _look_at(path: Path) -> _File:
    if not path.is_file():
        return _File.DATABASE
    if path.stat().st_size == 0:
        return _File.EMPTY
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            return _File.DAMAGED
    connection = sqlite3.connect(path)
    try:
        (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        return _File.DAMAGED if str(error) in NO_DATABASE else _File.DATABASE
    finally:
        connection.close()
    if said != "ok":
        return _File.DAMAGED
    return _File.DATABASE if tables else _File.EMPTY


def _make(path: Path) -> None:
    """Make a database with nbgrader's tables."""
    from sqlalchemy import create_engine

    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".tmp-") as folder:
            new = Path(folder) / "gradebook.db"
            engine = create_engine(_url(new), future=True)
            with engine.begin() as connection:
                connection.exec_driver_sql("BEGIN")  # else each table waits for the disk by itself
                make_tables(connection)
            engine.dispose()
            with suppress(FileExistsError):  # somebody else was faster
                os.link(new, path)
    except OSError as error:
        reason = f"{path.name} cannot be made: {reason_of(error)}; {ADVICE}"
        raise HarnessError(reason) from None


_shared: dict[str, Any] = {}  # the dialect of the first gradebook that was opened, by its name
_MOST_STATEMENTS = 500


@cache
def _statements() -> Any:
    """Return where the statements are kept that were compiled for it, those that were used last."""
    from sqlalchemy.util import LRUCache

    return LRUCache(_MOST_STATEMENTS)


def _share_statements(engine: Any) -> None:
    """Let a gradebook have the statements that were compiled for those that were opened before.

    To compile them takes longer than to run them. They are known by their dialect, so all have one.
    """
    engine.dialect = _shared.setdefault(engine.dialect.name, engine.dialect)
    engine.update_execution_options(compiled_cache=_statements())


def _url(path: Path) -> Any:
    from sqlalchemy import URL

    return URL.create("sqlite", database=str(path))
