"""Marks: which entries of which journal a gradebook was written from, kept in the gradebook."""

from typing import Any

from autograder.records.database import TABLE

__all__ = ["keep_mark", "read_mark"]

MAKE = (
    f"CREATE TABLE IF NOT EXISTS {TABLE} (assignment VARCHAR(128) PRIMARY KEY, "
    "number INTEGER NOT NULL, digest VARCHAR(32) NOT NULL, policy INTEGER NOT NULL)"
)


def keep_mark(gradebook: Any, assignment: str, mark: tuple[int, str], by_policy: bool) -> None:
    """Keep in the gradebook which entries it was written from, and who decides on penalties."""
    from sqlalchemy import text

    number, digest = mark
    if read_mark(gradebook, assignment) == (number, digest, by_policy):
        return
    values = {
        "assignment": assignment,
        "number": number,
        "digest": digest,
        "policy": int(by_policy),
    }
    gradebook.db.execute(text(f"DELETE FROM {TABLE} WHERE assignment = :assignment"), values)
    gradebook.db.execute(
        text(f"INSERT INTO {TABLE} VALUES (:assignment, :number, :digest, :policy)"), values
    )


def read_mark(gradebook: Any, assignment: str) -> tuple[int, str, bool]:
    """Return which entries it was written from, and whether the course decided on penalties."""
    from sqlalchemy import text

    gradebook.db.execute(text(MAKE))
    query = text(f"SELECT number, digest, policy FROM {TABLE} WHERE assignment = :assignment")
    row = gradebook.db.execute(query, {"assignment": assignment}).one_or_none()
    return (0, "", False) if row is None else (row[0], row[1], bool(row[2]))
