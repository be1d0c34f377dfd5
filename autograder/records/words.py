"""Words: what a student may read of a case, and in which words everybody reads verdicts.

Messages are written by the student's own code as much as by ours, and hidden cases stay hidden.
Both rules live here and nowhere else: whatever shows a result shows what these functions return.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from autograder.artefacts.grades import QuestionGrade, ungraded
from autograder.artefacts.manifest import CheckEntry, Manifest, QuestionEntry
from autograder.artefacts.results import (
    CaseResult,
    CheckResult,
    Priced,
    QuestionResult,
    Status,
    Verdict,
)
from autograder.records.pages import format_points
from autograder.visible import STEERING

__all__ = [
    "LONGEST_CALL",
    "STATUS_WORDS",
    "VERDICT_WORDS",
    "CaseWords",
    "Standing",
    "check_words",
    "clean",
    "is_blank",
    "price_words",
    "priced_in",
    "question_label",
    "question_pairs",
    "shared_diagnoses",
    "signed",
    "standing",
    "student_call",
    "student_message",
    "student_words",
]

LONGEST_MESSAGE = 600  # characters
LONGEST_CALL = 2000  # and a call that is cut could not be pasted; the grader keeps shorter ones

VERDICT_WORDS = {
    Verdict.PASSED: "passed",
    Verdict.FAILED: "not the expected result",
    Verdict.ERRORED: "your code raised an error",
    Verdict.TIMED_OUT: "took too long and was stopped",
    Verdict.KILLED: "used more memory or processes than allowed, or crashed, and was stopped",
    Verdict.PENDING: "waits for a machine with the right hardware",
    Verdict.BROKEN: "could not be graded: not your fault; staff have been told",
}

BLANK_WORDS = "not answered yet"

STATUS_WORDS = {
    Status.GRADED: "graded",
    Status.PENDING: "pending",
    Status.NEEDS_ATTENTION: "needs attention",
    Status.UNGRADED: "ungraded",
}

# The verdicts that say something about the student's work, where a hint helps.
_MISSED = frozenset({Verdict.FAILED, Verdict.ERRORED, Verdict.TIMED_OUT, Verdict.KILLED})

# ESC [ … letter, ESC ] … BEL or ESC \, and the two-character sequences.
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])")
_NUMBERED = re.compile(r"\d[\d.]*")  # "2.1 Softmax" brings its own number


@dataclass(frozen=True)
class CaseWords:
    """What somebody may read of a case; ``blank`` says that there is no answer yet.

    ``call`` is Python that a student can paste, with the inputs of a visible case that failed; or,
    where it is ``smallest``, with the smallest inputs found that fail as well.
    """

    name: str
    verdict: Verdict
    words: str
    message: str | None
    call: str | None
    hint: str | None
    diagnosis: str | None
    blank: bool
    smallest: bool = False


@dataclass(frozen=True)
class Standing:
    """How a question stands: a key for styles, words, and a mark instead of undecided points."""

    key: str
    words: str
    mark: str | None = None


_STANDINGS = (
    Standing("full", "full points"),
    Standing("part", "part of the points"),
    Standing("none", "no points"),
    Standing("unscored", "not scored"),
    Standing("manual", "waiting for your instructor", "–"),
    Standing("hardware", "waiting for a machine with the right hardware", "–"),
    Standing("attention", "not graded yet: staff will act", "!"),
    Standing("trial", "a trial that counts for nothing", "–"),
)
_BY_KEY = {standing.key: standing for standing in _STANDINGS}


def clean(text: str, limit: int = LONGEST_MESSAGE) -> str:
    """Return text without what steers a terminal or turns its reading direction, and not too long.

    Line breaks and tabs stay, as do the joiners that some scripts need.
    """
    text = _ANSI.sub("", text[: 20 * limit]).replace("\r\n", "\n")
    kept = STEERING.sub("", text).strip("\n")
    return kept if len(kept) <= limit else kept[: limit - 1].rstrip() + "…"


def student_message(case: CaseResult) -> str | None:
    """Return the message that a student reads of a case, if any.

    A hidden case's may tell its inputs, unless it is our own note on a case that passed with what
    is given, and a broken one's tells of the grader: neither is for students.
    """
    if case.verdict is Verdict.BROKEN or not case.message or (case.hidden and not case.given):
        return None
    return clean(case.message) or None


def student_call(case: CaseResult) -> str | None:
    """Return the call that a student reads of a case, if any.

    Of a visible case the shorter one counts; of a hidden one only what its check reveals.
    """
    if case.blank is not None or case.verdict not in _MISSED:
        return None
    smallest = case.smallest or "" if case.revealed is True or not case.hidden else ""
    call = "" if case.hidden else case.call or ""
    shown = min(filter(None, (smallest, call)), key=len, default=None)
    return clean(shown, LONGEST_CALL) if shown else None


def student_words(case: CaseResult, number: int, hint: str | None) -> CaseWords:
    """Return what a student may read of a case.

    Args:
        case: the case.
        number: which of the check's hidden cases it is, from 1; it stands for the name.
        hint: the author's, for a hidden case.
    """
    blank = case.blank is not None
    helps = case.hidden and case.verdict in _MISSED and not blank
    call = student_call(case)
    return CaseWords(
        name=f"hidden case {number}" if case.hidden else clean(case.name, 120),
        verdict=case.verdict,
        words=BLANK_WORDS if blank else VERDICT_WORDS[case.verdict],
        message=student_message(case),
        call=call,
        hint=clean(hint) if hint and helps else None,
        diagnosis=clean(case.diagnosis) if case.diagnosis else None,
        blank=blank,
        smallest=call is not None and call != case.call,
    )


def check_words(check: CheckResult, entry: CheckEntry | None) -> list[CaseWords]:
    """Return what a student may read of a check's cases, in their order.

    The author's hint is a guess at what is wrong: it is not given where a diagnosis says it.
    """
    diagnosed = any(case.diagnosis for case in check.cases)
    hint = entry.hint if entry and not diagnosed else None
    hidden = 0
    words = []
    for case in check.cases:
        hidden += case.hidden
        words.append(student_words(case, hidden, hint))
    return words


def shared_diagnoses(checks: Iterable[Sequence[CaseWords]]) -> list[str]:
    """Return what several checks look like: they fail for one reason, which is said once."""
    found = Counter(text for cases in checks for text in {case.diagnosis for case in cases})
    return [text for text, times in found.items() if text and times > 1]


def is_blank(cases: Sequence[CaseWords]) -> bool:
    """Return whether a question is not answered: no case passed, and those that tell why agree."""
    told = [case for case in cases if case.message or case.blank]
    passed = any(case.verdict is Verdict.PASSED for case in cases)
    return bool(told) and not passed and all(case.blank for case in told)


def priced_in(question: QuestionResult | QuestionGrade) -> Priced | None:
    """Return the mistake that a question was scored by; None where staff scored it instead."""
    if isinstance(question, QuestionGrade):
        return None if question.by_staff else priced_in(question.result)
    return question.priced or None


def price_words(question: QuestionResult | QuestionGrade) -> str | None:
    """Return what such a mistake costs and which it is, as everybody reads it."""
    priced = priced_in(question)
    return f"−{format_points(priced.costs)}: {clean(priced.mistake)}" if priced else None


def question_pairs(
    manifest: Manifest, questions: Iterable[QuestionResult]
) -> list[tuple[QuestionEntry, QuestionResult]]:
    """Return each question of an assignment with its result.

    One without a result, as in a submission that could not be read, needs attention.
    """
    by_id = {question.id: question for question in questions}
    return [(entry, by_id.get(entry.id) or ungraded(entry)) for entry in manifest.questions]


def question_label(entry: QuestionEntry, number: int) -> str:
    """Return a column's heading for a question: the number in its title, or else its place."""
    own = _NUMBERED.match(entry.title)
    return own[0] if own else str(number)


def standing(entry: QuestionEntry, question: QuestionResult | QuestionGrade) -> Standing:
    """Return how a question stands; of a grade's, what staff did to it too."""
    plain = _BY_KEY[_standing_key(entry, question)]
    if not isinstance(question, QuestionGrade):
        return plain
    words = [plain.words]
    if question.by_staff:
        words.append("scored by your instructor")
    if question.extra:
        words.append(f"{signed(question.extra)} extra")
    return replace(plain, words=", ".join(words))


def signed(points: float) -> str:
    """Return points with their sign: +1, −0.5."""
    return f"{'−' if points < 0 else '+'}{format_points(abs(points))}"


def _standing_key(entry: QuestionEntry, question: QuestionResult | QuestionGrade) -> str:
    match question.status:
        case Status.NEEDS_ATTENTION:
            return "attention"
        case Status.UNGRADED:
            return "trial"
        case Status.PENDING:
            return "manual" if entry.manual else "hardware"
    if not question.points:
        return "unscored"
    if question.earned >= question.points:
        return "full"
    return "part" if question.earned > 0 else "none"
