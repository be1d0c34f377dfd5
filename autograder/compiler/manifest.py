"""The manifest of an assignment: its questions, from its checks and the headings above them."""

import ast
from collections.abc import Iterable, Iterator, Mapping

from autograder.artefacts.manifest import CheckEntry, Manifest, QuestionEntry
from autograder.artefacts.recording import Recording
from autograder.authoring.checks import Check
from autograder.compiler.headings import headings_of, require_told_points
from autograder.compiler.source import Source
from autograder.compiler.versions import PRELOADABLE, versions
from autograder.compiler.written_checks import CheckFunction
from autograder.errors import SourceError
from autograder.version import own_version

__all__ = ["cases_of", "make_manifest"]


def make_manifest(
    assignment: str,
    source: Source,
    checks: Mapping[str, Check],
    written: Mapping[str, CheckFunction],
    reference: Iterable[str],
    recording: Recording,
) -> Manifest:
    """Return the manifest, still without the hashes of the bundle's files.

    Args:
        checks: as they are after the cells ran.
        written: the same, as they are written.
        reference: the texts of the modules that the bundle carries.
        recording: of the visible cases.

    Raises:
        SourceError: there is no question, a manual one shares its id with another, or a heading
            tells other points than the questions below it have.
    """
    questions = tuple(_questions(source, checks, written, recording))
    if not questions:
        raise SourceError("the notebook has no question; add a check or a manual one", source.file)
    _require_told_points(source, checks, written, questions)
    headings = (heading.title for cell in source.cells for heading in headings_of(cell))
    trees = [cell.tree for cell in source.cells] + [ast.parse(text) for text in reference]
    return Manifest(
        assignment=assignment,
        title=next(headings, assignment),
        autograder=own_version(),
        questions=questions,
        preload=_preload(trees),
        files={},
        versions=versions(),
    )


def _questions(
    source: Source,
    checks: Mapping[str, Check],
    written: Mapping[str, CheckFunction],
    recording: Recording,
) -> Iterator[QuestionEntry]:
    """Return the questions in the order in which they first come."""
    titles: dict[str, str] = {}
    manual = {c.manual.question: c.manual.points for c in source.cells if c.manual}
    heading = None
    for cell in source.cells:
        heading = next((one.title for one in reversed(headings_of(cell))), heading)
        here = [checks[w.name].question for w in written.values() if w.cell == cell.number]
        for question in [cell.manual.question] if cell.manual else here:
            if question in manual and question in titles:
                raise SourceError(
                    f"question {question!r} stands above already; a manual question is of one cell",
                    source.file,
                    cell.number,
                )
            titles.setdefault(question, heading or question)
    for question, title in titles.items():
        entries = tuple(_entry(c, recording) for c in checks.values() if c.question == question)
        points = manual.get(question, sum(e.points for e in entries))
        is_manual = question in manual
        yield QuestionEntry(
            question, title, points, is_manual, entries, question if is_manual else None
        )


def _require_told_points(
    source: Source,
    checks: Mapping[str, Check],
    written: Mapping[str, CheckFunction],
    questions: Iterable[QuestionEntry],
) -> None:
    """Refuse a heading that tells other points than the checks or the questions below it.

    In a notebook that was adopted, some tests may still be without a check.
    """
    if source.adopted:
        return
    by_hand = [(c.number, c.manual.points) for c in source.cells if c.manual]
    by_check = [(one.cell, checks[one.name].points) for one in written.values()]
    first: dict[str, int] = {}
    for one in written.values():
        first.setdefault(checks[one.name].question, one.cell)
    by_question = [(first[one.id], one.points) for one in questions if one.id in first]
    require_told_points(source, [*by_hand, *by_check], [*by_hand, *by_question])


def _entry(check: Check, recording: Recording) -> CheckEntry:
    return CheckEntry(
        name=check.name,
        question=check.question,
        points=check.points,
        cases=cases_of(check),
        all_or_nothing=check.all_or_nothing,
        device=check.device,
        hint=check.hint,
        summary=check.summary,
        called=recording.called_in(check.name),
        typical=check.typical,
    )


def cases_of(check: Check) -> tuple[tuple[str, bool], ...]:
    """Return the cases of a check as the manifest has them."""
    return tuple((c.name, c.hidden) for c in check.cases)


def _preload(trees: Iterable[ast.Module]) -> tuple[str, ...]:
    """Return which of the packages worth a warm start the trees import."""
    names: set[str] = set()
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return tuple(p for p in PRELOADABLE if p in names)
