"""Trying a draft: does it compile, and does its solution pass its checks?"""

import contextlib
import io
import warnings
from dataclasses import dataclass, field

from autograder.artefacts.results import Verdict
from autograder.compiler.build import compile_assignment
from autograder.course import Course
from autograder.errors import AutograderError, SourceError
from autograder.grading.cases import drawn_under, run_against
from autograder.sandbox.protocol.messages import InProcessSession

__all__ = ["Trial", "tried"]

CASE_SECONDS = 60.0


@dataclass(frozen=True)
class Trial:
    """What came of a draft.

    Attributes:
        failing: checks that the solution does not pass, by name, and why.
        hindrance: why it does not compile, where no check is to blame.
        cell: of the draft, which is to blame for that; None where nobody knows.
    """

    failing: dict[str, str] = field(default_factory=dict)
    hindrance: str = ""
    cell: int | None = None


def tried(course: Course, name: str) -> Trial:
    """Compile a draft and run its checks on its own solution, in this process."""
    quiet = contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO())
    with quiet[0], quiet[1], warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the notebook's own
        try:
            compiled = compile_assignment(course, name)
        except SourceError as error:
            if error.check:
                return Trial({error.check: error.problem})
            return Trial({}, error.problem, error.cell)
        except AutograderError as error:
            return Trial({}, str(error))
        oracle, failing = compiled.oracle, {}
        for check in oracle.checks.values():
            for case in check.cases:
                result = run_against(
                    oracle,
                    check,
                    case,
                    InProcessSession(dict(oracle.namespace)),
                    drawn_under(b"", name),
                    seconds=CASE_SECONDS,
                )
                if result.verdict not in (Verdict.PASSED, Verdict.PENDING):
                    why = result.message or str(result.verdict)
                    failing[check.name] = f"the solution does not pass it here: {why}"
    return Trial(failing)
