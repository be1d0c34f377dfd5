"""The forms in which submissions come, by the name that ``--as`` says.

A new form is a module with two functions, `recognises` and `read`, and a row of the table here. A
source has the first form of the table that recognises it.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autograder.collecting.found import Form

__all__ = ["FORMS"]


def _exchange() -> "Form":
    from autograder.collecting import exchange, found

    return found.Form("nbgrader's exchange", exchange.recognises, exchange.read)


def _git() -> "Form":
    from autograder.collecting import found, git

    return found.Form("clones of git repositories", git.recognises, git.read)


def _gradescope() -> "Form":
    from autograder.collecting import found, gradescope

    return found.Form("an export of Gradescope", gradescope.recognises, gradescope.read)


def _moodle() -> "Form":
    from autograder.collecting import found, moodle

    return found.Form("submissions of Moodle", moodle.recognises, moodle.read)


def _blackboard() -> "Form":
    from autograder.collecting import blackboard, found

    return found.Form("submissions of Blackboard", blackboard.recognises, blackboard.read)


def _canvas() -> "Form":
    from autograder.collecting import canvas, found

    return found.Form("submissions of Canvas", canvas.recognises, canvas.read)


def _folder() -> "Form":
    from autograder.collecting import folders, found

    return found.Form("a folder or a file for each student", folders.recognises, folders.read)


FORMS: Mapping[str, Callable[[], "Form"]] = {
    "exchange": _exchange,
    "git": _git,
    "gradescope": _gradescope,
    "moodle": _moodle,
    "blackboard": _blackboard,
    "canvas": _canvas,
    "folder": _folder,
}
