"""The exceptions of the package, by whose fault they are.

::

    AutograderError
    ├── UsageError            whoever called us: a wrong name, option or file        exit 2
    │   ├── NotCompiled       there is no bundle of an assignment yet
    │   └── SourceError       the author's source notebook, with file and cell       exit 1
    ├── AuditRefused          the grading of an assignment is not proven right       exit 1
    ├── CheckFailure          the student's answer is wrong                          failed
    │   └── Unanswered        there is no answer yet: the value is ..., None or empty
    ├── StudentError          the student's code raised, is missing or cannot load   errored
    │   ├── NotImplementedYet the function is a stub, as the release has it
    │   ├── StudentTimeout    a limit on time ended it                               timed_out
    │   └── StudentKilled     a limit on memory or processes, or a crash, ended it   killed
    ├── NotMeasured           nothing can be measured here: it is at grading         pending
    ├── HarnessError          ours; never costs a student a point                    broken
    │   ├── UnsendableArgument  a check passed what cannot cross: perhaps the student's value
    │   ├── WireError         bytes on a channel that are no message
    │   └── DeviceLost        a GPU is gone, or answers no more: what waits for it is graded later
    └── UnsafeHere            this machine cannot hold a student's code safely       exit 3

An OSError that nobody else takes is said by `system_words`                              exit 3
"""

from collections.abc import Iterator
from contextlib import contextmanager
from errno import EACCES, EDQUOT, EIO, EMFILE, ENFILE, ENOMEM, ENOSPC, EPERM, EROFS

__all__ = [
    "AuditRefused",
    "AutograderError",
    "CheckFailure",
    "DeviceLost",
    "HarnessError",
    "NotCompiled",
    "NotImplementedYet",
    "NotMeasured",
    "SourceError",
    "StudentError",
    "StudentKilled",
    "StudentTimeout",
    "Unanswered",
    "UnsafeHere",
    "UnsendableArgument",
    "UsageError",
    "WireError",
    "naming",
    "stops_all",
    "system_words",
]

_FULL = (ENOSPC, EDQUOT)
_FORBIDDEN = (EACCES, EPERM, EROFS)
_STOPS_ALL = (*_FULL, EROFS, EIO, EMFILE, ENFILE, ENOMEM)


class AutograderError(Exception):
    """The root of every exception that this package raises on purpose."""


class UsageError(AutograderError):
    """The caller asked for something that cannot be."""


class NotCompiled(UsageError):
    """An assignment is not compiled yet.

    Args:
        name: the assignment.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)

    def __str__(self) -> str:
        return f"{self.args[0]} is not compiled; run: autograder compile {self.args[0]}"


class SourceError(UsageError):
    """A source notebook is wrong: one sentence, with the file and the cell.

    Args:
        problem: what is wrong, as one sentence.
        file: the source notebook, relative to the course.
        cell: the number of the cell, counted from 1 over all cells.
        check: the check that it is about, where whoever raises it knows no cell.
    """

    def __init__(
        self,
        problem: str,
        file: str | None = None,
        cell: int | None = None,
        check: str | None = None,
    ) -> None:
        self.problem, self.file, self.cell, self.check = problem, file, cell, check
        place = [file] if file else []
        if cell is not None:
            place.append(f"cell {cell}")
        super().__init__(f"{', '.join(place)}: {problem}" if place else problem)

    def __reduce__(self) -> tuple[type["SourceError"], tuple[object, ...]]:
        return SourceError, (self.problem, self.file, self.cell, self.check)

    def at(self, file: str, cell: int | None = None) -> "SourceError":
        """Return the same error with its place filled in where it was unknown."""
        return SourceError(
            self.problem,
            self.file or file,
            self.cell if self.cell is not None else cell,
            self.check,
        )


class AuditRefused(AutograderError):
    """The audit found that the grading is not right, so nothing is published.

    Args:
        findings: one sentence each, naming the check.
    """

    def __init__(self, findings: list[str]) -> None:
        self.findings = list(findings)
        super().__init__(self.findings)  # of which it is made again, in another process

    def __str__(self) -> str:
        return "\n".join(self.findings)


class CheckFailure(AutograderError):
    """The student's value is not what the check wants; the message says how it differs.

    Args:
        said: how it differs.
        what: what the value is called; None where the check does not say.
    """

    def __init__(self, said: str, what: str | None = None) -> None:
        self.said, self.what = said, what
        super().__init__(said, what)

    def __str__(self) -> str:
        return self.said if self.what is None else f"{self.what}: {self.said}"


class Unanswered(CheckFailure):
    """There is no answer yet: the student's value is ``...``, None or an empty text.

    Args:
        what: what the value is called.
    """

    def __init__(self, what: str) -> None:
        super().__init__("not answered yet", what)
        self.args = (what,)  # of which it is made again, in another process


class StudentError(AutograderError):
    """The student's code raised, is missing, or cannot be loaded.

    Args:
        said: what happened.
        place: where in the notebook, as in ``cell 3, line 2``; None where nobody knows.
    """

    def __init__(self, said: str, place: str | None = None) -> None:
        self.said, self.place = said, place
        super().__init__(said, place)

    def __str__(self) -> str:
        return f"{self.said} ({self.place})" if self.place else self.said


class NotImplementedYet(StudentError):
    """The student's function is a stub: it raises `NotImplementedError`."""

    def __init__(self, place: str | None = None) -> None:
        super().__init__("not implemented yet", place)
        self.args = (place,)  # of which it is made again, in another process


class StudentTimeout(StudentError):
    """The student's code ran past a limit on time."""


class StudentKilled(StudentError):
    """A limit on memory or processes, or a crash, ended the student's code."""


class NotMeasured(AutograderError):
    """What a check wants to measure cannot be measured here, but only where work is graded."""


class HarnessError(AutograderError):
    """The harness or a check itself failed; the student's score is not touched."""


class UnsendableArgument(HarnessError):
    """A check passed an argument that cannot cross the wire.

    If it got it from the student's code, it is the student's miss: `run_case` finds out.
    """


class WireError(HarnessError):
    """Bytes that are no message of ours: malformed, too large, or of an unknown type."""


class DeviceLost(HarnessError):
    """A GPU is gone, answers no more, or cannot be used from here: nothing on it can be scored.

    Attributes:
        during: whether a student's code had run on it by then.

    Args:
        gpu: as people know it.
        said: what is wrong with it.
    """

    def __init__(self, gpu: str, said: str) -> None:
        self.gpu, self.said, self.during = gpu, said, False
        super().__init__(gpu, said)

    def __str__(self) -> str:
        return f"{self.gpu} cannot be used: {self.said}"


class UnsafeHere(AutograderError):
    """This machine lacks what it takes to run a student's code safely."""


def stops_all(error: Exception) -> bool:
    """Return whether what the system refused it would refuse for every student."""
    return isinstance(error, OSError) and error.errno in _STOPS_ALL


@contextmanager
def naming(place: object) -> Iterator[None]:
    """Name the file of which the system refuses something where it does not say so: in a write."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno is not None:
            error.filename = str(place)
        raise


def system_words(error: OSError) -> str:
    """Return what the system refuses, of which file, and what to do, as one sentence."""
    path = error.filename2 or error.filename  # of a file that is moved, where to
    reason = error.strerror or str(error) or type(error).__name__
    if error.errno in _FULL:
        advice = "make room there, and run the same command again: it goes on where it was"
    elif error.errno in _FORBIDDEN:
        advice = "let the user who runs this read and write there, and run the same command again"
    else:
        advice = "put that right, and run the same command again"
    return f"{f'{path}: ' if path else ''}{reason}; {advice}"
