"""The bundle: the grader's sealed artefact, with all checks, the reference and a manifest."""

import hashlib
import zipfile
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path

import msgspec

from autograder.artefacts.manifest import Manifest
from autograder.artefacts.notebooks import nbformat
from autograder.artefacts.results import digest_of
from autograder.errors import HarnessError

__all__ = [
    "Bundle",
    "Cell",
    "NamedMutant",
    "pack_bundle",
    "parse_bundle",
    "read_bundle",
]

MANIFEST, SOURCE, RELEASE, MUTANTS = "manifest.json", "source.json", "release.ipynb", "mutants.json"
REFERENCE, BANK, DATA = "reference/", "bank/", "data/"


class Cell(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A code cell of the source notebook, as the trusted process runs it.

    ``kind`` is ``given``, ``solution`` or ``check``; ``number`` counts all cells from 1.
    """

    kind: str
    number: int
    source: str


class NamedMutant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mutant that a diagnosis can name: a mistake that a program derived, and a check rejects.

    ``texts`` are run in order, beside the names of the notebook and those of ``origins``: names
    that a definition needs, and the modules of the reference that have them.
    """

    checks: tuple[str, ...]
    title: str
    texts: tuple[str, ...]
    origins: dict[str, str]


class Bundle(msgspec.Struct, frozen=True):
    """A bundle in memory.

    ``id`` is "sha256:…" of the file; ``source`` are the trusted cells; ``release`` the release
    notebook, from which given cells are restored; ``reference`` the modules of the reference
    package by path (``reference/optimizers.py``); ``banks`` the mistakes and alternatives of each
    question by path (``bank/sgd_step.py``); ``mutants`` are for diagnoses; ``data`` are the
    assignment's files by path (``data/digits.npz``), which every student has too; ``resources``
    are the data of the reference's own by path (``reference/held_back/digits.npz``), which no
    student has.
    """

    id: str
    manifest: Manifest
    source: tuple[Cell, ...]
    release: nbformat.NotebookNode
    reference: dict[str, str]
    mutants: tuple[NamedMutant, ...] = ()
    data: Mapping[str, bytes] = {}
    banks: Mapping[str, str] = {}
    resources: Mapping[str, bytes] = {}


def pack_bundle(
    manifest: Manifest,
    source: tuple[Cell, ...],
    release: bytes,
    reference: dict[str, str],
    mutants: Sequence[NamedMutant] = (),
    data: Mapping[str, bytes] | None = None,
    banks: Mapping[str, str] | None = None,
    resources: Mapping[str, bytes] | None = None,
) -> bytes:
    """Return the bytes of a bundle, the same for the same content."""
    files = {SOURCE: msgspec.json.encode(source), RELEASE: release}
    files[MUTANTS] = msgspec.json.encode(mutants)
    files |= {name: text.encode() for name, text in sorted(reference.items())}
    files |= {name: text.encode() for name, text in sorted((banks or {}).items())}
    files |= dict(sorted((data or {}).items())) | dict(sorted((resources or {}).items()))
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    manifest = msgspec.structs.replace(manifest, files=digests)
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {MANIFEST: msgspec.json.encode(manifest), **files}.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def read_bundle(path: Path) -> Bundle:
    """Read the bundle in a file.

    Raises:
        HarnessError: there is no bundle, or it is not what its manifest says.
    """
    try:
        return parse_bundle(path.read_bytes(), str(path))
    except FileNotFoundError:
        raise HarnessError(f"there is no bundle {path}; compile the assignment first") from None
    except OSError as error:
        raise HarnessError(f"{path} cannot be read: {error.strerror}") from None


def parse_bundle(data: bytes, name: str) -> Bundle:
    """Read a bundle and hold its files against the manifest's hashes.

    Raises:
        HarnessError: it is not what its manifest says.
    """
    try:
        manifest, files = _unpack(data)
        source = msgspec.json.decode(files[SOURCE], type=tuple[Cell, ...])
        mutants = msgspec.json.decode(files[MUTANTS], type=tuple[NamedMutant, ...])
    except Exception as error:  # zipfile raises a dozen kinds, whichever byte fell over
        raise HarnessError(
            f"{name} is no bundle of this version ({error}); compile the assignment again"
        ) from None
    if {n: hashlib.sha256(d).hexdigest() for n, d in files.items()} != manifest.files:
        raise HarnessError(f"{name} is not what its manifest says; compile the assignment again")
    package = {n: d for n, d in files.items() if n.startswith(REFERENCE)}
    return Bundle(
        id=digest_of(data),
        manifest=manifest,
        source=source,
        # It was found valid when it was written: to look again would first build a validator.
        release=nbformat.reader.reads(files[RELEASE].decode()),
        reference={n: d.decode() for n, d in package.items() if n.endswith(".py")},
        mutants=mutants,
        data={n: d for n, d in files.items() if n.startswith(DATA)},
        banks={n: d.decode() for n, d in files.items() if n.startswith(BANK)},
        resources={n: d for n, d in package.items() if not n.endswith(".py")},
    )


def _unpack(data: bytes) -> tuple[Manifest, dict[str, bytes]]:
    """Return a bundle's manifest and its other files."""
    with zipfile.ZipFile(BytesIO(data)) as archive:
        files = {member: archive.read(member) for member in archive.namelist()}
    return msgspec.json.decode(files.pop(MANIFEST), type=Manifest), files
