"""Leaks: is anything hidden anywhere in a release?

Texts are compared without white space and with one kind of quotes, so that a leak that was
re-wrapped is a leak still.
"""

import ast
import base64
import binascii
import contextlib
import inspect
import json
import re
import textwrap
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from autograder.artefacts.compiled import Oracle
from autograder.artefacts.notebooks import nbformat
from autograder.artefacts.recording import FILE, load_recording
from autograder.authoring.bank import Bank, Variant
from autograder.authoring.checks import Case, Check
from autograder.compiler.syntax import text_of
from autograder.compiler.wheel import own_files
from autograder.errors import SourceError
from autograder.student.recording import replies_to

__all__ = ["Secret", "find_leaks", "secrets_of"]

SHORTEST = 12  # characters, without white space, below which a text says nothing


@dataclass(frozen=True)
class Secret:
    """Something that must not be in a release.

    Attributes:
        what: how a message names it, without telling it.
        text: its text, squeezed.
        in_code: whether it may not be in the release's code either; a line of an alternative may,
            where a stub or a check has it too.
        of_answer: whether it is a line of the solution.
    """

    what: str
    text: str
    in_code: bool = True
    of_answer: bool = False


@dataclass(frozen=True)
class _Place:
    name: str
    text: str
    runs: bool = False  # whether a student's Jupyter runs it


def secrets_of(
    oracle: Oracle,
    solution: nbformat.NotebookNode,
    release: nbformat.NotebookNode,
) -> list[Secret]:
    """Return everything about an assignment that its release must not hold."""
    cases = [c for check in oracle.checks.values() for c in check.cases if not c.is_drawn]
    public = {text for case in cases if not case.hidden for text in _texts_of_case(case)}
    found = [s for check in oracle.checks.values() for s in _secrets_of_check(check, public)]
    found += [
        s for question, bank in oracle.banks.items() for s in _secrets_of_bank(question, bank)
    ]
    stubs = {c.metadata.nbgrader.grade_id: c.source for c in release.cells}
    for cell in solution.cells:
        marks = cell.metadata.nbgrader
        if marks.solution:
            stub = stubs.get(marks.grade_id, "")
            found += _secrets_of_answer(marks.grade_id, cell, stub)
    unique = {(s.text, s.in_code): s for s in found if len(s.text) >= SHORTEST}
    return list(unique.values())


def find_leaks(
    files: Mapping[str, bytes], secrets: Sequence[Secret], oracle: Oracle | None
) -> list[str]:
    """Return a sentence for each secret that is somewhere in a release.

    Args:
        files: the release's files by name, the wheel among them.
        secrets: what must not be there.
        oracle: to compute the replies to hidden cases, which the recording must not hold; None
            does not look for them.
    """
    findings = []
    for place in _places(files):
        squeezed = _squeeze(place.text)
        findings += [
            f"leak: {secret.what} is in {place.name}"
            for secret in secrets
            if secret.text in squeezed and (secret.in_code or not place.runs)
        ]
        if place.runs and re.search(r"^\s*(from|import)\s+reference\b", place.text, re.MULTILINE):
            findings.append(f"leak: {place.name} imports the reference")
    if FILE in files and oracle is not None:
        findings += _leaks_of_recording(files[FILE], oracle)
    return findings


def _texts_of_case(case: Case) -> tuple[str, str]:
    """Return a case's name as a literal, and its parameters, as a decorator has them."""
    parameters = ", ".join(f"{key}={value!r}" for key, value in case.parameters.items())
    return _squeeze(repr(case.name)), _squeeze(parameters)


def _secrets_of_check(check: Check, public: set[str]) -> Iterator[Secret]:
    where = f"of check {check.name}"
    for case in check.cases:
        if case.hidden and not case.is_drawn:  # what a domain says, a release says too
            name, parameters = _texts_of_case(case)
            for what, text in (("hidden case", name), ("values of hidden case", parameters)):
                if not any(text in other for other in public):
                    yield Secret(f"the {what} {case.name!r} {where}", text)
    if check.hint:
        yield Secret(f"the hint {where}", _squeeze(check.hint))


def _secrets_of_bank(question: str, bank: Bank) -> Iterator[Secret]:
    where = f"of question {question}"
    for kind, variants in (("mistake", bank.mistakes), ("alternative", bank.alternatives)):
        for variant in variants:
            yield Secret(f"the {kind} {variant.title!r} {where}", _squeeze(variant.title))
            if kind == "alternative":
                for piece in _statements(_source(variant)):
                    what = f"a line of the {kind} {variant.title!r} {where}"
                    yield Secret(what, _squeeze(piece), in_code=False)


