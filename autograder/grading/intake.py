"""The first step of intake: what was submitted is opened once, looked at, and read.

A class goes on submitting while it is graded: what a path names may be another thing a moment
later. So all questions are asked of what was opened, and what was read is what is graded.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from errno import ELOOP, ENXIO
from pathlib import Path

from autograder.artefacts.results import digest_of
from autograder.course import TIMESTAMP, told_files
from autograder.errors import StudentError

__all__ = ["MAX_BYTES", "Submitted", "read_beside", "read_submission_file", "read_submitted"]

MAX_BYTES = 64 << 20
BLOCK = 1 << 20  # bytes that are read at a time
TIMESTAMP_BYTES = 100  # that are read of it


@dataclass(frozen=True)
class Submitted:
    """What was read of a submission at one time.

    Attributes:
        data: the notebook's bytes; none if it could not be read.
        problem: why it could not be read, as one sentence; None if it was.
        timestamp: what ``timestamp.txt`` beside it says, if it can be read.
    """

    data: bytes = b""
    problem: str | None = None
    timestamp: str | None = None

    @property
    def digest(self) -> str:
        """The name of what was read; what could not be read has one too."""
        problem = self.problem
        return digest_of(self.data if problem is None else problem.encode("utf-8", "replace"))


def read_submitted(path: Path) -> Submitted:
    """Return what lies in a submission, ``submitted/<student>/<assignment>/<file>``."""
    said = read_beside(path, TIMESTAMP, TIMESTAMP_BYTES)
    timestamp = None if said is None else said.decode("utf-8", "replace")
    try:
        return Submitted(read_submission_file(path), None, timestamp)
    except StudentError as error:
        return Submitted(b"", str(error), timestamp)


def read_beside(path: Path, name: str, most: int) -> bytes | None:
    """Return the first bytes of a file of nbgrader's beside a submitted one; None if none is."""
    with suppress(StudentError), _opened(path.with_name(name)) as file:
        return _read(file, most)
    return None


def read_submission_file(path: Path) -> bytes:
    """Return the bytes of a submitted file, ``submitted/<student>/<assignment>/<file>``.

    Raises:
        StudentError: it is missing, no regular file, behind a link, or too large.
    """
    with _opened(path) as file:
        size = os.fstat(file).st_size
        data = b"" if size > MAX_BYTES else _read(file, MAX_BYTES + 1)
    if (size := max(size, len(data))) > MAX_BYTES:  # or it grew while it was read
        raise StudentError(
            f"{path.name} has {size >> 20} MB; at most {MAX_BYTES >> 20} MB are read"
        )
    return data


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """Give a descriptor of a submitted file: a regular one, reached without a link.

    A pipe without a writer is opened too, which waits for nothing, and is then refused.

    Raises:
        StudentError: there is none.
    """
    with ExitStack() as stack:
        try:
            folders = path.absolute().parents
            top = min(2, len(folders) - 1)
            place = _open(stack, folders[top], os.O_PATH | os.O_DIRECTORY)
            for folder in reversed(folders[:top]):
                place = _enter(stack, folder.name, place)
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
            file = _open(stack, path.name, flags, place)
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise StudentError(f"{path.name} is no regular file")
            yield file
        except FileNotFoundError:
            others = told_files(path.parent)
            raise StudentError(f"there is no {path.name} in the submission{others}") from None
        except OSError as error:
            if error.errno in (ELOOP, ENXIO):  # a link, a socket
                raise StudentError(f"{path.name} is no regular file") from None
            raise StudentError(f"{path.name} cannot be read: {error.strerror}") from None


def _enter(stack: ExitStack, name: str, place: int) -> int:
    """Open a folder in a folder, which may be no link."""
    try:
        return _open(stack, name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, place)
    except NotADirectoryError:
        if stat.S_ISLNK(os.stat(name, dir_fd=place, follow_symlinks=False).st_mode):
            raise StudentError("the folder of the submission is a link") from None
        raise


def _open(stack: ExitStack, name: str | Path, flags: int, place: int | None = None) -> int:
    descriptor = os.open(name, flags | os.O_CLOEXEC, dir_fd=place)
    stack.callback(os.close, descriptor)
    return descriptor


def _read(file: int, most: int) -> bytes:
    """Return what a file holds from here on, at most so many bytes of it."""
    blocks: list[bytes] = []
    while most and (block := os.read(file, min(most, BLOCK))):
        blocks.append(block)
        most -= len(block)
    return b"".join(blocks)
