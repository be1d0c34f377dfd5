"""The self-check as a notebook calls it: what it takes is imported at the first call.

``import autograder`` runs in every session, where nothing is checked.
"""

from typing import TYPE_CHECKING

from autograder.authoring.checks import Check

if TYPE_CHECKING:
    from autograder.student.checking import SelfCheck

__all__ = ["self_check"]


def self_check(check: Check) -> "SelfCheck":
    """Run the visible cases of a check against this notebook's own names.

    In a release the right values come from the recording beside the notebook. In the source
    notebook, where there is none, the names themselves are the reference: the author's own run.

    Where there is neither, nothing is checked: the first to find that says why.

    Raises:
        AssertionError: ``nbgrader validate`` runs the notebook, and a visible case fails.
        HarnessError: the recording is damaged.
    """
    if not isinstance(check, Check):
        raise TypeError(f"self_check takes a check, not a {type(check).__name__}")
    from autograder.student.checking import check_here

    return check_here(check)
