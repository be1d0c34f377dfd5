"""Graded dtypes: of which answers a check wants the dtype, so that single precision is wrong there.

Elsewhere a right answer may be computed in single precision. A mutant that only rounds would pass
for a wrong answer that lies as near, and would take the room from those who are right.
"""

from collections.abc import Iterable

from autograder.authoring.checks import Check
from autograder.compiler.given_functions import asked_of_students
from autograder.errors import SourceError

__all__ = ["names_with_dtype"]


def names_with_dtype(checks: Iterable[Check]) -> set[str]:
    """Return the names whose dtype is graded by the first check that asks for them and scores.

    It is the first that finds a mutant out: one that asks for a dtype does so by the dtype.
    """
    graded: dict[str, bool] = {}
    for check in checks:
        if not check.points or check.device == "cuda":
            continue
        code = check.function.__code__
        try:
            asked = set(asked_of_students(check.function))
        except SourceError:  # a helper of it cannot be read: it may ask for anything
            break
        asked |= {one for one in code.co_consts if isinstance(one, str)}
        grades = check.precision == "strict" or "assert_dtype" in code.co_names
        for name in asked:
            graded.setdefault(name, grades)
    return {name for name, grades in graded.items() if grades}
