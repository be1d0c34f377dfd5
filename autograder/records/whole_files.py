"""Files that are either whole or not there: written beside their place, then moved into it."""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = [
    "clean_temporary",
    "make_folder",
    "require_writable",
    "sync_folder",
    "temporary",
    "write_atomic",
]

TEMPORARY = ".tmp-"
ABANDONED_SECONDS = 3600.0  # no write of ours lasts an hour, so its writer is dead


@contextmanager
def temporary(folder: Path, data: bytes) -> Iterator[Path]:
    """Yield a file in a folder that holds data, on the disk already; it goes when done.

    Raises:
        OSError: it cannot be written; says in which folder.
    """
    path = folder / f"{TEMPORARY}{os.getpid()}-{secrets.token_hex(8)}"
    try:
        try:
            with path.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            if error.errno is not None:
                error.filename = str(folder)  # a write says no name, and that of ours means nothing
            raise
        yield path
    finally:
        with suppress(OSError):  # it was never made, or is moved away
            path.unlink()


def write_atomic(path: Path, data: bytes) -> None:
    """Write a file so that a reader sees the old content or the new, never a part."""
    make_folder(path.parent)
    with temporary(path.parent, data) as new:
        new.replace(path)
    sync_folder(path.parent)


def make_folder(folder: Path) -> None:
    """Make a folder and its parents, and the parent's entry of it durable."""
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        sync_folder(folder.parent)


def require_writable(folder: Path) -> None:
    """Write a file into a folder, which is made if need be, and remove it.

    Raises:
        OSError: that is not possible.
    """
    make_folder(folder)
    with temporary(folder, b"room for a small file\n" * 200):
        pass


def sync_folder(folder: Path) -> None:
    """Make the entries of a folder survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def clean_temporary(folder: Path) -> None:
    """Remove what killed writers left in a folder; a file that may be in use stays."""
    for path in folder.glob(f"{TEMPORARY}*"):
        # A student's own folder may be called .tmp-x; ours are files without a suffix.
        with suppress(OSError):  # it is only in the way
            age = time.time() - path.lstat().st_mtime
            if path.is_file() and not path.suffix and age > ABANDONED_SECONDS:
                path.unlink()
