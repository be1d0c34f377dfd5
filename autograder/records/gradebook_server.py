"""The gradebook as a database on a PostgreSQL server, which formgrader reaches from elsewhere."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from autograder.errors import HarnessError
from autograder.records.database import (
    ADVICE,
    TABLE,
    Opened,
    closing_gradebook,
    make_tables,
    reason_of,
)
from autograder.records.nbgrader_tables import tables

__all__ = ["GradebookServer", "url_for_nbgrader"]

DRIVER = "python -m pip install 'notebook-autograder[postgres]'"
CONNECT_SECONDS = 5
LOCK_SECONDS = 30  # that a command waits for what formgrader is just writing
PATIENCE_SECONDS = 30  # for which a server that did not answer is not asked again
MAKING = 7_402_591_163  # a number of ours, under which a command makes the tables alone
TOLD = 3  # tables that a message names
# Where as many rows are as before, some with another transaction's number, the sum is larger.
ROWS = "SELECT {name}::text, {oid}::bigint, count(*), sum(xmin::text::bigint) FROM {table}"


class GradebookServer:
    """A database of its own on a server.

    Args:
        url: ``postgresql://user@host/database``, with a password or without.
    """

    most_letters = 128  # as nbgrader declares it; SQLite does not count

    def __init__(self, url: str) -> None:
        self._url = url
        self._silent: tuple[float, str] | None = None  # since when it did not answer, and what

    @property
    def name(self) -> str:
        """The database and its server, without who asks."""
        parts = urlsplit(self._url)
        asked = parse_qs(parts.query).get("host", [""])[0]
        where = parts.hostname or (asked if not asked.startswith("/") else "")
        return f"the gradebook {unquote(parts.path[1:])!r} on {where or 'this machine'}"

    def require_driver(self) -> None:
        """Do nothing, where the driver is installed.

        Raises:
            HarnessError: it is not.
        """
        try:
            import psycopg  # noqa: F401 - whether it is there
        except ImportError:
            said = f"psycopg is not installed here; run: {DRIVER}"
            raise HarnessError(f"{self.name} cannot be reached: {said}") from None

    def is_there(self) -> bool:
        """Return that there may be something in it."""
        return True

    def digest(self) -> str:
        """Return a digest of what tables and rows there are; "" where nobody can look."""
        try:
            with self._connected() as connection:
                return _digest(connection)
        except HarnessError:
            return ""

    @contextmanager
    def opened(self, notes: list[str]) -> Iterator[Opened]:
        """Open it for a change of it, which nobody else makes meanwhile.

        Args:
            notes: is told nothing: nothing is moved aside.

        Raises:
            HarnessError: it cannot be reached, or holds tables of something else.
        """
        from sqlalchemy import text

        with self._connected():  # a short wait, and one sentence
            pass
        self._make()
        with closing_gradebook(url_for_nbgrader(self._url)) as gradebook:
            session = gradebook.db
            session.execute(text(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'"))
            names = ", ".join(f'"{table}"' for table in sorted(tables().Base.metadata.tables))
            session.execute(text(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"))

            def digest() -> str:
                return _digest(session.connection().connection.driver_connection)

            def commit() -> str:
                session.flush()
                left = digest()
                session.commit()
                return left

            yield Opened(gradebook, digest(), commit)

    def read(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query, with ``?`` for each value; none where there is no such table.

        Raises:
            HarnessError: it cannot be reached or read.
        """
        with self._connected() as connection:
            import psycopg

            try:
                return list(connection.execute(query.replace("?", "%s"), values))
            except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
                return []

    def _make(self) -> None:
        """Make nbgrader's tables in a database that has none.

        Raises:
            HarnessError: it has others.
        """
        from sqlalchemy import create_engine, inspect, text

        engine = create_engine(url_for_nbgrader(self._url))
        try:
            with engine.begin() as connection:
                connection.execute(text(f"SELECT pg_advisory_xact_lock({MAKING})"))
                present = set(inspect(connection).get_table_names()) - {TABLE}
                if not present:
                    make_tables(connection)
                elif not tables().Base.metadata.tables.keys() <= present:
                    some = ", ".join(sorted(present)[:TOLD])
                    raise HarnessError(
                        f"{self.name} is no gradebook of nbgrader's, and is left as it is: it has "
                        f"the tables {some}; name an empty database in [gradebook] of course.toml"
                    )
        finally:
            engine.dispose()

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        """Give a connection, and say in one sentence what goes wrong there."""
        self.require_driver()
        import psycopg

        start = time.monotonic()
        if self._silent is not None and start - self._silent[0] < PATIENCE_SECONDS:
            raise HarnessError(self._silent[1])
        try:
            opened = psycopg.connect(self._url, connect_timeout=CONNECT_SECONDS)
        except psycopg.Error as error:
            said = f"{self.name} cannot be reached: {reason_of(error)}; {ADVICE}"
            if time.monotonic() - start > CONNECT_SECONDS / 2:
                self._silent = time.monotonic(), said
            raise HarnessError(said) from None
        try:
            with opened as connection:
                yield connection
        except psycopg.Error as error:
            said = f"{self.name} cannot be read: {reason_of(error)}; {ADVICE}"
            raise HarnessError(said) from None


def url_for_nbgrader(url: str) -> str:
    """Return a database's URL as nbgrader takes it: with the driver that is installed."""
    return "postgresql+psycopg:" + url.partition(":")[2]


def _digest(connection: Any) -> str:
    """Return a digest of the state of all tables but ours, with what this connection has changed.

    Each row has the number of the transaction that wrote it. A change leaves another number of
    rows, or numbers whose sum is larger; a table that is made anew is another object.
    """
    from psycopg import sql

    tables = connection.execute(
        "SELECT oid, relname FROM pg_class WHERE relkind IN ('r', 'p') AND relname <> %s "
        "AND relnamespace = current_schema()::regnamespace ORDER BY relname",
        [TABLE],
    ).fetchall()
    if not tables:
        return ""
    asked = [
        sql.SQL(ROWS).format(
            name=sql.Literal(name), oid=sql.Literal(oid), table=sql.Identifier(name)
        )
        for oid, name in tables
    ]
    found = connection.execute(sql.SQL(" UNION ALL ").join(asked)).fetchall()
    return hashlib.sha256(repr(sorted(found)).encode()).hexdigest()
