"""The command that brings in what was submitted elsewhere."""

from pathlib import Path

from autograder.collecting.forms import FORMS
from autograder.commands.command import Command, Options, Parser, say, say_problems
from autograder.course import find_course

__all__ = ["COLLECT"]


def _add_collect(parser: Parser) -> None:
    parser.add_argument("sources", nargs="+", metavar="SRC", help="folder, zip or tar.gz")
    parser.add_argument("--assignment", metavar="NAME", help="default: what the source tells")
    parser.add_argument(
        "--as", choices=tuple(FORMS), dest="form", help="default: recognised by its form"
    )
    parser.add_argument("--dry-run", action="store_true", help="write nothing, print the report")
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument(
        "--replace",
        action="store_const",
        const="replace",
        dest="policy",
        default="newest",
        help="take what is collected even where the student has a newer submission",
    )
    ways.add_argument(
        "--keep",
        action="store_const",
        const="keep",
        dest="policy",
        help="keep what the student has; default: the newer one",
    )


def _collect(options: Options) -> int:
    from autograder.collecting.collect import collect
    from autograder.collecting.placing import Policy

    course = find_course()
    report = collect(
        course,
        [Path(source) for source in options.sources],
        options.assignment,
        options.form,
        Policy(options.policy),
        options.dry_run,
    )
    for line in report.lines():
        say(line)
    return say_problems(map(course.in_words, report.problems()))


COLLECT = Command(
    "collect",
    help="bring in what was submitted elsewhere: Canvas, Moodle, Blackboard, Gradescope, "
    "nbgrader's exchange, folders, git",
    example="autograder collect submissions.zip --assignment hw1_optimizers",
    run=_collect,
    add_options=_add_collect,
)
