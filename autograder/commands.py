"""The commands: each gets its options, does its work, and says what it did."""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from autograder.course import Course, NoCourse, find_course
from autograder.errors import AuditRefused, UnsafeHere, UsageError, naming
from autograder.visible import json_text, visible, visible_lines

__all__ = [
    "audit",
    "check",
    "compile_",
    "doctor",
    "export",
    "feedback",
    "grade",
    "new",
    "regrade",
    "report",
]

DONE, ATTENTION = 0, 1
OUTPUT = "standard output"


def new(options: argparse.Namespace) -> int:
    """Write the first version of a new assignment, which compiles."""
    from autograder.compiler.skeleton import write_skeleton

    course = find_course()
    for path in write_skeleton(course, options.name):
        _say(f"wrote {course.relative(path)}")
    _say(f"next: autograder compile {options.name}")
    return DONE


def compile_(options: argparse.Namespace) -> int:
    """Write release/ and build/ of assignments, if their audits pass."""
    from autograder.compiler.fingerprint import fingerprint, is_current

    course = find_course()
    for name in _assignments(course, options.assignments):
        if not options.force and is_current(course, name, fingerprint(course, name)):
            _say(f"{name}: nothing to compile, release and bundle are up to date")
            continue
        from autograder.audit.publish import compile_and_publish  # a second, where it is needed

        began = time.monotonic()
        with _audit_page(course, name):
            outcome = compile_and_publish(course, name, _teller(name), _cores())
        for line in outcome.summary:
            _say(line)
        _say(
            f"{name}: wrote {course.relative(course.release(name))}/ and "
            f"{course.relative(course.build(name))}/ in {time.monotonic() - began:.1f} s"
        )
    return DONE


def audit(options: argparse.Namespace) -> int:
    """Prove the grading of assignments, and publish nothing."""
    from autograder.audit.publish import audit_only

    course = find_course()
    low = []
    for name in _assignments(course, options.assignments):
        with _audit_page(course, name):
            outcome = audit_only(course, name, _teller(name), _cores())
        for line in outcome.details:
            _say(line)
        if 100 * outcome.score < options.fail_under:
            low.append(f"{name}: a mutation score of {100 * outcome.score:.1f} %")
    if low:
        raise AuditRefused([f"under {options.fail_under:g} %", *(f"  {text}" for text in low)])
    return DONE


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


def grade(options: argparse.Namespace) -> int:
    """Grade what students handed in; write gradebook, feedback and report."""
    from autograder.display import Display
    from autograder.engines.run import grade_assignment

    course = find_course()
    device, jobs = _device(options), _jobs(options)
    display = Display(quiet=options.json)
    runs = []
    for name, students in _to_grade(course, options):
        with display.progress(name) as progress:
            run = grade_assignment(
                course,
                name,
                progress,
                students,
                device,
                jobs,
                options.unsafe_local,
            )
        with naming(OUTPUT):
            display.show(course, run)
        runs.append(run)
    astray = {
        path: name
        for path, name in course.astray([run.manifest.assignment for run in runs]).items()
        if not options.student or path.parent.name in options.student
    }
    display.show_astray(course, astray)
    if options.json:
        from autograder.records.exports import table

        _print(json_text([table(run.manifest, run.results) for run in runs]))
    attention = any(astray.values()) or any(
        run.unfit
        or run.problems
        or any(r.status == "needs_attention" for r in run.results.values())
        for run in runs
    )
    return ATTENTION if attention else DONE


def regrade(options: argparse.Namespace) -> int:
    """Say who gains and who loses by a changed bundle, and apply it."""
    from autograder.display import Display
    from autograder.engines.regrade import regrade

    course = find_course()
    device, jobs = _device(options), _jobs(options)
    display = Display()
    code = DONE
    for name, students in _to_grade(course, options):
        with display.progress(name) as progress:
            found = regrade(course, name, progress, students, device, jobs, apply=options.apply)
        for line in found.lines():
            _say(line)
        code = max(code, _say_problems(found.problems))
        if options.preview and found.graded:
            _say(f"nothing is written; to apply it: autograder regrade {name} --apply")
    return code


def _to_grade(course: Course, options: argparse.Namespace) -> list[tuple[str, list[str]]]:
    """Return the assignments to grade and of which students; no student means all.

    Of assignments that are not named, those in which none of the students handed in are left out.
    """
    names = _assignments(course, options.assignments)
    if options.assignments or not options.student:
        return [(name, options.student) for name in names]
    handed_in = {name: set(course.submitted(name)) for name in names}
    for student in options.student:
        if not any(student in students for students in handed_in.values()):
            raise UsageError(f"student {student!r} has handed in nothing for {', '.join(names)}")
    return [
        (name, sorted(students.intersection(options.student)))
        for name, students in handed_in.items()
        if students.intersection(options.student)
    ]


