"""Results: the stored record of one grading run of one attempt, in schema 1."""

import hashlib
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal

import msgspec

from autograder.errors import HarnessError

__all__ = [
    "Blank",
    "CaseResult",
    "CheckResult",
    "Completed",
    "Priced",
    "QuestionResult",
    "Result",
    "Status",
    "Verdict",
    "digest_of",
    "dump_result",
    "is_final",
    "load_result",
    "now",
    "waits_for_hardware",
]

# How the first note of a result that broke begins where it has no field for that.
_FORMER_FAULT = "the harness broke: "
_TIERS = dict(enumerate(("namespaces", "bubblewrap", "own user")))


class Verdict(StrEnum):
    """The outcome of one case."""

    PASSED = "passed"
    FAILED = "failed"  # the check raised a mismatch
    ERRORED = "errored"  # the student's code raised, is missing, or cannot be loaded
    TIMED_OUT = "timed_out"  # a limit on time ended it
    KILLED = "killed"  # a limit on memory, processes or output, or a crash, ended it
    PENDING = "pending"  # needs hardware that this run does not have
    BROKEN = "broken"  # the harness or the check itself failed


class Status(StrEnum):
    """The state of a result or of a question."""

    GRADED = "graded"
    PENDING = "pending"  # hardware or a manual score is missing
    NEEDS_ATTENTION = "needs_attention"  # unreadable, or the harness broke: staff act
    UNGRADED = "ungraded"  # run without walls, as a trial: it counts for nothing


class Blank(StrEnum):
    """Why there is no answer yet."""

    STUB = "stub"  # the function raises NotImplementedError
    VALUE = "value"  # the value is `...`, None or an empty text


class CaseResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One case: its verdict and the evidence.

    ``margin`` is the worst observed error divided by its tolerance, or None where no numbers
    were compared or the error is not finite. ``message`` is for staff; `student_message` in
    `autograder.records.words` decides what a student sees of a hidden case. ``given`` says that it
    passed with what its check is given, and not without; ``message`` is then our own note.
    ``blank`` says that there is no answer yet. ``place`` is where in the notebook the code raised,
    which stands at the end of the message. ``call`` is the last call of the student's function
    before a visible case failed, as Python; a hidden case has none. ``smallest`` is the call with
    the smallest inputs found with which a drawn case still fails, as Python: for staff, unless the
    case is visible or ``revealed``, as its check asks for. ``forgeable`` says that it is a test
    cell of nbgrader's that had to run beside the student's code, which could decide what it says.
    """

    name: str
    hidden: bool
    verdict: Verdict
    seconds: float
    margin: float | None = None
    message: str | None = None
    diagnosis: str | None = None
    given: bool = False
    blank: Blank | None = None
    place: str | None = None
    call: str | msgspec.UnsetType = msgspec.UNSET
    smallest: str | msgspec.UnsetType = msgspec.UNSET
    revealed: bool | msgspec.UnsetType = msgspec.UNSET
    forgeable: bool | msgspec.UnsetType = msgspec.UNSET

    @property
    def said(self) -> str:
        """The message without the place in the notebook."""
        message = self.message or ""
        return message.removesuffix(f" ({self.place})") if self.place else message


class CheckResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One check: its points and its cases, in the order of the source."""

    name: str
    points: float
    earned: float
    cases: tuple[CaseResult, ...]


class Priced(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mistake that costs its price, whatever number of checks it fails.

    ``mistake`` is its title, ``costs`` are the points of the question that it takes, and
    ``by_checks`` what the checks would have left.
    """

    mistake: str
    costs: float
    by_checks: float


class QuestionResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One question; a manual one has no checks and is pending until staff score it.

    Where ``priced`` is there, ``earned`` is the points less the price, and the checks that did not
    pass have earned the difference, in their order: what the checks have earned adds up.
    """

    id: str
    points: float
    earned: float
    status: Status
    checks: tuple[CheckResult, ...]
    priced: Priced | msgspec.UnsetType = msgspec.UNSET


class Completed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a result completes: an earlier run of the same attempt that lacked hardware.

    Cases that the earlier run decided stand as they were; this run decided those that it had left
    pending. ``device`` and ``graded_at`` are the earlier run's, ``bundle`` is what this run graded
    by: the result's own is the one by which the earlier run did.
    """

    device: str
    graded_at: str
    bundle: str


class Result(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One grading run of one attempt.

    ``notes`` are for the student and for staff. ``fault`` is what broke the harness, for staff
    alone: such a result does not stand. ``completes`` says of which earlier run it has what was
    decided there.
    """

    assignment: str
    student: str
    submission: str  # "sha256:…" of the submitted file
    bundle: str  # "sha256:…" of the bundle
    status: Status
    device: str
    graded_at: str  # "2026-11-20T02:10:40Z"
    autograder: str  # the package's version
    earned: float
    possible: float
    notes: tuple[str, ...]
    questions: tuple[QuestionResult, ...]
    isolation: str | None = None  # level of the walls around the code; None where none ran, or none
    fault: str | None = None
    completes: Completed | msgspec.UnsetType = msgspec.UNSET
    schema: Literal[1] = 1

    @property
    def verdicts(self) -> list[Verdict]:
        """The verdicts of all cases."""
        return [case.verdict for q in self.questions for check in q.checks for case in check.cases]

    @property
    def remarks(self) -> tuple[str, ...]:
        """What staff read of the whole: the fault, then the notes."""
        fault = (f"the harness broke: {self.fault}",) if self.fault is not None else ()
        return (*fault, *self.notes)


def digest_of(data: bytes) -> str:
    """Return the name of a submission or a bundle: "sha256:…" of its bytes."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def dump_result(result: Result) -> bytes:
    """Return a result as indented UTF-8 JSON with a final newline."""
    return msgspec.json.format(msgspec.json.encode(result), indent=1) + b"\n"


def load_result(data: bytes) -> Result:
    """Read a result.

    Raises:
        HarnessError: the bytes are no result of schema 1.
    """
    try:
        result = msgspec.convert(_renamed(msgspec.json.decode(data)), type=Result)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise HarnessError(f"not a result of schema 1: {error}") from None
    if result.fault is None and result.notes and result.notes[0].startswith(_FORMER_FAULT):
        fault = result.notes[0].removeprefix(_FORMER_FAULT)
        return msgspec.structs.replace(result, fault=fault, notes=result.notes[1:])
    return result


def _renamed(table: Any) -> Any:
    """Return a stored table with the names of today: isolation levels had numbers, as tiers."""
    if isinstance(table, dict) and "tier" in table:
        level = table.pop("tier")
        table["isolation"] = _TIERS.get(level) if isinstance(level, int) else None
    return table


def now() -> str:
    """Return the time as results carry it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def is_final(result: Result) -> bool:
    """Return whether a result stands.

    One that the harness or a check broke is graded again, and so is a trial without walls.
    """
    if result.status is Status.UNGRADED or result.fault is not None:
        return False
    return Verdict.BROKEN not in result.verdicts


def waits_for_hardware(result: Result) -> bool:
    """Return whether some case of a result waits for a machine with other hardware."""
    return Verdict.PENDING in result.verdicts
