"""The smallest inputs that fail, for staff: each once, with the students in whose work they do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autograder.artefacts.grades import Grade
from autograder.records.people import Who
from autograder.records.words import LONGEST_CALL, clean

__all__ = ["Failing", "failing_of"]


@dataclass(frozen=True)
class Failing:
    """A call that still fails with the smallest inputs found, and in whose work."""

    check: str
    call: str
    students: list[Who]


def failing_of(grades: Sequence[Grade], people: Mapping[str, Who]) -> list[Failing]:
    """Return the calls that fail, those of most students first."""
    found: dict[tuple[str, str], list[Who]] = {}
    for grade in grades:
        calls = {
            (check.name, clean(case.smallest, LONGEST_CALL)): None
            for question in grade.questions
            for check in question.checks
            for case in check.cases
            if case.smallest
        }
        for key in calls:
            found.setdefault(key, []).append(people[grade.student])
    failing = [Failing(check, call, students) for (check, call), students in found.items()]
    return sorted(failing, key=lambda one: (-len(one.students), one.check, one.call))
