"""What a command is, and what several commands share."""

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.course import Course
from autograder.errors import UsageError, naming
from autograder.visible import visible, visible_lines

if TYPE_CHECKING:
    from autograder.engines.problems import Problem
    from autograder.records.exporting import Exported

__all__ = [
    "ATTENTION",
    "DONE",
    "OUTPUT",
    "Command",
    "Options",
    "Parser",
    "add_assignments",
    "add_jobs",
    "add_require_secret",
    "assignments_of",
    "cores",
    "jobs_of",
    "print_text",
    "say",
    "say_problems",
    "write_exported",
]

DONE = 0
ATTENTION = 1  # somebody must look
OUTPUT = "standard output"
Options = argparse.Namespace
Parser = argparse.ArgumentParser


def _add_nothing(parser: Parser) -> None:
    """Add no options."""


@dataclass(frozen=True)
class Command:
    """A command of the command line.

    Attributes:
        name: what is typed behind ``autograder``.
        help: what it does, in a line.
        example: of its use.
        run: does it, and returns the exit code.
        add_options: declares its arguments and options.
    """

    name: str
    help: str
    example: str
    run: Callable[[Options], int]
    add_options: Callable[[Parser], None] = _add_nothing

    def declare(self, parser: Parser) -> None:
        """Declare the command to the parser of its arguments."""
        self.add_options(parser)
        parser.set_defaults(run=self.run)


def add_assignments(parser: Parser) -> None:
    """Let a command be about some assignments; about all where none is named."""
    parser.add_argument("assignments", nargs="*", metavar="ASSIGNMENT", help="default: all")


def assignments_of(course: Course, names: Sequence[str]) -> list[str]:
    """Return the assignments that a command is about: those named, or all."""
    for name in names:
        course.source(name)
    found = list(names) or course.assignments()
    if not found:
        raise UsageError("there is no assignment; the first one is assignments/NAME/NAME.py")
    return found


def add_jobs(parser: Parser, things: str) -> None:
    """Let a command do several things at a time."""
    parser.add_argument("--jobs", type=int, help=f"{things} at a time; default: all cores")


def add_require_secret(parser: Parser) -> None:
    """Let a command refuse to grade with the demo secret, as in CI."""
    parser.add_argument(
        "--require-secret",
        action="store_true",
        help="grade nothing without the course's secret, as require_secret in course.toml says",
    )


def jobs_of(options: Options) -> int:
    """Return how many things to do at a time: one for each core where nothing is said."""
    jobs: int | None = options.jobs
    if jobs is not None and jobs < 1:
        raise UsageError(f"--jobs is a number from 1 up, not {jobs}")
    return jobs or cores()


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


def say(text: str) -> None:
    """Print text, in which nothing steers the terminal."""
    print_text(visible_lines(text))


def print_text(text: str, end: str = "\n") -> None:
    """Print text as it is, at once."""
    with naming(OUTPUT):
        print(text, end=end, flush=True)


def say_problems(problems: "Iterable[str | Problem]") -> int:
    """Say on standard error what staff must look at, and return the exit code for it."""
    code = DONE
    for problem in problems:
        print(f"needs attention: {visible(str(problem))}", file=sys.stderr)
        code = ATTENTION
    return code


def write_exported(exported: "Exported", out: Path | None) -> None:
    """Write what an exporter returned: into a file, several into a folder, or print it.

    Raises:
        UsageError: several files cannot be printed.
    """
    if out is not None:
        exported.write(out)
    elif len(exported.files) != 1:
        raise UsageError(f"these are {len(exported.files)} files: name a folder for them by --out")
    elif sys.stdout is not None:  # it may be closed
        with naming(OUTPUT):
            sys.stdout.flush()
            sys.stdout.buffer.write(*exported.files.values())
            sys.stdout.buffer.flush()
