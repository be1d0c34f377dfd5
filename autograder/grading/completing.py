"""Completing: what a run without some hardware left pending, decided by a run that has it.

What the earlier run decided stands, case by case, so that nobody's points fall because a second
machine rounds otherwise. Only the questions with something open are run again, each of them whole:
a price is told from all answers to a question. Both runs are kept in the store.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from autograder.artefacts.bundle import Bundle
from autograder.artefacts.manifest import QuestionEntry
from autograder.artefacts.results import (
    CaseResult,
    Completed,
    QuestionResult,
    Result,
    Status,
    Verdict,
)
from autograder.sandbox.protocol.settings import Isolation

__all__ = ["Completion", "can_be_completed"]

_OPEN = (Verdict.PENDING, Verdict.BROKEN)


def can_be_completed(earlier: Result, submission: str) -> bool:
    """Return whether a result of a submission waits for what a run with more hardware can decide.

    Checks of it that broke are open, too, and cost the others nothing that was decided.

    Args:
        earlier: the result.
        submission: the digest of what is to be graded.
    """
    if earlier.submission != submission or earlier.status is Status.UNGRADED:
        return False
    if isinstance(earlier.completes, Completed):  # the run that was to complete it may have broken
        return any(verdict in _OPEN for verdict in earlier.verdicts)
    return earlier.fault is None and Verdict.PENDING in earlier.verdicts


@dataclass(frozen=True)
class Completion:
    """What a run is to complete.

    Attributes:
        earlier: the result of the run before.
        questions: those of which something is open.
    """

    earlier: Result
    questions: frozenset[str]

    @classmethod
    def of(cls, earlier: Result | None, submission: str, bundle: Bundle) -> "Completion | None":
        """Return what a run is to complete; None where it is to grade the whole.

        Where a bundle has other questions than the result, nothing of it can stand beside what the
        bundle's checks find; nor can it where another file was submitted since.
        """
        if earlier is None or not can_be_completed(earlier, submission):
            return None
        entries = bundle.manifest.questions
        if [one.id for one in earlier.questions] != [entry.id for entry in entries]:
            return None
        if not all(map(_are_alike, earlier.questions, entries)):
            return None
        return cls(earlier, frozenset(one.id for one in earlier.questions if _is_open(one)))

    def standing(self, question: str) -> QuestionResult | None:
        """Return a question that stands as it was; None if it is run again."""
        found = {one.id: one for one in self.earlier.questions}
        return None if question in self.questions else found[question]

    def put_back(self, outcomes: Mapping[str, dict[str, CaseResult]]) -> None:
        """Put the cases that were decided before in the place of those that were run again."""
        for question in self.earlier.questions:
            for check in question.checks if question.id in self.questions else ():
                decided = (case for case in check.cases if case.verdict not in _OPEN)
                outcomes[check.name].update({case.name: case for case in decided})

    def whole(self, now: Result) -> Result:
        """Return the result of both runs.

        Args:
            now: with all questions; its notes are of this run.
        """
        both = self.earlier, now
        walls = [Isolation(one.isolation) for one in both if one.isolation is not None]
        weakest = min(walls, key=lambda level: level.strength) if now.isolation else None
        return msgspec.structs.replace(
            now,
            bundle=self.earlier.bundle,
            notes=tuple(dict.fromkeys((*self.earlier.notes, *now.notes))),
            isolation=None if weakest is None else weakest.value,
            completes=self._what(now.bundle),
        )

    def broken(self, now: Result) -> Result:
        """Return the result of a run that broke: what was decided stands beside the fault."""
        former = self.earlier
        return msgspec.structs.replace(
            now,
            bundle=former.bundle,
            earned=former.earned,
            notes=former.notes,
            questions=former.questions,
            isolation=former.isolation,
            completes=self._what(now.bundle),
        )

    def _what(self, bundle: str) -> Completed:
        """Return what is completed: behind a run that broke, still the one before that."""
        before = self.earlier.completes
        if isinstance(before, Completed):
            return msgspec.structs.replace(before, bundle=bundle)
        return Completed(self.earlier.device, self.earlier.graded_at, bundle)


def _is_open(question: QuestionResult) -> bool:
    return any(case.verdict in _OPEN for check in question.checks for case in check.cases)


def _are_alike(question: QuestionResult, entry: QuestionEntry) -> bool:
    """Return whether a question has the checks, cases and points that it had."""
    had = [
        (check.name, check.points, [(case.name, case.hidden) for case in check.cases])
        for check in question.checks
    ]
    has = [(check.name, check.points, list(check.cases)) for check in entry.checks]
    return (question.points, had) == (entry.points, has)
