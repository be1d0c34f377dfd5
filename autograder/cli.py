"""The command line: ``autograder COMMAND``; every command's ``--help`` shows an example."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from autograder import commands
from autograder.console import make_readable
from autograder.course import CONFIG
from autograder.errors import (
    AuditRefused,
    AutograderError,
    HarnessError,
    SourceError,
    UnsafeHere,
    UsageError,
    system_words,
)
from autograder.version import DISTRIBUTION, own_version
from autograder.visible import visible, visible_lines

__all__ = ["main"]

DONE, ATTENTION, WRONG_USAGE, UNSAFE = 0, 1, 2, 3


@dataclass(frozen=True)
class Command:
    """A command: its name, what it does in a line, an example, and the function that does it."""

    name: str
    summary: str
    example: str
    run: Callable[[argparse.Namespace], int]


COMMANDS = (
    Command(
        "new",
        "write the first version of a new assignment, which compiles",
        "autograder new hw9_transformers",
        commands.new,
    ),
    Command(
        "compile",
        "write release/ and build/ of assignments, if their audits pass",
        "autograder compile hw1_optimizers",
        commands.compile_,
    ),
    Command(
        "audit",
        "prove the grading of assignments, and publish nothing",
        "autograder audit hw1_optimizers",
        commands.audit,
    ),
    Command(
        "grade",
        "grade what students handed in; write gradebook, feedback and report",
        "autograder grade hw1_optimizers --student ada --jobs 4",
        commands.grade,
    ),
    Command(
        "regrade",
        "say who gains and who loses by a changed bundle, and apply it",
        "autograder regrade hw1_optimizers --preview",
        commands.regrade,
    ),
    Command(
        "feedback",
        "write every student's feedback page again from the stored results",
        "autograder feedback hw1_optimizers",
        commands.feedback,
    ),
    Command(
        "report",
        "write report/index.html again from the stored results",
        "autograder report",
        commands.report,
    ),
    Command(
        "export",
        "print the newest results as CSV or JSON",
        "autograder export hw1_optimizers --format csv > grades.csv",
        commands.export,
    ),
    Command(
        "check",
        "run the visible checks of a notebook, as its student",
        "autograder check hw1_optimizers.ipynb",
        commands.check,
    ),
    Command("doctor", "say what this machine can do", "autograder doctor", commands.doctor),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    0 is done, 1 that somebody must look, 2 wrong usage, 3 that the grader cannot run (safely) here.
    """
    make_readable()
    try:
        options = _parser().parse_args(arguments)
        code: int = options.run(options)
        if sys.stdout is not None:  # it may be closed
            sys.stdout.flush()
        return code
    except (UnsafeHere, HarnessError) as error:
        return _complain(error, UNSAFE)
    except (AuditRefused, SourceError) as error:
        return _complain(error, ATTENTION)
    except UsageError as error:
        return _complain(error, WRONG_USAGE)
    except AutograderError as error:
        return _complain(error, ATTENTION)
    except BrokenPipeError:
        _give_up_output()
        return DONE  # the reader of our output has seen enough
    except OSError as error:
        _give_up_output()
        return _complain(HarnessError(system_words(error)), UNSAFE)
    except KeyboardInterrupt:
        print("\nstopped; what was graded is stored, the same command goes on", file=sys.stderr)
        return 130


def _complain(error: AutograderError, code: int) -> int:
    """Say what went wrong, with paths relative to the course, and return the code."""
    words = str(error)
    with suppress(OSError):  # this folder may be gone
        for folder in (here := Path.cwd(), *here.parents):
            if os.path.isfile(folder / CONFIG):
                words = words.replace(f"{folder}/", "")
                break
    of_lines = isinstance(error, (AuditRefused, UnsafeHere))  # the others are a sentence
    shown = visible_lines(words) if of_lines else visible(words)
    print(f"autograder: {shown}", file=sys.stderr)
    return code


def _give_up_output() -> None:
    """Turn standard output to nothing if it cannot be written: Python would complain at its end."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Refuse wrong usage; a file's name may be an argument."""
        super().error(visible(message))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="autograder", description="Auto-graded homework for deep-learning courses."
    )
    own = f"{DISTRIBUTION} {own_version()}"
    parser.add_argument("--version", action="version", version=own)
    parsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for known in COMMANDS:
        name = known.name
        command = parsers.add_parser(
            name,
            help=known.summary,
            description=known.summary[0].upper() + known.summary[1:] + ".",
            epilog=f"example: {known.example}",
        )
        command.set_defaults(run=known.run)
        if name == "check":
            command.add_argument(
                "notebook", nargs="?", type=Path, help="default: the only one here"
            )
        elif name == "new":
            command.add_argument("name", metavar="NAME", help="of the assignment: an identifier")
        elif name not in ("doctor", "report"):
            command.add_argument(
                "assignments", nargs="*", metavar="ASSIGNMENT", help="default: all"
            )
        if name == "compile":
            command.add_argument("--force", action="store_true", help="even if nothing changed")
        if name == "audit":
            command.add_argument(
                "--fail-under", type=float, default=0.0, metavar="PERCENT", help="of the mutants"
            )
        if name in ("grade", "regrade"):
            _add_grade_options(command)
        if name == "grade":
            _add_ways_to_grade(command)
        if name == "regrade":
            ways = command.add_mutually_exclusive_group(required=True)
            ways.add_argument("--preview", action="store_true", help="write nothing")
            ways.add_argument("--apply", action="store_true", help="append the new results")
        if name == "export":
            command.add_argument("--format", choices=("csv", "json"), default="csv")
    return parser


def _add_grade_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--student", action="append", default=[], help="only this one; repeatable")
    command.add_argument(
        "--device", choices=("cpu", "cuda", "auto"), default="auto", help="default: auto"
    )
    command.add_argument("--jobs", type=int, help="submissions at a time; default: all cores")


def _add_ways_to_grade(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="print the newest results as JSON")
    command.add_argument(
        "--unsafe-local",
        action="store_true",
        help="run students' code without walls, where this machine has none; such results are "
        "marked ungraded and count for nothing",
    )


if __name__ == "__main__":
    sys.exit(main())