def _source(variant: Variant) -> str:
    """Return the text of a variant's functions and classes."""
    pieces = []
    for value in variant.values.values():
        if callable(value):
            with contextlib.suppress(OSError, TypeError):
                pieces.append(textwrap.dedent(inspect.getsource(value)))
    return "\n".join(pieces)


def _secrets_of_answer(grade_id: str, cell: nbformat.NotebookNode, stub: str) -> Iterator[Secret]:
    """Give each statement of a solution, or line of an example answer, that its stub lacks."""
    given = _squeeze(stub)
    if cell.cell_type == "code":
        pieces = _statements(cell.source)
        what = f"a line of the solution of {grade_id}"
    else:
        pieces = [p for p in cell.source.splitlines() if len(p) > 2 * SHORTEST]
        what = f"a line of the example answer or rubric of {grade_id}"
    for piece in pieces:
        text = _squeeze(piece)
        if text not in given:
            yield Secret(f"{what} ({piece.strip()[:60]!r})", text, of_answer=True)


def _statements(source: str) -> list[str]:
    """Return the text of each simple statement, but for imports and docstrings."""
    tree = ast.parse(source)
    skipped = (ast.Import, ast.ImportFrom, ast.Pass, ast.Raise, ast.Break, ast.Continue)
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.stmt) or hasattr(node, "body") or isinstance(node, skipped):
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        found.append(text_of(source, node))
    return found


def _places(files: Mapping[str, bytes]) -> Iterator[_Place]:
    for name, data in files.items():
        if name.endswith(".ipynb"):
            yield from _places_of_notebook(name, json.loads(data))
        elif name.endswith(".whl"):
            own = {text for _, text in own_files()}  # which everybody can read elsewhere
            with zipfile.ZipFile(BytesIO(data)) as wheel:
                for member in wheel.namelist():
                    if (text := wheel.read(member)) not in own:
                        yield _Place(f"{name}, {member}", text.decode("utf-8", "replace"))
        else:
            yield _Place(name, data.decode("utf-8", "replace"))


def _places_of_notebook(name: str, notebook: dict[str, Any]) -> Iterator[_Place]:
    yield _Place(f"{name}, metadata", json.dumps(notebook["metadata"], ensure_ascii=False))
    for number, cell in enumerate(notebook["cells"], 1):
        place = f"{name}, cell {number}"
        source = cell["source"]
        text = source if isinstance(source, str) else "".join(source)
        yield _Place(place, text, runs=cell["cell_type"] == "code")
        yield _Place(f"{place}, metadata", json.dumps(cell["metadata"], ensure_ascii=False))
        for attachment, kinds in cell.get("attachments", {}).items():
            for content in kinds.values():
                with_text = f"{attachment} {_decoded(content)}"
                yield _Place(f"{place}, attachment {attachment}", with_text)


def _decoded(content: Any) -> str:
    try:
        return base64.b64decode(content, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError, TypeError):
        return str(content)


def _leaks_of_recording(data: bytes, oracle: Oracle) -> Iterator[str]:
    """Compare what the reference replies to hidden cases with what the recording holds.

    Hidden inputs that are drawn from rng differ at grading; what is the same here is a reply
    that depends on no input: the answer to a question that asks for a value. What a domain draws
    may have a small answer twice.
    """
    recorded = {
        (reply.asked, str(reply.value), reply.bodies)
        for cases in load_recording(data).replies.values()
        for replies in cases.values()
        for reply in replies
        if not _is_remote(reply.value)
    }
    for check in oracle.checks.values():
        for case in check.cases:
            if not case.hidden or case.is_drawn or check.device == "cuda":
                continue
            try:
                replies = replies_to(oracle, check, case)
            except SourceError:  # the reference does not pass, which the proof has said
                continue
            for reply in replies:
                if (reply.asked, str(reply.value), reply.bodies) in recorded:
                    yield (
                        f"leak: the recording has a reply to hidden case {case.name!r} of check "
                        f"{check.name} ({reply.asked})"
                    )


def _is_remote(value: Any) -> bool:
    return type(value).__name__ == "Reference"


def _squeeze(text: str) -> str:
    return "".join(text.split()).replace('"', "'")
