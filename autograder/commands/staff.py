"""The commands by which staff change a grade, look at how it came about, and let students go."""

import getpass
import math
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from autograder.commands.command import (
    ATTENTION,
    DONE,
    Command,
    Options,
    Parser,
    add_assignments,
    add_jobs,
    assignments_of,
    jobs_of,
    say,
    say_problems,
)
from autograder.course import find_course
from autograder.errors import UsageError
from autograder.visible import visible

if TYPE_CHECKING:
    from autograder.artefacts.grades import Grade
    from autograder.artefacts.results import Result
    from autograder.engines.staff import History

__all__ = ["FORGET", "HISTORY", "OVERRIDE", "REQUEST", "VERIFY"]

AUTHOR_VARIABLE = "AUTOGRADER_AUTHOR"
TAKE_BACK = "none"


def _add_author(parser: Parser) -> None:
    parser.add_argument(
        "--author", help=f"who does it; default: ${AUTHOR_VARIABLE}, or your user's name"
    )


def _author(options: Options) -> str:
    if author := options.author or os.environ.get(AUTHOR_VARIABLE):
        return _unicode("--author", author)
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        raise UsageError("nobody knows who you are here: give --author NAME") from None


def _why(options: Options) -> str:
    """Return the reason, which says something."""
    if not options.why.strip():
        raise UsageError("--why is empty: say the reason")
    return _unicode("--why", options.why)


