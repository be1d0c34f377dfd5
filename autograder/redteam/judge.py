"""The judge: whether an attack was held, by what it earned and by what the witnesses saw."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec

from autograder.artefacts.results import Result, Status, Verdict
from autograder.course import LONGEST_NAME
from autograder.records.words import student_message
from autograder.redteam.specimens import Earning, Specimen
from autograder.redteam.witnesses import readable_text

__all__ = ["Evidence", "Outcome", "differences", "judge", "misuse"]

SPARE_SECONDS = 10.0  # beyond a submission's time, for the run's own work on a busy machine
SPARE_MEMORY = 300  # MB that a process of the grader may need more than for an honest submission
_STEERING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_FORMULA = re.compile(r"\s*[=+@]|\s*-(?![\d.])")  # a negative number is none
_NUMBER = re.compile(r"\d[\d.]{9,}")  # as long as those that `hidden_numbers` returns
_NUMBERS = re.compile(r"[-+.0-9e]{12,}")  # in which one of these stands, if it stands in a page
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Evidence:
    """What is known of a specimen after its run.

    Attributes:
        result: its result; None if it has none.
        broke: how the whole run broke; "" if it did not.
        alone: what the right, the blank and the lacking notebook get where no attacker is.
        course: the folder of its class.
        assignment: the assignment's name.
        mark: what its traces carry.
        canaries: texts that nobody may find.
        hidden: finds inputs of its hidden cases and the right replies to them.
        heard: whether it reached somebody outside.
        processes: how many of its processes lived on.
        files: what it left outside its own folder.
        victim: what happened to the process that it was shown.
        seconds: how long it took.
        limit: how long it might.
        memory: by how many MB a process of the grader grew more than for an honest submission.
    """

    result: Result | None
    broke: str
    alone: tuple[Result, Result, Result]
    course: Path
    assignment: str
    mark: str
    canaries: frozenset[str]
    hidden: Callable[[], frozenset[str]]
    heard: bool
    processes: int
    files: tuple[str, ...]
    victim: str
    seconds: float
    limit: float
    memory: int


@dataclass(frozen=True)
class Outcome:
    """What came of a specimen; it was held if there are no problems."""

    id: str
    tries: str
    earned: float
    possible: float
    verdicts: str
    seconds: float
    problems: tuple[str, ...]

    @property
    def held(self) -> bool:
        """Whether it got what it must get, and reached nothing."""
        return not self.problems


def judge(specimen: Specimen, evidence: Evidence) -> Outcome:
    """Return what came of a specimen."""
    result = evidence.result
    problems = list(_seen(specimen, evidence))
    if evidence.broke:
        problems.insert(0, evidence.broke)
    elif result is None and len(specimen.student) <= LONGEST_NAME:  # else staff are told
        problems.insert(0, "it has no result")
    if result is not None:
        problems = [*_unexpected(specimen, result, evidence), *problems]
    verdicts = sorted({str(verdict) for verdict in _verdicts(result)})
    return Outcome(
        specimen.id,
        specimen.tries,
        result.earned if result else 0.0,
        evidence.alone[0].possible,
        " ".join(verdicts),
        evidence.seconds,
        tuple(problems),
    )


def differences(alone: Result, among: Result | None) -> Iterator[str]:
    """Say how an honest student's result among attackers differs from that without them."""
    if among is None:
        yield "no result among attackers"
        return
    a, b = (_without_times(result) for result in (alone, among))
    if a != b:
        yield (
            f"earned {among.earned:g} among attackers ({among.status}, {list(among.remarks)}), "
            f"{alone.earned:g} without them ({alone.status})"
        )


