"""Building: one source notebook becomes a release, a bundle and a solution notebook."""

import ast
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import msgspec

from autograder.artefacts.bundle import NamedMutant, pack_bundle, parse_bundle
from autograder.artefacts.compiled import Compiled, Oracle, Texts
from autograder.artefacts.manifest import Manifest
from autograder.artefacts.recording import FILE as RECORDING
from autograder.artefacts.recording import Recording, dump_recording
from autograder.artefacts.release import Artefacts
from autograder.authoring.standard import Standard
from autograder.compiler.bank_files import (
    read_bank_texts,
    require_fair_prices,
    require_known_questions,
)
from autograder.compiler.check_cells import released_checks
from autograder.compiler.fingerprint import fingerprint
from autograder.compiler.given_functions import require_given
from autograder.compiler.handout import companions, first_cell
from autograder.compiler.manifest import cases_of, make_manifest
from autograder.compiler.passes import (
    release_notebook,
    serialize,
    solution_notebook,
    with_first_cell,
)
from autograder.compiler.pieces import plan
from autograder.compiler.promises import promise
from autograder.compiler.reference import PACKAGE, Reference, reference_imports
from autograder.compiler.solutions import solution_cells
from autograder.compiler.source import Source, read_source
from autograder.compiler.syntax import placed
from autograder.compiler.trusted import (
    require_as_written,
    require_callable,
    require_self_check,
    trusted_cells,
)
from autograder.compiler.written_checks import CheckFunction, find_checks
from autograder.course import Course
from autograder.errors import SourceError
from autograder.grading.oracle import load_oracle
from autograder.sandbox.limits import MB, Limits
from autograder.student.recording import record

__all__ = [
    "build",
    "compile_assignment",
    "pack",
    "read_texts",
]


def read_texts(course: Course, name: str) -> Texts:
    """Return what an assignment is written in.

    Raises:
        UsageError: there is no such assignment.
        SourceError: its source notebook or a bank cannot be read; says where.
    """
    return _read(course, name)[2]


def _read(course: Course, name: str) -> tuple[Source, Reference, Texts]:
    path = course.source(name)
    source = read_source(path, course.relative(path))
    reference = Reference(course.root)
    banks = read_bank_texts(course, name)
    modules = _texts(source, reference) | _texts_of_banks(banks, reference)
    data = _data(path.parent, course.limits_of(name), source.file)
    modules = dict(sorted(modules.items()))
    resources = reference.resources(modules)
    cells = trusted_cells(source)
    return source, reference, Texts(cells, modules, banks, data, resources, source.adopted)


def compile_assignment(course: Course, name: str) -> Compiled:
    """Compile an assignment.

    Args:
        course: which it belongs to.
        name: the assignment's.

    Raises:
        UsageError: there is no such assignment.
        SourceError: its source notebook or a bank is wrong; says where.
    """
    made_from = fingerprint(course, name)
    source, reference, texts = _read(course, name)
    written = find_checks(source)
    require_self_check(source, written)
    solutions = solution_cells(source, reference)
    limits = course.limits_of(name)
    trusted, banks, data = texts.cells, texts.banks, texts.data
    oracle = load_oracle(trusted, texts.reference, name, source.file, data, banks, texts.resources)
    require_known_questions(course, name, banks, oracle.checks)
    answerable = require_as_written(source, oracle.checks, written)
    require_callable(source, oracle.checks, written, oracle.namespace)
    require_given(source, oracle.checks, written, solutions, oracle.namespace)
    recording = _recording(source, oracle, written, limits.call_seconds)
    modules = texts.reference.values()
    manifest = make_manifest(name, source, oracle.checks, written, modules, recording)
    require_fair_prices(course, name, oracle.banks, manifest)
    promises = {check.name: promise(check.domain) for check in oracle.checks.values()}
    released = released_checks(source, written, promises)
    pieces = plan(source, solutions, released, oracle.checks)
    release = release_notebook(pieces)
    return Compiled(
        name=name,
        file=source.file,
        oracle=oracle,
        cells=trusted,
        reference=texts.reference,
        banks=banks,
        data=data,
        resources=texts.resources,
        manifest=manifest,
        release=serialize(release),
        handout={
            f"{name}.ipynb": serialize(with_first_cell(release, first_cell(manifest, data))),
            **companions(manifest, data),
            **data,
        },
        recording=recording,
        solution=serialize(solution_notebook(release, pieces)),
        fingerprint=made_from,
        adopted=source.adopted,
        answerable=answerable,
    )


def pack(
    compiled: Compiled,
    standards: Mapping[str, Standard] | None = None,
    rejects: Mapping[str, Collection[str]] | None = None,
    mutants: Sequence[NamedMutant] = (),
    draws: Mapping[str, Sequence[Mapping[str, str]]] | None = None,
) -> Artefacts:
    """Return the artefacts of an assignment, with what its audit found.

    Args:
        compiled: the assignment.
        standards: of checks by name; the others have the default.
        rejects: titles of the mistakes that checks reject, by the check's name.
        mutants: that diagnoses can name.
        draws: the kinds of further hidden cases, by check.
    """
    standards, rejects = standards or {}, rejects or {}
    manifest = _with_findings(compiled, standards, rejects, draws or {})
    bundle = pack_bundle(
        manifest,
        compiled.cells,
        compiled.release,
        dict(compiled.reference),
        mutants,
        compiled.data,
        compiled.banks,
        compiled.resources,
    )
    recording = dump_recording(compiled.recording, standards)
    return Artefacts(
        name=compiled.name,
        release={**compiled.handout, RECORDING: recording},
        solution=compiled.solution,
        bundle=bundle,
        manifest=parse_bundle(bundle, compiled.name).manifest,
        fingerprint=compiled.fingerprint,
    )


def build(course: Course, name: str) -> Artefacts:
    """Return the artefacts of an assignment of which nothing is proven."""
    return pack(compile_assignment(course, name))


def _with_findings(
    compiled: Compiled,
    standards: Mapping[str, Standard],
    rejects: Mapping[str, Collection[str]],
    draws: Mapping[str, Sequence[Mapping[str, str]]],
) -> Manifest:
    replace, manifest = msgspec.structs.replace, compiled.manifest
    checks = compiled.oracle.with_draws(draws).checks
    questions = tuple(
        replace(
            question,
            checks=tuple(
                replace(
                    entry,
                    standard=standards.get(entry.name, Standard()),
                    rejects=tuple(rejects.get(entry.name, ())),
                    cases=cases_of(checks[entry.name]),
                    draws=tuple(map(dict, draws.get(entry.name, ()))),
                )
                for entry in question.checks
            ),
        )
        for question in manifest.questions
    )
    return replace(manifest, questions=questions)


def _texts(source: Source, reference: Reference) -> dict[str, str]:
    """Return the modules of the reference that a source needs, by path."""
    found: dict[str, str] = {}
    for cell in source.cells:
        with placed(source.file, cell.number):
            found |= reference.texts([item.module for item in cell.imports])
    return found


def _texts_of_banks(banks: Mapping[str, str], reference: Reference) -> dict[str, str]:
    """Return the modules of the reference that banks need, by path."""
    found: dict[str, str] = {}
    for path, text in banks.items():
        if PACKAGE not in text:
            continue
        with placed(path):
            found |= reference.texts([i.module for i in reference_imports(ast.parse(text))])
    return found


def _recording(
    source: Source, oracle: Oracle, written: Mapping[str, CheckFunction], call_seconds: float
) -> Recording:
    try:
        return record(oracle, oracle.assignment, call_seconds)
    except SourceError as error:
        named = (w.cell for w in written.values() if w.name == error.check)
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
