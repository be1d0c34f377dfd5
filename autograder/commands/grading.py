"""The commands that grade: what was submitted, and once more with a changed bundle."""

import re
import zlib
from collections.abc import Collection, Iterable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from autograder.commands.cluster import add_engine, device_of, with_cluster
from autograder.commands.command import (
    ATTENTION,
    DONE,
    OUTPUT,
    Command,
    Options,
    Parser,
    add_assignments,
    add_jobs,
    add_require_secret,
    assignments_of,
    jobs_of,
    print_text,
    say,
    say_problems,
)
from autograder.course import Course, NoCourse, find_course
from autograder.errors import UsageError, naming
from autograder.records.exporters import json_of

if TYPE_CHECKING:
    from autograder.display import Display
    from autograder.engines.problems import Problem
    from autograder.engines.run import Run

__all__ = ["GRADE", "REGRADE"]


def _add_what_to_grade(parser: Parser) -> None:
    add_assignments(parser)
    parser.add_argument("--student", action="append", default=[], help="only this one; repeatable")
    add_jobs(parser, "submissions")
    add_engine(parser)
    add_require_secret(parser)


def _add_grade(parser: Parser) -> None:
    _add_what_to_grade(parser)
    parser.add_argument("--json", action="store_true", help="print the newest results as JSON")
    parser.add_argument(
        "--shard",
        metavar="I/N",
        help="only the I-th of N parts of the class, one for each job of a matrix",
    )
    parser.add_argument(
        "--quiet", action="store_true", help="say nothing but what needs attention, on stderr"
    )
    parser.add_argument(
        "--unsafe-local",
        action="store_true",
        help="run students' code without walls, where this machine has none; such results are "
        "marked ungraded and count for nothing",
    )


def _grade(options: Options) -> int:
    try:
        course = _course(options)
    except NoCourse:
        from autograder.commands.nbgrader import grade_as_it_is
        from autograder.foreign.course import find_nbgrader_course

        if (found := find_nbgrader_course()) is None:
            raise
        return grade_as_it_is(found, options)
    return _grade_ours(course, options)


def _grade_ours(course: Course, options: Options) -> int:
    """Grade in a course with a ``course.toml``."""
    from autograder.display import Display
    from autograder.engines.class_report import report_at_the_end
    from autograder.engines.holding import holding
    from autograder.engines.problems import Problem
    from autograder.engines.run import Run, grade_assignment

    device, jobs = device_of(options), jobs_of(options)
    display = Display(quiet=options.json or options.quiet, silent=options.quiet)
    runs, left_out = list[Run](), list[Problem]()
    write_report = partial(_write_report, course, display, left_out)
    with holding(course, "autograder grade"), report_at_the_end(write_report):
        for name, students in _sharded(course, _to_grade(course, options), options):
            with display.progress(name) as progress:
                run = grade_assignment(
                    course,
                    name,
                    progress,
                    students,
                    device,
                    jobs,
                    options.unsafe_local,
                    options.engine,
                    report=False,
                )
            if options.student:
                run = _of_students(course, run, options.student)
            with naming(OUTPUT):
                display.show(course, run)
            runs.append(run)
    known = {problem for run in runs for problem in run.problems}
    news = [one for one in _told(course, left_out, options) if one not in known]
    display.show_problems(news)
    astray = {
        path: name
        for path, name in course.astray([run.manifest.assignment for run in runs]).items()
        if not options.student or path.parent.name in options.student
    }
    display.show_astray(course, astray)
    if options.json:
        print_text(json_of([(run.manifest, run.grades) for run in runs]), end="")
    attention = any((*astray.values(), *news)) or any(
        run.unfit
        or run.problems
        or any(r.status == "needs_attention" for r in run.results.values())
        or any(g.counted and g.counted.waits == "needs_attention" for g in run.grades.values())
        for run in runs
    )
    return ATTENTION if attention else DONE


GRADE = Command(
    "grade",
    help="grade what students submitted; write gradebook, feedback and report",
    example="autograder grade hw1_optimizers --student ada --jobs 4",
    run=_grade,
    add_options=_add_grade,
)


def _add_regrade(parser: Parser) -> None:
    _add_what_to_grade(parser)
    ways = parser.add_mutually_exclusive_group(required=True)
    ways.add_argument("--preview", action="store_true", help="write nothing")
    ways.add_argument("--apply", action="store_true", help="append the new results")