def _device(options: argparse.Namespace) -> str:
    from autograder.doctor import gpus

    if options.device == "cuda" and not gpus():
        raise UsageError("--device cuda: this machine has no GPU")
    return "cuda" if options.device != "cpu" and gpus() else "cpu"


def _jobs(options: argparse.Namespace) -> int:
    if options.jobs is not None and options.jobs < 1:
        raise UsageError(f"--jobs is a number from 1 up, not {options.jobs}")
    return options.jobs or _cores()


def feedback(options: argparse.Namespace) -> int:
    """Write every student's feedback page again from the stored results."""
    from autograder.engines.record import write_feedback_pages
    from autograder.engines.run import stored

    course = find_course()
    code = DONE
    for name in _assignments(course, options.assignments):
        found = stored(course, name)
        missed = write_feedback_pages(course, found.manifest, found.results)
        count = len(found.results) - len(missed)
        _say(f"{name}: wrote {count} pages, feedback/<student>/{name}.html")
        code = max(code, _say_problems([*found.problems, *map(course.in_words, missed)]))
    return code


def report(options: argparse.Namespace) -> int:
    """Write report/index.html again from the stored results."""
    from autograder.engines.record import write_class_report

    course = find_course()
    problems: list[str] = []
    _say(f"wrote {course.relative(write_class_report(course, problems))}")
    return _say_problems(map(course.in_words, problems))


def export(options: argparse.Namespace) -> int:
    """Print the newest results as CSV or JSON."""
    from autograder.engines.run import stored
    from autograder.records.exports import csv_text, table

    course = find_course()
    names = _assignments(course, options.assignments)
    if options.format == "csv" and len(names) > 1:
        raise UsageError(f"name one of {', '.join(names)}: each has a table of its own")
    found = [stored(course, name) for name in names]
    if options.format == "json":
        _print(json_text([table(one.manifest, one.results) for one in found]))
    else:
        _print(csv_text(found[0].manifest, found[0].results), end="")
    return _say_problems([problem for one in found for problem in one.problems])


def check(options: argparse.Namespace) -> int:
    """Run the visible checks of a notebook, as its student."""
    from autograder.student.notebook import Rehearsal, only_notebook

    rehearsal = Rehearsal(options.notebook or only_notebook(Path.cwd()))
    for said in rehearsal.run():
        _say(str(said))
    _say(rehearsal.summary())
    return DONE if rehearsal.passed() else ATTENTION


def doctor(options: argparse.Namespace) -> int:
    """Say what this machine can do."""
    from autograder.doctor import examine

    marks = {"ok": "ok ", "no": "-  ", "bad": "NO "}
    try:
        course: Course | None = find_course()
    except NoCourse:
        course = None
    states = []
    for finding in examine(course):
        _say(f"{marks[finding.state]} {finding.topic:<21} {finding.text}")
        states.append(finding.state)
    if "bad" in states:
        raise UnsafeHere("grading cannot run here; see the lines that begin with NO")
    return DONE


def _assignments(course: Course, names: Sequence[str]) -> list[str]:
    """Return the assignments that a command is about: those named, or all."""
    for name in names:
        course.source(name)
    found = list(names) or course.assignments()
    if not found:
        raise UsageError("there is no assignment; the first one is assignments/NAME/NAME.py")
    return found


def _say(text: str) -> None:
    """Print text, in which nothing steers the terminal."""
    _print(visible_lines(text))


def _print(text: str, end: str = "\n") -> None:
    with naming(OUTPUT):
        print(text, end=end, flush=True)


def _say_problems(problems: Iterable[str]) -> int:
    """Say on standard error what staff must look at, and return the exit code for it."""
    code = DONE
    for problem in problems:
        print(f"needs attention: {visible(problem)}", file=sys.stderr)
        code = ATTENTION
    return code


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def _teller(name: str) -> Callable[[str], None]:
    """Return a function that shows on a terminal what is going on, on one line."""
    if not sys.stderr.isatty():
        return lambda _: None

    def tell(text: str) -> None:
        print(
            f"\r\033[K{name}: {text[:100]}" if text else "\r\033[K",
            end="",
            file=sys.stderr,
            flush=True,
        )

    return tell
