"""The command line: ``autograder COMMAND``; every command's ``--help`` shows an example."""

import argparse
import atexit
import gc
import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from autograder.commands import (
    adopting,
    authoring,
    collecting,
    grading,
    operating,
    records,
    rehearsing,
    serving,
    single,
    staff,
    student,
)
from autograder.commands.command import ATTENTION, DONE
from autograder.commands.nbgrader import words_on_nbgrader_course
from autograder.console import make_readable
from autograder.course import CONFIG, NoCourse
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

WRONG_USAGE, UNSAFE = 2, 3
# What of the package needs a module; all others are of the extra that grades.
_EXTRAS = {"dask": "cluster", "distributed": "cluster", "dask_jobqueue": "slurm"}
# At its end Python looks for garbage in all that was imported: a third of a second with nbgrader.
atexit.register(gc.freeze)

COMMANDS = (
    authoring.NEW,
    authoring.COMPILE,
    authoring.AUDIT,
    authoring.WATCH,
    adopting.ADOPT,
    collecting.COLLECT,
    grading.GRADE,
    single.GRADE_ONE,
    serving.SERVE,
    grading.REGRADE,
    records.FEEDBACK,
    records.REPORT,
    records.EXPORT,
    staff.OVERRIDE,
    staff.HISTORY,
    staff.REQUEST,
    staff.FORGET,
    staff.VERIFY,
    student.CHECK,
    operating.DOCTOR,
    operating.REDTEAM,
    operating.BENCH,
    rehearsing.REHEARSE,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    0 is done, 1 that somebody must look, 2 wrong usage, 3 that the grader cannot run (safely) here.
    """
    make_readable()
    try:
        given = sys.argv[1:] if arguments is None else arguments
        options = _parser(given).parse_args(given)
        code: int = options.run(options)
        if sys.stdout is not None:  # it may be closed
            sys.stdout.flush()
        return code
    except (UnsafeHere, HarnessError) as error:
        return _complain(error, UNSAFE)
    except (AuditRefused, SourceError) as error:
        return _complain(error, ATTENTION)
    except NoCourse as error:
        return _complain(_with_what_is_there(error), WRONG_USAGE)
    except UsageError as error:
        return _complain(error, WRONG_USAGE)
    except AutograderError as error:
        return _complain(error, ATTENTION)
    except ModuleNotFoundError as error:
        return _complain(HarnessError(_without(error)), UNSAFE)
    except BrokenPipeError:
        _give_up_output()
        return DONE  # the reader of our output has seen enough
    except OSError as error:
        _give_up_output()
        return _complain(HarnessError(system_words(error)), UNSAFE)
    except KeyboardInterrupt:
        print("\nstopped; what was graded is stored, the same command goes on", file=sys.stderr)
        return 130
    except Exception:  # a fault of ours; Python's own code for it, 1, would say that all is graded
        traceback.print_exc()
        return UNSAFE


def _with_what_is_there(error: NoCourse) -> AutograderError:
    """Return the error of a folder without a course, with what is there in its place."""
    with suppress(AutograderError, ModuleNotFoundError, OSError):
        if said := words_on_nbgrader_course():
            return UsageError(f"{error}; {said}")
    return error


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


def _without(error: ModuleNotFoundError) -> str:
    """Say what to install for a command that needs more than a student's package has."""
    root = (error.name or "").partition(".")[0]
    package = f"{DISTRIBUTION}[{_EXTRAS.get(root, 'grade')}]"
    return f"{error.name} is missing; run make setup, or: python -m pip install '{package}'"


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


def _parser(arguments: Sequence[str] = ()) -> argparse.ArgumentParser:
    """Return what reads some arguments: it knows the command that they name, or all of them."""
    parser = _Parser(
        prog="autograder", description="Auto-graded homework for deep-learning courses."
    )
    own = f"{DISTRIBUTION} {own_version()}"
    parser.add_argument("--version", action="version", version=own)
    parsers = parser.add_subparsers(required=True, metavar="COMMAND")
    named = [known for known in COMMANDS if known.name == next(iter(arguments), None)]
    for known in named or COMMANDS:
        command = parsers.add_parser(
            known.name,
            help=known.help,
            description=known.help[0].upper() + known.help[1:] + ".",
            epilog=f"example: {known.example}",
        )
        known.declare(command)
    return parser


if __name__ == "__main__":
    sys.exit(main())
