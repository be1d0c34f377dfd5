"""What nbgrader's `release_feedback` needs beside a page: of which submission it is.

Whoever submitted through the exchange holds a secret of that submission, under which the page is
handed back. Of a submission that came in another way there is none; it gets one that nobody knows,
as nbgrader stops the whole class's release at a page without. It stops at bytes that are no text,
too, so what a student wrote is passed on only where it is what nbgrader writes there.
"""

import re
import secrets
from pathlib import Path

from autograder.course import TIMESTAMP
from autograder.grading.intake import read_beside
from autograder.records.times import read_time
from autograder.records.whole_files import write_atomic

__all__ = ["SECRET", "write_for_release"]

SECRET = "submission_secret.txt"  # nbgrader's name
MOST_BYTES = 1000
USABLE = re.compile(rb"[ -~\r\n]{1,%d}" % MOST_BYTES)  # ASCII is the same in every locale


def write_for_release(page: Path, submitted: Path) -> None:
    """Write nbgrader's files beside a feedback page.

    Args:
        page: the student's, ``feedback/<student>/<assignment>/<assignment>.html``.
        submitted: the notebook that it is about, ``submitted/<student>/<assignment>/<file>``.
    """
    time = _usable(read_beside(submitted, TIMESTAMP, MOST_BYTES + 1))
    write_atomic(page.with_name(TIMESTAMP), time if read_time(time.decode("ascii")) else b"")
    secret = _usable(read_beside(submitted, SECRET, MOST_BYTES + 1))
    if secret or not _usable(_former(page.with_name(SECRET))):
        write_atomic(page.with_name(SECRET), secret or secrets.token_hex(64).encode())


def _usable(data: bytes | None) -> bytes:
    """Return what nbgrader can read in every locale; nothing of what it cannot."""
    return data if data is not None and USABLE.fullmatch(data) else b""


def _former(path: Path) -> bytes | None:
    """Return the secret that a page has already."""
    return path.read_bytes() if path.is_file() else None