def _unicode(option: str, text: str) -> str:
    """Return text that a journal can hold: bytes that are no UTF-8 come as half surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UsageError(f"{option} is not UTF-8: {visible(text, 80)!r}") from None
    return text


def _points(text: str) -> float | None:
    """Read points, or that they are taken back."""
    if text == TAKE_BACK:
        return None
    try:
        points = float(text)
    except ValueError:
        points = math.nan
    if not math.isfinite(points):
        raise UsageError(
            f"points are a number, or {TAKE_BACK!r} to take an override back, not {text!r}"
        )
    return points


def _add_override(parser: Parser) -> None:
    parser.add_argument(
        "what",
        nargs="+",
        metavar="STUDENT ASSIGNMENT QUESTION POINTS",
        help=f"POINTS may be {TAKE_BACK!r}: the grader's points count again. With --rename or "
        "--drop, the ASSIGNMENT alone",
    )
    parser.add_argument("--why", required=True, help="the reason, which the history keeps")
    parser.add_argument("--extra", type=float, help="extra credit beside the question's points")
    parser.add_argument("--comment", help="for the student, on the feedback page")
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument(
        "--rename",
        nargs=2,
        metavar=("OLD", "NEW"),
        help="what staff entered for a cell that has another name now",
    )
    ways.add_argument("--drop", metavar="OLD", help="what staff entered for a cell that is gone")
    _add_author(parser)


def _override(options: Options) -> int:
    from autograder.engines.staff import Draft, drop, override, rename

    course, author, why = find_course(), _author(options), _why(options)
    if options.rename or options.drop is not None:
        if len(options.what) != 1:
            raise UsageError("--rename and --drop are about one assignment: name that alone")
        (name,) = assignments_of(course, options.what)
        if options.drop is not None:
            count = drop(course, name, options.drop, why, author)
            say(f"{name}: {count} entries for {options.drop!r} are taken back")
            return DONE
        old, new = options.rename
        done = rename(course, name, old, new, why, author)
        say(f"{name}: {done.moved} entries for {old!r} stand for {new!r} now; look at them again")
        if done.kept:
            say(
                f"{name}: {done.kept} entries for {old!r} stay as they are, because staff entered "
                f"others for {new!r}; to take them back, use --drop"
            )
        return DONE
    if len(options.what) != 4:
        raise UsageError("an override names STUDENT ASSIGNMENT QUESTION POINTS")
    student, assignment, question, text = options.what
    (name,) = assignments_of(course, [assignment])
    points = _points(text)
    comment = None if options.comment is None else _unicode("--comment", options.comment)
    draft = Draft(student, question, points, why, author, options.extra, comment)
    before, after, problems = override(course, name, draft)
    say(f"{visible(student)}, {name}: {_words(before)} before, {_words(after)} now")
    return say_problems(problems)


def _words(grade: "Grade") -> str:
    pending = "" if grade.total is not None else f", {grade.status.words}"
    return f"{grade.earned:.4g} of {grade.possible:.4g} points{pending}"


OVERRIDE = Command(
    "override",
    help="enter points for a student's question in place of the grader's, with a reason",
    example="autograder override ada hw1_optimizers sgd_step 3.5 --why 'a typo of ours'",
    run=_override,
    add_options=_add_override,
)


def _add_request(parser: Parser) -> None:
    parser.add_argument("student", metavar="STUDENT")
    parser.add_argument("assignment", metavar="ASSIGNMENT")
    parser.add_argument("question", metavar="QUESTION")
    parser.add_argument("--why", required=True, help="what the student says")


def _request(options: Options) -> int:
    from autograder.engines.staff import request

    course = find_course()
    (name,) = assignments_of(course, [options.assignment])
    request(course, name, options.student, options.question, _why(options))
    say(
        f"noted: every command lists it until an override of {options.question}, or a regrade, "
        "answers it"
    )
    return DONE


REQUEST = Command(
    "request",
    help="note that a student asks for another look at a question",
    example="autograder request ada hw1_optimizers sgd_step --why 'my shapes are right'",
    run=_request,
    add_options=_add_request,
)


def _add_history(parser: Parser) -> None:
    parser.add_argument("student", metavar="STUDENT")
    add_assignments(parser)


def _history(options: Options) -> int:
    from autograder.engines.staff import history

    course = find_course()
    names = assignments_of(course, options.assignments)
    told = False
    for name in names:
        try:
            found = history(course, name, options.student)
        except UsageError:
            if len(names) == 1:
                raise
            continue
        if not (options.assignments or found.runs or found.entries):
            continue
        told = True
        say(f"{visible(options.student)}, {name}: {_words(found.grade)}")
        if which := _counted(found):
            say(f"  {which}")
        for _, line in sorted(_lines(found)):
            say(f"  {line}")
        if found.grade.late.why:
            penalty = f"-{found.grade.late.penalty:g} points" if found.grade.late.penalty else ""
            say(f"  {found.grade.late.why} {penalty}".rstrip())
    if not told:
        raise UsageError(f"nothing is known of {visible(options.student)!r}")
    return DONE


def _counted(found: "History") -> str:
    """Say which of several attempts counts."""
    grade, count = found.grade, len(found.numbers)
    if grade.counted is not None:
        return grade.counted.words
    if grade.result is None or count < 2:
        return ""
    number = found.numbers.get((grade.result.student, grade.result.submission), count)
    return f"attempt {number} of {count} counts: the last"


def _completing(run: "Result") -> str:
    """Say which run a result completes, if it does."""
    from autograder.artefacts.results import Completed

    former = run.completes
    if not isinstance(former, Completed):
        return ""
    return f", completing the run on {former.device} of {former.graded_at}"


def _lines(found: "History") -> Iterator[tuple[str, str]]:
    """Yield what happened, each with its time in front to be sorted by."""
    for run in found.runs:
        attempt = found.numbers[run.student, run.submission]
        by = f" by {visible(run.student)}" if run.student != found.grade.student else ""
        yield (
            run.graded_at,
            f"{run.graded_at}  attempt {attempt}{by} ({run.submission[7:15]}) graded by bundle "
            f"{run.bundle[7:15]} on {run.device}{_completing(run)}, "
            f"{run.isolation or 'no code ran'}: "
            f"{run.earned:.4g} of {run.possible:.4g}, {run.status}",
        )
    for entry in found.entries:
        value = "taken back" if entry.value is None else visible(str(entry.value))
        why = f" ({visible(entry.why)})" if entry.why else ""
        place = f" of {entry.cell}" if entry.cell else ""
        yield (
            entry.time,
            f"{entry.time}  {entry.field.value}{place}: {value}, by {visible(entry.author)}{why}",
        )


HISTORY = Command(
    "history",
    help="say how a student's grade came about: attempts, runs, overrides, penalties",
    example="autograder history ada hw1_optimizers",
    run=_history,
    add_options=_add_history,
)


def _add_forget(parser: Parser) -> None:
    parser.add_argument("student", metavar="STUDENT")
    add_assignments(parser)
    parser.add_argument("--yes", action="store_true", help="do it; else nothing is removed")
    _add_author(parser)


def _forget(options: Options) -> int:
    from autograder.engines.staff import forget

    course = find_course()
    names = assignments_of(course, options.assignments)
    if not options.yes:
        raise UsageError(
            f"this removes what {visible(options.student)!r} submitted in {', '.join(names)}, with "
            "results, pages and scores; to do it, say --yes"
        )
    gone = forget(course, names, options.student, _author(options))
    for name, count in gone.items():
        say(f"{name}: the submission, {count} results, pages and scores are removed")
    if not gone:
        say("the name is removed; there was nothing else")
    say(
        "take the row out of roster.csv and teams.csv, too, if there is one; the journal keeps "
        "that it was done"
    )
    return DONE


FORGET = Command(
    "forget",
    help="remove a student who has withdrawn: submissions, results, pages and scores",
    example="autograder forget omar hw1_optimizers --yes",
    run=_forget,
    add_options=_add_forget,
)


def _add_verify(parser: Parser) -> None:
    add_assignments(parser)
    parser.add_argument("--sample", type=int, default=10, help="how many submissions; default: 10")
    parser.add_argument("--seed", type=int, default=0, help="of the draw; default: 0")
    add_jobs(parser, "submissions")


def _verify(options: Options) -> int:
    from autograder.display import Display
    from autograder.engines.regrade import verify

    course = find_course()
    if options.sample < 1:
        raise UsageError(f"--sample is a number from 1 up, not {options.sample}")
    display, code = Display(), DONE
    for name in assignments_of(course, options.assignments):
        with display.progress(name) as progress:
            found = verify(
                course, name, progress, options.sample, options.seed, workers=jobs_of(options)
            )
        differ = "all the same" if found.students else "nothing to compare"
        if found.differences:
            differ = f"{len(found.differences)} differences"
        say(f"{name}: {len(found.students)} submissions graded once more: {differ}")
        for difference in found.differences:
            say(f"  {difference}")
            code = ATTENTION
        code = max(code, say_problems(found.problems))
    return code


VERIFY = Command(
    "verify",
    help="grade a sample of the submissions once more, and compare with what is stored",
    example="autograder verify hw1_optimizers --sample 20",
    run=_verify,
    add_options=_add_verify,
)
