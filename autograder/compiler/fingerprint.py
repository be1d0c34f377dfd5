"""The fingerprint of an assignment: what its artefacts are made from.

It is read at every `make grade`, so nothing heavy is imported here.
"""

import hashlib
from collections.abc import Iterator

from autograder.compiler.versions import versions
from autograder.compiler.wheel import own_files
from autograder.course import Course

__all__ = ["fingerprint"]


def fingerprint(course: Course, name: str) -> str:
    """Return a hash of all that the artefacts of an assignment are made from."""
    digest = hashlib.sha256()
    for label, data in _inputs(course, name):
        digest.update(f"{label}\n{len(data)}\n".encode())
        digest.update(data)
    return digest.hexdigest()


def _inputs(course: Course, name: str) -> Iterator[tuple[str, bytes]]:
    yield "limits", repr(course.limits_of(name)).encode()
    yield "versions", repr(versions()).encode()
    source = course.source(name)
    paths = [
        source,
        *(source.parent / "data").rglob("*"),
        *(source.parent / "bank").glob("*.py"),
        *(course.root / "reference").rglob("*"),
    ]
    for path in sorted(p for p in paths if p.is_file() and p.suffix != ".pyc"):
        yield course.relative(path), path.read_bytes()
    yield from own_files()
