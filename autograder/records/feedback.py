"""Feedback: one page for one student about one attempt, with nothing hidden in it.

What is the same for several cases is said once: by check, or by question where it is the same in
all of its checks. What passed and what is not answered is folded away.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from autograder.artefacts.grades import Grade, GradeStatus, QuestionGrade
from autograder.artefacts.manifest import CheckEntry, Manifest
from autograder.artefacts.results import CheckResult, Status, Verdict
from autograder.records.account import (
    account_of,
    is_unanswered,
    question_words,
    steps_of,
    waits_of,
)
from autograder.records.pages import write_page
from autograder.records.words import (
    CaseWords,
    Standing,
    clean,
    is_blank,
    price_words,
    priced_in,
    shared_diagnoses,
    standing,
)

__all__ = ["write_feedback"]

MOST_LINES = 30  # of calls below a question
IMPORTS = {re.compile(r"\bnp\."): "import numpy as np", re.compile(r"\btorch\."): "import torch"}
LONGEST_COMMENT = 10_000  # characters; staff's words are cut only where they would swell the page


@dataclass(frozen=True)
class RowView:
    """Cases that came to the same, one behind another."""

    names: str
    verdict: Verdict
    words: str
    message: str | None


@dataclass(frozen=True)
class CheckView:
    """A check as its student reads it; the hint helps with each hidden case that did not pass."""

    summary: str
    points: float
    earned: float
    tally: str
    passed: bool
    hint: str | None
    rows: list[RowView]
    diagnoses: list[str]


@dataclass(frozen=True)
class QuestionView:
    """A question as its student reads it; the message is that of all checks, diagnoses of several.

    ``calls`` are calls of cases that failed, as lines to paste into the student's notebook, some
    with ``smaller`` inputs than they had, ``again`` those that run the visible cases there, and
    ``inputs`` those that give what these pass there, which are not the inputs that failed here.
    ``graders`` are the points that its checks came to, where staff scored it instead; ``price`` is
    what a mistake costs that has a price, and ``by_checks`` what they would have come to without
    it.
    """

    id: str
    title: str
    points: float
    earned: float
    decided: bool
    standing: Standing
    comments: list[str]
    graders: float | None
    price: str | None
    by_checks: float | None
    message: str | None
    diagnoses: list[str]
    missed: list[CheckView]
    passed: list[CheckView]
    calls: list[str]
    smaller: bool
    again: list[str]
    inputs: list[str]


def write_feedback(
    path: Path,
    grade: Grade,
    manifest: Manifest,
    course_name: str,
    *,
    name: str | None = None,
    newer_waits: bool = False,
) -> None:
    """Write a student's feedback page, which holds only what a student may read.

    Args:
        path: of the page.
        grade: the student's, who submitted something.
        manifest: the assignment's.
        course_name: stands at the top.
        name: the student's own, if it is known.
        newer_waits: whether the student has submitted again since.
    """
    result = grade.result
    if result is None:
        raise ValueError(f"{grade.student} submitted nothing, so there is nothing to say")
    account = account_of(grade)
    unanswered = [question for question in grade.questions if is_unanswered(question)]
    open_ones = [q for q in grade.questions if q.status is not Status.GRADED]
    write_page(
        path,
        "feedback.html",
        course=course_name,
        title=manifest.title,
        student=clean(grade.student),
        name=clean(name) if name else None,
        graded_at=result.graded_at,
        device=result.device,
        submission=result.submission,
        earned=grade.earned,
        possible=grade.possible,
        undecided=sum(q.points - (q.earned - q.extra) for q in open_ones),
        begun=grade.is_begun,
        attempt=grade.counted.words if grade.counted is not None else "",
        so_far=grade.total is None,
        attention=grade.status is GradeStatus.NEEDS_ATTENTION,
        account=account if len(account) > 1 else [],
        waits=waits_of(grade),
        steps=steps_of(grade),
        # What broke on our side is for staff; the statuses say that it did.
        notes=[clean(note) for note in result.notes],
        questions=[_question(q) for q in grade.questions if q not in unanswered],
        unanswered=[_question(question) for question in unanswered],
        newer_waits=newer_waits,
    )


def _question(question: QuestionGrade) -> QuestionView:
    entry = question.entry
    entries = {check.name: check for check in entry.checks}
    words = question_words(question)
    everything = [case for cases in words for case in cases]
    missed = [case for case in everything if case.verdict is not Verdict.PASSED]
    messages = [case.message for case in missed if case.message]
    blank = is_blank(everything)
    message = "\n".join(dict.fromkeys(messages)) if blank else _shared(messages)
    diagnoses = shared_diagnoses(words)
    priced = priced_in(question)
    known = clean(priced.mistake) if priced else None
    checks = [
        _check(check, cases, entries.get(check.name), {message, known, *diagnoses}, blank)
        for check, cases in zip(question.checks, words, strict=True)
    ]
    return QuestionView(
        id=entry.id,
        title=entry.title,
        points=question.points,
        earned=question.earned,
        decided=question.status is Status.GRADED,
        standing=standing(entry, question),
        comments=[clean(comment, LONGEST_COMMENT) for comment in question.comments],
        graders=question.result.earned if question.by_staff and question.checks else None,
        price=price_words(question),
        by_checks=priced.by_checks if priced else None,
        message=message,
        diagnoses=[one for one in diagnoses if one != known],
        missed=[check for check in checks if not check.passed],
        passed=[check for check in checks if check.passed],
        calls=[] if blank else _calls(missed),
        smaller=any(case.smallest for case in missed),
        again=[] if blank else [f"self_check({name})" for name in _to_run_again(question)],
        inputs=[] if blank else list(_inputs(question)),
    )


def _to_run_again(question: QuestionGrade) -> Iterator[str]:
    """Yield the checks that did not pass on a visible case, and that a student can run."""
    devices = {check.name: check.device for check in question.entry.checks}
    for check in question.checks:
        missed = any(c.verdict is not Verdict.PASSED and not c.hidden for c in check.cases)
        if missed and devices.get(check.name, "cuda") != "cuda":
            yield check.name


def _inputs(question: QuestionGrade) -> Iterator[str]:
    """Yield for each check the line that gives the notebook's inputs of a visible case it failed.

    It is the first of these cases; the others are asked for in the same way.
    """
    entries = {entry.name: entry for entry in question.entry.checks}
    for name in _to_run_again(question):
        check = next(check for check in question.checks if check.name == name)
        missed = [
            c.name
            for c in check.cases
            if c.verdict is not Verdict.PASSED and not c.hidden and c.blank is None
        ]
        called = [case for case in missed if case in entries[name].called]
        yield from (f"{name}.inputs({case!r})" for case in called[:1])


def _calls(missed: Sequence[CaseWords]) -> list[str]:
    """Return calls that did not pass, as lines of a notebook, as far as there is room for them.

    What several cases called alike stands there once.
    """
    calls: dict[str, str] = {}  # the name of the case
    for case in missed:
        if case.call:
            name = " ".join(case.name.split())
            calls.setdefault(case.call, f"{name}: smallest inputs found" if case.smallest else name)
    lines: list[str] = []
    for call, name in calls.items():
        new = [f"# {name}", *call.split("\n")]
        if lines and len(lines) + len(new) > MOST_LINES:
            break
        lines += new
    imports = [line for word, line in IMPORTS.items() if any(map(word.search, lines))]
    return [*imports, *lines]


def _shared(texts: Sequence[str]) -> str | None:
    """Return what several texts all are, if they are alike."""
    return texts[0] if len(texts) > 1 and len(set(texts)) == 1 else None


def _check(
    check: CheckResult,
    cases: Sequence[CaseWords],
    entry: CheckEntry | None,
    said: set[str | None],
    blank: bool,
) -> CheckView:
    """Return a check without what is said of its whole question."""
    passed = sum(case.verdict is Verdict.PASSED for case in cases)
    whole = passed == len(cases)
    diagnoses = dict.fromkeys(case.diagnosis for case in cases if case.diagnosis)
    tally = f"{passed} of {len(cases)} cases passed"
    if whole:
        tally = "its only case passed" if passed == 1 else f"all {passed} cases passed"
    elif passed and _typical_failed(check, entry):
        tally += ", but not that of typical inputs, without which none counts"
    return CheckView(
        summary=entry.summary if entry else check.name,
        points=check.points,
        earned=check.earned,
        tally=tally,
        passed=whole,
        hint=None if blank else next((case.hint for case in cases if case.hint), None),
        rows=[] if blank else list(_rows(cases, [case.hidden for case in check.cases], said)),
        diagnoses=[diagnosis for diagnosis in diagnoses if diagnosis not in said],
    )


def _typical_failed(check: CheckResult, entry: CheckEntry | None) -> bool:
    passed = [case.name for case in check.cases if case.verdict is Verdict.PASSED]
    return entry is not None and entry.typical not in (None, *passed)


def _rows(
    cases: Sequence[CaseWords], hidden_ones: Sequence[bool], said: set[str | None]
) -> Iterator[RowView]:
    """Yield the cases, together where they came to the same."""
    for (verdict, words, message), alike in groupby(
        zip(cases, hidden_ones, strict=True),
        key=lambda pair: (pair[0].verdict, pair[0].words, pair[0].message),
    ):
        together = list(alike)
        names = [case.name for case, hidden in together if not hidden]
        hidden = [case.name for case, hidden in together if hidden]
        if len(hidden) > 1:
            first, last = (name.rpartition(" ")[2] for name in (hidden[0], hidden[-1]))
            joined = "and" if len(hidden) == 2 else "to"
            hidden = [f"hidden cases {first} {joined} {last}"]
        shown = message if message not in said or verdict is Verdict.PASSED else None
        yield RowView(", ".join(names + hidden), verdict, words, shown)