def misuse(command: str, code: int, output: bytes, errors: bytes) -> Iterator[str]:
    """Say what is wrong with what a command printed for a class in which attackers submitted."""
    if code not in (0, 1):
        yield f"autograder {command} ended with exit code {code}: {errors[-200:]!r}"
    if b"Traceback" in errors:
        yield f"autograder {command} ended with a traceback"
    text = (output + errors).decode(errors="replace").replace("\r\n", "\n")
    if found := _STEERING.search(text):
        yield f"autograder {command} printed the character {found[0]!r}"
    if "json" in command and not _is_json(output):
        yield f"autograder {command} printed no JSON"
    if "csv" in command:
        rows = [row for d in ",;" for row in csv.reader(io.StringIO(text), delimiter=d)]
        if formulas := [cell for cell in chain.from_iterable(rows) if _FORMULA.match(cell)]:
            yield f"autograder {command} printed the formula {formulas[0]!r}"


def _is_json(output: bytes) -> bool:
    try:
        json.loads(output)
    except ValueError:
        return False
    return True


def _without_times(result: Result) -> object:
    table = msgspec.to_builtins(result)
    table.pop("graded_at")
    for question in table["questions"]:
        for check in question["checks"]:
            for case in check["cases"]:
                case.pop("seconds")
    return table


def _verdicts(result: Result | None) -> list[Verdict]:
    questions = result.questions if result else ()
    return [c.verdict for q in questions for check in q.checks for c in check.cases]


def _unexpected(specimen: Specimen, result: Result, evidence: Evidence) -> Iterator[str]:
    """Say how a result differs from what the first line says."""
    expected = specimen.expectation
    right, blank, lacking = evidence.alone
    if expected.earning is Earning.ATTENTION:
        if result.status is not Status.NEEDS_ATTENTION:
            yield f"it was graded: {result.earned:g} of {result.possible:g}"
    elif expected.earning is Earning.NEITHER:
        if result.earned:
            yield f"it earned {result.earned:g}"
    else:
        alike = {
            Earning.NOTHING: blank,
            Earning.EVERYTHING: right,
            Earning.ALL_BUT_FIRST: lacking,
        }[expected.earning]
        if result.status is Status.NEEDS_ATTENTION:
            yield f"it needs attention: {' '.join(result.remarks)[:200]}"
        elif result.earned != alike.earned:
            yield f"it earned {result.earned:g}, not {alike.earned:g}"
        elif Verdict.PENDING in _verdicts(result):
            yield "a case is pending"
    fault = result.fault
    if fault is not None and result.status is not Status.NEEDS_ATTENTION:
        yield f"it broke the harness, and is graded: {fault[:200]}"
    elif fault is not None and expected.earning in (Earning.ATTENTION, Earning.NEITHER):
        yield f"it broke the harness: {fault[:200]}"
    verdicts = _verdicts(result)
    if Verdict.BROKEN in verdicts:
        yield "a case is broken"
    if expected.verdict is not None and expected.verdict not in verdicts:
        yield f"no case is {expected.verdict}"
    said = "\n".join(_messages(result))
    yield from (f"nothing says {text!r}" for text in expected.says if text not in said)
    yield from (f"something says {text!r}" for text in expected.never_says if text in said)


def _messages(result: Result) -> Iterator[str]:
    yield from result.remarks
    for question in result.questions:
        for check in question.checks:
            yield from (case.message for case in check.cases if case.message)


def _seen(specimen: Specimen, evidence: Evidence) -> Iterator[str]:
    """Say what the witnesses saw."""
    if evidence.heard:
        yield "it reached a listener"
    if evidence.processes:
        yield f"{evidence.processes} of its processes lived on"
    if evidence.files:
        yield f"it left {', '.join(evidence.files[:3])}"
    if evidence.victim:
        yield f"a process of somebody else: {evidence.victim}"
    if evidence.seconds > evidence.limit + SPARE_SECONDS:
        yield f"it took {evidence.seconds:.0f} s"
    if evidence.memory > SPARE_MEMORY:
        yield f"a process of the grader grew by {evidence.memory} MB"
    yield from _leaks(specimen, evidence)


