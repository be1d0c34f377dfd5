"""The manifest of a bundle: the questions of an assignment, their checks and cases."""

import msgspec

from autograder.authoring.standard import Standard

__all__ = ["CheckEntry", "Manifest", "QuestionEntry"]


class CheckEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A check as the manifest tells of it.

    ``cases`` are (name, hidden), and ``draws`` the kinds of those that the audit has added, by
    factor of the check's domain; ``cell`` is the nbgrader grade_id of its cell in the release,
    which is the check's name; ``summary`` is the first line of its docstring; ``standard``
    is how strictly its numbers are compared; ``rejects`` are the mistakes of its question that it
    is known to reject, by title; ``called`` are the visible cases that begin with a call, whose
    inputs a student's notebook can show; ``typical`` is the case that whoever earns points passes.
    """

    name: str
    question: str
    points: float
    cases: tuple[tuple[str, bool], ...]
    all_or_nothing: bool
    device: str
    hint: str | None
    summary: str
    standard: Standard = Standard()
    rejects: tuple[str, ...] = ()
    draws: tuple[dict[str, str], ...] = ()
    called: tuple[str, ...] = ()
    typical: str | None = None

    @property
    def cell(self) -> str:
        """The grade_id of its cell in the release."""
        return self.name


class QuestionEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question, in the order of the source: automatic with checks, or manual with a rubric.

    ``title`` is the heading above it; ``cell`` is, for a manual question, the grade_id of the
    cell that takes the answer.
    """

    id: str
    title: str
    points: float
    manual: bool
    checks: tuple[CheckEntry, ...]
    cell: str | None = None


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a bundle holds: questions, hashes of its files, versions, modules to preload."""

    assignment: str
    title: str
    autograder: str
    questions: tuple[QuestionEntry, ...]
    preload: tuple[str, ...]
    files: dict[str, str]
    versions: dict[str, str]
    schema: int = 1

    @property
    def possible(self) -> float:
        """The points of all questions."""
        return sum(q.points for q in self.questions)