def _regrade(options: Options) -> int:
    from autograder.display import Display
    from autograder.engines.class_report import report_at_the_end
    from autograder.engines.holding import holding
    from autograder.engines.problems import Problem
    from autograder.engines.regrade import regrade

    course = _course(options)
    device, jobs = device_of(options), jobs_of(options)
    display, left_out, said = Display(), list[Problem](), set[Problem]()
    write_report = partial(_write_report, course, display, left_out)
    with ExitStack() as stack:
        if options.apply:
            stack.enter_context(holding(course, "autograder regrade"))
            stack.enter_context(report_at_the_end(write_report))
        for name, students in _to_grade(course, options):
            with display.progress(name) as progress:
                found = regrade(
                    course,
                    name,
                    progress,
                    students,
                    device,
                    jobs,
                    options.engine,
                    apply=options.apply,
                    report=False,
                )
            for line in found.lines():
                say(line)
            problems = _told(course, found.problems, options)
            say_problems(problems)
            said.update(problems)
            if options.preview and found.graded:
                say(f"nothing is written; to apply it: autograder regrade {name} --apply")
    news = [one for one in _told(course, left_out, options) if one not in said]
    return max(say_problems(news), ATTENTION if said else DONE)


REGRADE = Command(
    "regrade",
    help="say who gains and who loses by a changed bundle, and apply it",
    example="autograder regrade hw1_optimizers --preview",
    run=_regrade,
    add_options=_add_regrade,
)


def _course(options: Options) -> Course:
    course = with_cluster(find_course(), options)
    return replace(course, require_secret=True) if options.require_secret else course


def _to_grade(course: Course, options: Options) -> list[tuple[str, list[str]]]:
    """Return the assignments to grade and of which students; no student means all.

    Of assignments that are not named, those in which none of the students submitted are left out.
    """
    names = assignments_of(course, options.assignments)
    if options.assignments or not options.student:
        return [(name, options.student) for name in names]
    submitted = {name: _with_teams(course, name) for name in names}
    for student in options.student:
        if not any(student in students for students in submitted.values()):
            raise UsageError(f"student {student!r} has submitted nothing for {', '.join(names)}")
    return [
        (name, sorted(students.intersection(options.student)))
        for name, students in submitted.items()
        if students.intersection(options.student)
    ]


def _sharded(
    course: Course, wanted: list[tuple[str, list[str]]], options: Options
) -> list[tuple[str, list[str]]]:
    """Return what is to grade of one part of the class; all of it where no part is asked for.

    Who is in which part hangs on names alone, so that jobs agree that know nothing of each other.
    A team is in one part.
    """
    shard: str | None = options.shard
    if shard is None:
        return wanted
    match = re.fullmatch(r"(\d{1,4})/(\d{1,4})", shard)
    number, count = map(int, match.groups()) if match else (0, 0)
    if not 1 <= number <= count:
        raise UsageError(f"--shard must be I/N with I from 1 to N, such as 2/8, got {shard!r}")
    from autograder.records.teams import teams_of

    found = []
    for name, students in wanted:
        teams = teams_of(course, name)
        ours = [
            student
            for student in students or course.submitted(name)
            if zlib.crc32(min(teams.with_mates(student)).encode()) % count == number - 1
        ]
        if ours:  # nobody would mean everybody
            found.append((name, ours))
        elif not (options.quiet or options.json):
            say(f"{name}: nobody is in part {shard}")
    return found


def _with_teams(course: Course, name: str) -> set[str]:
    """Return who submitted, and who is in a team with one of them."""
    from autograder.records.teams import teams_of

    teams = teams_of(course, name)
    return {mate for student in course.submitted(name) for mate in teams.with_mates(student)}


def _write_report(course: Course, display: "Display", problems: "list[Problem]") -> None:
    """Write the report, if something has changed of what it says."""
    from autograder.engines.class_report import bring_report_up_to_date

    with display.progress("report") as progress:
        bring_report_up_to_date(course, problems, progress.say)


def _told(course: Course, problems: "Iterable[Problem]", options: Options) -> "tuple[Problem, ...]":
    """Return problems as they are said: of the students that are asked for, and of nobody alone."""
    from autograder.engines.problems import told, told_of

    shown = told(course, problems)
    return told_of(shown, options.student) if options.student else shown


def _of_students(course: Course, run: "Run", students: Collection[str]) -> "Run":
    """Return a run as it is told of some students, and of what is nobody's alone.

    Their results are those that count for them, of their teams' members too.
    """
    from autograder.engines.problems import told_of
    from autograder.records.teams import teams_of

    teams = teams_of(course, run.manifest.assignment)
    mates = {mate for student in students for mate in teams.with_mates(student)}
    known = [run.grades[student].result for student in students if student in run.grades]
    by = {*students, *(result.student for result in known if result is not None)}
    return replace(
        run,
        results={s: result for s, result in run.results.items() if s in by},
        grades={s: grade for s, grade in run.grades.items() if s in students},
        unfit=(),
        problems=told_of(run.problems, by | mates),
        untimed=tuple(s for s in run.untimed if s in by),
        waiting=tuple(s for s in run.waiting if s in by),
        former=tuple(s for s in run.former if s in by),
    )
