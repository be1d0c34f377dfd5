"""Building: one source notebook becomes a release, a bundle and a solution notebook."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from autograder.authoring.standard import Standard
from autograder.compiler.bank_files import read_bank_texts, require_known_questions
from autograder.compiler.artefacts import Artefacts, publish, write
from autograder.compiler.check_cells import CheckFunction, find_checks, released_checks
from autograder.compiler.fingerprint import fingerprint
from autograder.compiler.given import require_given
from autograder.compiler.handout import companions, first_cell
from autograder.compiler.manifest import make_manifest
from autograder.compiler.passes import (
    release_notebook,
    serialize,
    solution_notebook,
    with_first_cell,
)
from autograder.compiler.pieces import plan
from autograder.compiler.reference import Reference
from autograder.compiler.solutions import solution_cells
from autograder.compiler.source import Source, read_source
from autograder.compiler.syntax import placed
from autograder.compiler.trusted import require_as_written, require_self_check, trusted_cells
from autograder.course import Course
from autograder.errors import SourceError
from autograder.grading.bundle import Slip, pack_bundle, parse_bundle
from autograder.grading.oracle import Oracle, load_oracle
from autograder.sandbox.limits import MB, Limits
from autograder.student.recording import FILE as RECORDING
from autograder.student.recording import record

__all__ = ["Artefacts", "build", "publish", "read_source", "write"]


def build(
    course: Course,
    name: str,
    standards: Mapping[str, Standard] | None = None,
    slips: Sequence[Slip] = (),
) -> Artefacts:
    """Compile an assignment.

    Args:
        course: which it belongs to.
        name: the assignment's.
        standards: of checks by name, as the audit found them; the others have the default.
        slips: that diagnoses can name, as the audit found them.

    Raises:
        UsageError: there is no such assignment.
        SourceError: its source notebook is wrong; says where.
    """
    made_from = fingerprint(course, name)
    path = course.source(name)
    source = read_source(path, course.relative(path))
    written = find_checks(source)
    require_self_check(source, written)
    reference = Reference(course.root)
    texts = _texts(source, reference)
    solutions = solution_cells(source, reference)
    trusted = trusted_cells(source)
    limits = course.limits_of(name)
    data = _data(path.parent, limits, source.file)
    banks = read_bank_texts(course, name)
    oracle = load_oracle(trusted, texts, name, source.file, data, banks)
    require_known_questions(course, name, banks, oracle.checks)
    require_as_written(source, oracle.checks, written)
    require_given(source, oracle.checks, written, solutions, oracle.namespace)
    for checked, standard in (standards or {}).items():
        if checked in oracle.checks:
            oracle.checks[checked].standard = standard
    manifest = make_manifest(name, source, oracle.checks, written, texts.values())
    pieces = plan(source, solutions, released_checks(source, written), oracle.checks)
    release = release_notebook(pieces)
    bundle = pack_bundle(manifest, trusted, serialize(release), texts, slips, data, banks)
    return Artefacts(
        name=name,
        release={
            f"{name}.ipynb": serialize(with_first_cell(release, first_cell(manifest, data))),
            RECORDING: _recording(source, oracle, written, limits.call_seconds),
            **companions(manifest, data),
            **data,
        },
        solution=serialize(solution_notebook(release, pieces)),
        bundle=bundle,
        manifest=parse_bundle(bundle, name).manifest,
        fingerprint=made_from,
    )


def _texts(source: Source, reference: Reference) -> dict[str, str]:
    """Return the modules of the reference that a source needs, by path."""
    found: dict[str, str] = {}
    for cell in source.cells:
        with placed(source.file, cell.number):
            found |= reference.texts([item.module for item in cell.imports])
    return dict(sorted(found.items()))


def _recording(
    source: Source, oracle: Oracle, written: Mapping[str, CheckFunction], call_seconds: float
) -> bytes:
    try:
        return record(oracle, oracle.assignment, call_seconds)
    except SourceError as error:
        named = (w.cell for w in written.values() if f"check {w.name}," in error.problem)
        raise error.at(source.file, next(named, None)) from None


def _data(folder: Path, limits: Limits, file: str) -> dict[str, bytes]:
    """Return the assignment's files by path: they are in the release and in every session."""
    files = sorted(p for p in (folder / "data").rglob("*") if p.is_file())
    size, most = sum(p.stat().st_size for p in files), min(limits.message_mb, limits.disk_mb)
    if 2 * size > most * MB:
        raise SourceError(
            f"data/ has {size / MB:.0f} MB; a session takes half of message_mb and of disk_mb, "
            f"{most / 2:.0f} MB here (see the limits in docs/operators.md)",
            file,
        )
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in files}
