"""The commands of an author: a new assignment, its release and bundle, its proof."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.commands.command import (
    DONE,
    Command,
    Options,
    Parser,
    add_assignments,
    assignments_of,
    cores,
    say,
)
from autograder.course import Course, find_course
from autograder.errors import AuditRefused, UsageError

if TYPE_CHECKING:
    from autograder.audit.publish import AuditOutcome

__all__ = ["AUDIT", "COMPILE", "NEW", "WATCH"]


def _add_new(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME", nargs="?", help="of the assignment: an identifier")
    parser.add_argument(
        "--course",
        metavar="TITLE",
        help="make this folder a course of that name, or bring the files of one up to date",
    )
    parser.add_argument(
        "--kind",
        action="append",
        default=[],
        metavar="KIND",
        help="write a question of this kind: choice, number, plot, speed, training or memory; can "
        "be given several times",
    )


def _new(options: Options) -> int:
    from autograder.compiler.new_course import write_course
    from autograder.compiler.skeleton import write_skeleton

    if options.course is not None:
        if options.kind:
            raise UsageError("--kind goes with an assignment: make the course first")
        for line in write_course(Path.cwd(), options.course, options.name):
            say(line)
        return DONE
    if options.name is None:
        raise UsageError("name the assignment, or the course with --course")
    course = find_course()
    for path in write_skeleton(course, options.name, options.kind):
        say(f"wrote {course.relative(path)}")
    say(f"next: autograder compile {options.name}")
    return DONE


NEW = Command(
    "new",
    help="write the first version of a new assignment, which compiles, or of a whole course",
    example="autograder new hw9_transformers",
    run=_new,
    add_options=_add_new,
)


def _add_compile(parser: Parser) -> None:
    add_assignments(parser)
    parser.add_argument("--force", action="store_true", help="even if nothing changed")
    parser.add_argument(
        "--draft",
        action="store_true",
        help="write only build/NAME/draft/, a release that nobody has proven, marked as one",
    )


def _compile(options: Options) -> int:
    from autograder.artefacts.release import is_current
    from autograder.compiler.fingerprint import fingerprint

    course = find_course()
    if options.draft:
        return _draft(course, assignments_of(course, options.assignments))
    stale = []
    for name in assignments_of(course, options.assignments):
        if not options.force and is_current(course, name, fingerprint(course, name)):
            say(f"{name}: nothing to compile, release and bundle are up to date")
        else:
            stale.append(name)
    from autograder.audit.pool import for_each

    for _, lines in for_each(_published, course, stale, cores(), _teller()):
        for line in lines:
            say(line)
    return DONE


def _published(course: Course, name: str, jobs: int) -> Sequence[str]:
    """Compile, prove and publish an assignment; return what there is to say of it."""
    from autograder.audit.publish import compile_and_publish  # a second, where it is needed

    began = time.monotonic()
    with _audit_page(course, name):
        outcome = compile_and_publish(course, name, _teller(name), jobs)
    return (
        *outcome.summary,
        *outcome.news[-1:],
        f"{name}: wrote {course.relative(course.release(name))}/ and "
        f"{course.relative(course.build(name))}/ in {time.monotonic() - began:.1f} s",
    )


def _draft(course: Course, names: Iterable[str]) -> int:
    from autograder.audit.drafts import write_draft

    for name in names:
        began = time.monotonic()
        folder = write_draft(course, name)
        seconds = time.monotonic() - began
        say(
            f"{name}: wrote {course.relative(folder)}/ in {seconds:.1f} s; "
            "nothing of it is proven, and nothing is published"
        )
    return DONE


COMPILE = Command(
    "compile",
    help="write release/ and build/ of assignments, if they are proven; prove what is not yet",
    example="autograder compile hw1_optimizers",
    run=_compile,
    add_options=_add_compile,
)


def _add_audit(parser: Parser) -> None:
    add_assignments(parser)
    parser.add_argument(
        "--fail-under", type=float, default=0.0, metavar="PERCENT", help="of the mutants"
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--all",
        action="store_true",
        help="prove again what is proven, and say where the stored proof does not hold",
    )
    which.add_argument(
        "--current",
        action="store_true",
        help="try nothing: say which checks have no proof, or one that does not hold any more",
    )


def _audit(options: Options) -> int:
    course = find_course()
    names = assignments_of(course, options.assignments)
    if options.current:
        return _require_current(course, names)
    from autograder.audit.pool import for_each

    low = []
    work = _proven_again if options.all else _proven
    for name, outcome in for_each(work, course, names, cores(), _teller()):
        for line in (*outcome.details, *outcome.news[-1:]):
            say(line)
        if 100 * outcome.score < options.fail_under:
            low.append(f"{name}: a mutation score of {100 * outcome.score:.1f} %")
    if low:
        raise AuditRefused([f"under {options.fail_under:g} %", *(f"  {text}" for text in low)])
    return DONE


def _proven(course: Course, name: str, jobs: int, everything: bool = False) -> "AuditOutcome":
    """Prove what is not proven yet of an assignment."""
    from autograder.audit.publish import audit_only
    from autograder.sandbox.client.gpu import device_here

    has_gpu = device_here() == "cuda"
    with _audit_page(course, name):
        return audit_only(course, name, _teller(name), jobs, everything, gpu=has_gpu)


def _proven_again(course: Course, name: str, jobs: int) -> "AuditOutcome":
    """Prove an assignment anew."""
    return _proven(course, name, jobs, everything=True)


def _require_current(course: Course, names: Sequence[str]) -> int:
    from autograder.artefacts.adopted import STANDARD
    from autograder.audit.pool import for_each

    found = list(for_each(_unproven, course, names, cores(), _teller()))
    stale = [f"  {name}: {what}" for name, (told, _) in found for what in told]
    if stale:
        raise AuditRefused(
            ["not proven as they are now; autograder audit proves them, commit proof.json", *stale]
        )
    weaker = [name for name, (_, is_adopted) in found if is_adopted]
    for name in weaker:
        say(f"{name}: {STANDARD}; every check was tried as it is now")
    if len(weaker) < len(names):
        say("every check is proven as it is now" if not weaker else "the others are proven")
    return DONE


def _unproven(course: Course, name: str, _: int) -> tuple[Sequence[str], bool]:
    """Return what of an assignment is not proven, and whether it was adopted."""
    from autograder.audit.publish import is_adopted, unproven

    return unproven(course, name), is_adopted(course, name)


AUDIT = Command(
    "audit",
    help="prove the grading of assignments, and publish nothing",
    example="autograder audit hw1_optimizers",
    run=_audit,
    add_options=_add_audit,
)


def _add_watch(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME", help="of the assignment")


def _watch(options: Options) -> int:
    from autograder.audit.watching import watch

    course = find_course()
    (name,) = assignments_of(course, [options.name])
    say(f"watching {course.relative(course.source(name).parent)}/ and reference/")
    with suppress(KeyboardInterrupt):
        watch(course, name, say, cores())
    return DONE


WATCH = Command(
    "watch",
    help="compile and prove an assignment on every save, and say what its checks let through",
    example="autograder watch hw1_optimizers",
    run=_watch,
    add_options=_add_watch,
)


@contextmanager
def _audit_page(course: Course, name: str) -> Iterator[None]:
    """Write the page of the audit that is made inside the block, also of one that refuses."""
    audit = course.build(name) / "audit.json"
    before = audit.stat().st_mtime_ns if audit.is_file() else None
    try:
        yield
    finally:
        page = audit.with_suffix(".html")
        new = audit.is_file() and audit.stat().st_mtime_ns != before
        if new or (audit.is_file() and not page.is_file()):
            from autograder.records.audit_page import write_audit_page

            with suppress(ValueError, TypeError, KeyError):  # damaged: the next audit replaces it
                write_audit_page(page, audit)


def _teller(name: str = "") -> Callable[[str], None]:
    """Return a function that shows on a terminal what is going on, on one line.

    Of several processes only the one that waits for the others shows something.

    Args:
        name: of the assignment; none if it is about several.
    """
    from autograder.audit.pool import is_one_of_several

    if not sys.stderr.isatty() or is_one_of_several():
        return lambda _: None
    where = f"{name}: " if name else ""

    def tell(text: str) -> None:
        shown = f"{where}{text[:100]}" if text else ""
        print(f"\r\033[K{shown}", end="", file=sys.stderr, flush=True)

    return tell
