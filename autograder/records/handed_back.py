"""What nbgrader's `release_feedback` needs beside a page: of which submission it is.

Whoever submitted through the exchange holds a secret of that submission, under which the page is
handed back. Of a submission that came in another way there is none; it gets one that nobody knows,
as nbgrader stops the whole class's release at a page without.
"""

import secrets
from pathlib import Path

from autograder.grading.intake import read_beside
from autograder.records.whole_files import write_atomic

__all__ = ["write_for_release"]

TIMESTAMP, SECRET = "timestamp.txt", "submission_secret.txt"  # nbgrader's names
MOST_BYTES = 1000


def write_for_release(page: Path, submitted: Path) -> None:
    """Write nbgrader's files beside a feedback page.

    Args:
        page: the student's, ``feedback/<student>/<assignment>/<assignment>.html``.
        submitted: the notebook that it is about, ``submitted/<student>/<assignment>/<file>``.
    """
    write_atomic(page.with_name(TIMESTAMP), read_beside(submitted, TIMESTAMP, MOST_BYTES) or b"")
    secret = read_beside(submitted, SECRET, MOST_BYTES)
    if secret or not page.with_name(SECRET).is_file():
        data = secret or secrets.token_hex(64).encode()
        write_atomic(page.with_name(SECRET), data)
