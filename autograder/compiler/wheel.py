"""The package's own wheel, from its installed files: what a release is checked with at home.

What staff alone use is left out: a student needs neither attacks nor answers to a benchmark, and
nothing that makes or proves an assignment.
"""

import base64
import functools
import hashlib
import zipfile
from collections.abc import Iterator
from email import message_from_string
from importlib.metadata import distribution
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import BytesIO

from autograder.version import DISTRIBUTION, own_version, wheel_name

__all__ = ["own_files", "wheel"]

PACKAGE = "autograder"
TOOLS = ("autograder/redteam", "autograder/bench")
# The commands that need these say what to install.
MAKERS = tuple(
    f"autograder/{name}/" for name in ("adopting", "audit", "compiler", "foreign", "nbgrader_hooks")
)
SUFFIXES = (".py", ".html", ".css", ".j2", "py.typed")
TAG = "-py3-none-any.whl"
TAGS = f"Wheel-Version: 1.0\nGenerator: {PACKAGE}\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


@functools.cache
def wheel() -> tuple[str, bytes]:
    """Return the wheel's file name and its bytes, the same for the same files."""
    installed = distribution(DISTRIBUTION)
    file = wheel_name(own_version())
    info = f"{file.removesuffix(TAG)}.dist-info"
    entries = {path: data for path, data in own_files() if not path.startswith(MAKERS)}
    entries[f"{info}/METADATA"] = _metadata(installed.read_text("METADATA") or "").encode()
    for name in ("entry_points.txt", "licenses/LICENSE"):
        if text := installed.read_text(name):
            entries[f"{info}/{name}"] = text.encode()
    entries[f"{info}/WHEEL"] = TAGS.encode()
    entries = dict(sorted(entries.items()))
    record = f"{info}/RECORD"
    rows = [f"{path},{_digest(data)},{len(data)}" for path, data in entries.items()]
    entries[record] = "\n".join([*rows, f"{record},,", ""]).encode()
    return file, _archive(entries)


@functools.cache
def own_files() -> tuple[tuple[str, bytes], ...]:
    """Return the package's own files but for the operators' tools, by their paths, sorted.

    They are read once by a process: what it runs is as they were then.
    """
    return tuple(_walk(files(PACKAGE), PACKAGE))


def _metadata(text: str) -> str:
    """Return a package's metadata without its description.

    That is the whole README, whose tour has a solution in it; nobody reads it in a release.
    """
    metadata = message_from_string(text)
    metadata.set_payload("")
    del metadata["Description-Content-Type"], metadata["Description"]
    return metadata.as_string()


def _walk(folder: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        place = f"{path}/{entry.name}"
        if place in TOOLS:
            continue
        if entry.is_dir():
            yield from _walk(entry, place)
        elif entry.name.endswith(SUFFIXES):
            yield place, entry.read_bytes()


def _digest(data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest())
    return f"sha256={digest.decode().rstrip('=')}"


def _archive(entries: dict[str, bytes]) -> bytes:
    """Return a zip file of entries; not compressed, as zlib's bytes differ between machines."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, data in entries.items():
            entry = zipfile.ZipInfo(path)  # of 1980-01-01
            entry.create_system, entry.external_attr = 3, 0o100644 << 16
            archive.writestr(entry, data)
    return buffer.getvalue()
