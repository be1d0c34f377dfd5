"""The course's secret, from which hidden inputs are drawn, so that nobody can know them before."""

import os
from collections.abc import Mapping
from pathlib import Path

from autograder.errors import UnsafeHere, UsageError

__all__ = ["DEMO_SECRET", "SECRET_FILE_VARIABLE", "require_own_secret", "secret_of_environment"]

SECRET_VARIABLE = "AUTOGRADER_SECRET"
SECRET_FILE_VARIABLE = "AUTOGRADER_SECRET_FILE"
DEMO_SECRET = b"the demo secret, known to everybody"
FEWEST_BYTES = 16


def secret_of_environment(environment: Mapping[str, str] = os.environ) -> bytes:
    """Return the secret from which hidden inputs are drawn; the demo secret where none is set.

    Raises:
        UsageError: its file cannot be read or is empty, or it is too short.
    """
    if path := environment.get(SECRET_FILE_VARIABLE):
        try:
            secret = Path(path).read_bytes().strip()
        except OSError as error:
            raise UsageError(f"{SECRET_FILE_VARIABLE}: {error}") from None
        if not secret:  # as while it is written: the demo secret is for where no file is named
            raise UsageError(f"{SECRET_FILE_VARIABLE}: {path} is empty; write the secret into it")
    else:
        secret = environment.get(SECRET_VARIABLE, "").encode()
    if not secret:
        return DEMO_SECRET
    if len(secret) < FEWEST_BYTES:
        raise UsageError(
            f"the course secret has fewer than {FEWEST_BYTES} bytes; anyone could try them all"
        )
    return secret


def require_own_secret(secret: bytes) -> None:
    """Refuse to grade with the demo secret.

    Raises:
        UnsafeHere: it is the demo secret.
    """
    if secret == DEMO_SECRET:
        raise UnsafeHere(
            "the course's secret is required and is not set, so nothing is graded: say it in "
            f"{SECRET_FILE_VARIABLE} or {SECRET_VARIABLE} (CI gives it to no pull request from a "
            "fork)"
        )
