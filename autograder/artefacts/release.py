"""What is released: the release, the bundle and the solution, in memory and in their folders.

Every `make grade` reads whether it has to be compiled again, so nothing heavy is imported here.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from autograder.course import Course
from autograder.errors import naming

if TYPE_CHECKING:
    from autograder.artefacts.manifest import Manifest

__all__ = [
    "FIRST_CELL",
    "FIRST_LINE",
    "Artefacts",
    "is_current",
    "put_in_place",
    "write",
    "write_files",
]

FINGERPRINT = "fingerprint"
MANIFEST = "manifest.json"
# The cell in front of every release looks for what a student's Jupyter lacks. It is none of the
# bundle's: at grading it is a cell of the student's own, which does nothing and may be missing.
FIRST_CELL = "given_0"
FIRST_LINE = "# Run this first: it says what to do if something that the notebook needs is missing."


@dataclass(frozen=True)
class Artefacts:
    """What an assignment compiles to, in memory.

    Attributes:
        release: the files of the release by path, the notebook among them.
        solution: the solution notebook.
        bundle: the sealed bundle.
        manifest: the manifest in the bundle.
        fingerprint: of what it was all made from.
    """

    name: str
    release: dict[str, bytes] = field(repr=False)
    solution: bytes = field(repr=False)
    bundle: bytes = field(repr=False)
    manifest: "Manifest"
    fingerprint: str


def write(artefacts: Artefacts, release: Path, build: Path) -> None:
    """Write artefacts into two folders."""
    name = artefacts.name
    write_files(release, artefacts.release)
    files = {
        f"{name}.bundle": artefacts.bundle,
        f"{name}_solution.ipynb": artefacts.solution,
        MANIFEST: msgspec.json.format(msgspec.json.encode(artefacts.manifest), indent=1) + b"\n",
        FINGERPRINT: f"{artefacts.fingerprint}\n".encode(),
    }
    write_files(build, files)


def put_in_place(artefacts: Artefacts, course: Course) -> None:
    """Put artefacts in their folders, whole or not at all; an audit that lies there stays."""
    release, build = course.release(artefacts.name), course.build(artefacts.name)
    kept = {path.name: path.read_bytes() for path in build.glob("audit.*")}
    new_release, new_build = _fresh(release), _fresh(build)
    write(artefacts, new_release, new_build)
    write_files(new_build, kept)
    # After a crash in between there is no fingerprint, and everything is compiled again.
    (build / FINGERPRINT).unlink(missing_ok=True)
    for new, place in ((new_release, release), (new_build, build)):
        _swap(new, place)


def is_current(course: Course, name: str, now: str) -> bool:
    """Whether what was published last was made from what is there now.

    Args:
        now: the fingerprint of what is there.
    """
    published = course.build(name) / FINGERPRINT
    artefacts = (published, course.bundle(name), course.release(name) / f"{name}.ipynb")
    if not all(path.is_file() for path in artefacts):
        return False
    return published.read_bytes().strip() == now.encode()


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files into a folder, by path."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with naming(path):
            path.write_bytes(data)


def _fresh(place: Path) -> Path:
    """Return a new empty folder beside a place, under a name that no listing shows."""
    folder = place.with_name(f".{place.name}.new")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _swap(new: Path, place: Path) -> None:
    former = place.with_name(f".{place.name}.old")
    shutil.rmtree(former, ignore_errors=True)
    if place.exists():
        place.rename(former)
    new.rename(place)
    shutil.rmtree(former, ignore_errors=True)