def _leaks(specimen: Specimen, evidence: Evidence) -> Iterator[str]:
    """Say what stands in the pages that a student gets and may not know, or that might act."""
    course, name = evidence.course, evidence.assignment
    feedback = readable_text(course / "feedback" / specimen.student / name / f"{name}.html")
    graded = course / "autograded" / specimen.student / name / f"{name}.ipynb"
    pages = feedback + readable_text(graded)
    messages = "\n".join(_messages(evidence.result)) if evidence.result else ""
    for canary in sorted(evidence.canaries):
        if canary in pages or canary in messages:
            yield f"it found {canary.rpartition('-')[0]}"
    # Mostly there are none; and to look for hundreds in all of the pages takes long.
    told = "\n".join(_NUMBERS.findall(pages))
    if _NUMBER.search(told) and (numbers := [n for n in evidence.hidden() if n in told]):
        yield f"a page tells of {len(numbers)} numbers of hidden cases, {numbers[0]} among them"
    if evidence.result and (told_apart := list(_unlike_notes(evidence.result))):
        yield f"notes on what is given differ: {told_apart[0]}"
    if said := [text for text in _hidden_messages(evidence.result) if text in pages]:
        yield f"a page shows a hidden case's message: {said[0][:80]}"
    source = course / "feedback" / specimen.student / name / f"{name}.html"
    if source.is_file():
        page = source.read_text(encoding="utf-8", errors="replace")
        if _is_markup(page, evidence.mark):
            yield "its markup stands in the feedback as markup"
        if found := _CONTROL.search(page):
            yield f"the feedback holds the character {found[0]!r}"
    report = course / "report" / "index.html"
    if report.is_file() and _is_markup(report.read_text(), evidence.mark):
        yield "its markup stands in the report as markup"
    if graded.is_file():
        yield from _acting(json.loads(graded.read_text()), evidence.mark)


def _is_markup(page: str, mark: str) -> bool:
    return mark in page and re.search(rf"<[A-Za-z][^<>]*{mark}", page) is not None


def _hidden_messages(result: Result | None) -> list[str]:
    """Return the messages of hidden cases that no visible one has too."""
    questions = result.questions if result else ()
    cases = [c for q in questions for check in q.checks for c in check.cases if c.message]
    visible = "\n".join(c.message or "" for c in cases if not c.hidden)
    hidden = [c.message for c in cases if c.hidden and not c.given and c.message]
    return [message for message in hidden if message not in visible]


def _unlike_notes(result: Result) -> Iterator[str]:
    """Return the checks whose cases that passed with what is given do not all read the same."""
    for question in result.questions:
        for check in question.checks:
            notes = {student_message(case) for case in check.cases if case.given}
            if len(notes) > 1:
                yield f"{check.name}: {sorted(map(str, notes))}"


def _acting(notebook: dict[str, list[dict[str, Any]]], mark: str) -> Iterator[str]:
    """Say what of a graded notebook would act where staff look at it."""
    for cell in notebook["cells"]:
        text = str(cell["source"])
        if cell["cell_type"] == "raw":
            yield "the graded notebook has a raw cell"
        elif (
            cell["cell_type"] == "markdown"
            and mark in text
            and re.search(rf"<[A-Za-z][^<>]*{mark}|\]\(\s*(javascript|data):[^)]*{mark}", text)
        ):
            yield "its markup stands in the graded notebook as markup"
        if mark in text and re.search(
            rf"\\(mmlToken|href|style|class|cssId|unicode)[^$]*{mark}", text
        ):
            yield "a formula of the graded notebook links or styles"
        if cell["cell_type"] == "markdown" and "attachment:" in text:
            yield from _refused(text, cell.get("attachments", {}))
        outputs = json.dumps(cell.get("outputs", []))
        if '"text/html"' in outputs or '"application/javascript"' in outputs:
            yield "the graded notebook has an output that acts"


def _refused(text: str, attachments: dict[str, Any]) -> Iterator[str]:
    """Say why formgrader cannot show a text with pictures; it renders as nbconvert does."""
    from nbconvert.filters.markdown_mistune import (
        InvalidNotebook,
        IPythonRenderer,
        MarkdownWithMath,
    )

    renderer = IPythonRenderer(escape=False, attachments=attachments)
    try:
        MarkdownWithMath(renderer=renderer).render(text)
    except InvalidNotebook as error:
        yield f"formgrader cannot show the graded notebook: {error}"
