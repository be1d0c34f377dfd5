"""Artefacts: what an assignment compiles to, in memory and in its folders."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from autograder.compiler.fingerprint import FILE as FINGERPRINT
from autograder.course import Course
from autograder.errors import naming
from autograder.grading.bundle import Manifest

__all__ = ["Artefacts", "publish", "write"]

MANIFEST = "manifest.json"


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
    manifest: Manifest
    fingerprint: str


def write(artefacts: Artefacts, release: Path, build: Path) -> None:
    """Write artefacts into two folders."""
    name = artefacts.name
    _write_files(release, artefacts.release)
    files = {
        f"{name}.bundle": artefacts.bundle,
        f"{name}_solution.ipynb": artefacts.solution,
        MANIFEST: msgspec.json.format(msgspec.json.encode(artefacts.manifest), indent=1) + b"\n",
        FINGERPRINT: f"{artefacts.fingerprint}\n".encode(),
    }
    _write_files(build, files)


def publish(artefacts: Artefacts, course: Course) -> None:
    """Put artefacts in their folders, whole or not at all; an audit that lies there stays."""
    release, build = course.release(artefacts.name), course.build(artefacts.name)
    kept = {path.name: path.read_bytes() for path in build.glob("audit.*")}
    new_release, new_build = _fresh(release), _fresh(build)
    write(artefacts, new_release, new_build)
    _write_files(new_build, kept)
    # After a crash in between there is no fingerprint, and everything is compiled again.
    (build / FINGERPRINT).unlink(missing_ok=True)
    for new, place in ((new_release, release), (new_build, build)):
        _swap(new, place)


def _write_files(folder: Path, files: Mapping[str, bytes]) -> None:
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
