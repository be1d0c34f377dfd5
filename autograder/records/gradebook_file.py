"""The gradebook's database: opened, made where there is none, set aside where it is none."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from autograder.errors import HarnessError

__all__ = ["ADVICE", "NO_FILE", "Version", "open_gradebook", "reason_of", "version_of"]

ADVICE = "put that right, and run the same command again; no score is lost"
MAGIC = b"SQLite format 3\0"
NO_DATABASE = ("file is not a database", "database disk image is malformed")


class Version(NamedTuple):
    """A state of the file.

    Attributes:
        digest: of its bytes, which a copy has too; "" for no file.
        changes: SQLite's count of changes, one more for each.
    """

    digest: str
    changes: int


NO_FILE = Version("", 0)
CHANGES = slice(24, 28)  # of the file's header


def version_of(path: Path) -> Version:
    """Return the state of a gradebook's file."""
    try:
        data = path.read_bytes()
    except OSError:
        return NO_FILE
    return Version(hashlib.sha256(data).hexdigest(), int.from_bytes(data[CHANGES], "big"))


@contextmanager
def open_gradebook(path: Path, notes: list[str]) -> Iterator[Any]:
    """Open the database for a change of it, which nobody else makes meanwhile.

    A new one is made elsewhere, so that it is never half-made. A file that is no database, or a
    damaged one, is moved aside: what staff entered is in the journals.

    Args:
        path: ``gradebook.db``.
        notes: is told what was moved aside.

    Raises:
        HarnessError: it cannot be made.
    """
    from sqlalchemy import text

    match _look_at(path):
        case _File.DAMAGED:
            aside = path.with_name(f"{path.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S}")
            path.rename(aside)
            notes.append(
                f"{path.name} was no database, or a damaged one: it is {aside.name} now, and a new "
                "one is written from results and staff's entries"
            )
        case _File.EMPTY:
            path.unlink()
    if not path.exists():
        _make(path)
    with _gradebook(path) as gradebook:
        gradebook.db.execute(text("BEGIN IMMEDIATE"))
        yield gradebook


def reason_of(error: Exception) -> str:
    """Return the database's own words, or the system's, without statements and addresses."""
    own = getattr(error, "orig", None) or getattr(error, "strerror", None)
    return str(own or error).partition("\n")[0]


class _File(Enum):
    """What is there in a gradebook's place."""

    DATABASE = "a database, or nothing"
    EMPTY = "a file without bytes, or a database without tables"
    DAMAGED = "no database, or a damaged one"


def _look_at(path: Path) -> _File:
    import sqlite3

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
    """Make a database with nbgrader's tables, which has its version as nbgrader's own has."""
    from nbgrader.api import Base
    from sqlalchemy import create_engine, text

    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".tmp-") as folder:
            new = Path(folder) / "gradebook.db"
            engine = create_engine(_url(new), future=True)
            with engine.begin() as connection:
                Base.metadata.create_all(connection)
                connection.execute(
                    text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
                )
                values = {"version": _schema_version()}
                connection.execute(text("INSERT INTO alembic_version VALUES (:version)"), values)
            engine.dispose()
            with suppress(FileExistsError):  # somebody else was faster
                os.link(new, path)
    except OSError as error:
        reason = f"{path.name} cannot be made: {reason_of(error)}; {ADVICE}"
        raise HarnessError(reason) from None


@cache
def _schema_version() -> str:
    """Return the version of nbgrader's tables, by which ``nbgrader db upgrade`` knows them."""
    import nbgrader
    from alembic.script import ScriptDirectory

    head = ScriptDirectory(str(Path(nbgrader.__file__).parent / "alembic")).get_current_head()
    assert head is not None
    return head


def _gradebook(path: Path) -> Any:
    """Return nbgrader's gradebook, which leaves its connection open where it cannot be opened."""
    from nbgrader.api import Gradebook

    class Closing(Gradebook):  # type: ignore[misc]
        def __init__(self, url: Any) -> None:
            try:
                super().__init__(url)
            except BaseException:
                self.close()
                raise

    return Closing(_url(path))


def _url(path: Path) -> Any:
    from sqlalchemy import URL

    return URL.create("sqlite", database=str(path))
