"""The command that a student runs at home."""

from pathlib import Path

from autograder.commands.command import ATTENTION, DONE, Command, Options, Parser, say

__all__ = ["CHECK"]


def _add_check(parser: Parser) -> None:
    parser.add_argument("notebook", nargs="?", type=Path, help="default: the only one here")


def _check(options: Options) -> int:
    from autograder.student.notebook import Rehearsal, only_notebook

    rehearsal = Rehearsal(options.notebook or only_notebook(Path.cwd()))
    for said in rehearsal.run():
        say(str(said))
    say(rehearsal.summary())
    return DONE if rehearsal.passed() else ATTENTION


CHECK = Command(
    "check",
    help="run the visible checks of a notebook, as its student",
    example="autograder check hw1_optimizers.ipynb",
    run=_check,
    add_options=_add_check,
)
