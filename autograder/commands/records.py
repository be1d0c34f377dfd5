"""The commands that write again, or print, what is stored: feedback, report, exports."""

from pathlib import Path

from autograder.commands.command import (
    DONE,
    Command,
    Options,
    Parser,
    add_assignments,
    assignments_of,
    say,
    say_problems,
    write_exported,
)
from autograder.course import find_course
from autograder.records.exporters import EXPORTERS

__all__ = ["EXPORT", "FEEDBACK", "REPORT"]


def _feedback(options: Options) -> int:
    from autograder.engines.grades import class_grades
    from autograder.engines.problems import told
    from autograder.engines.record import write_feedback_pages

    course = find_course()
    code = DONE
    for name in assignments_of(course, options.assignments):
        found = class_grades(course, name)
        missed = write_feedback_pages(course, found)
        count = sum(one.result is not None for one in found.grades.values()) - len(missed)
        say(f"{name}: wrote {count} pages, feedback/<student>/{name}/{name}.html")
        code = max(code, say_problems(told(course, [*found.problems, *missed])))
    return code


FEEDBACK = Command(
    "feedback",
    help="write every student's feedback page again from the stored results",
    example="autograder feedback hw1_optimizers",
    run=_feedback,
    add_options=add_assignments,
)


def _report(_: Options) -> int:
    from autograder.engines.class_report import write_class_report
    from autograder.engines.problems import Problem, told

    course = find_course()
    problems: list[Problem] = []
    say(f"wrote {course.relative(write_class_report(course, problems))}")
    return say_problems(told(course, problems))


REPORT = Command(
    "report",
    help="write report/index.html again from the stored results",
    example="autograder report",
    run=_report,
)


def _add_export(parser: Parser) -> None:
    add_assignments(parser)
    parser.add_argument("--to", choices=tuple(EXPORTERS), default="csv", help="default: csv")
    parser.add_argument("--student", action="append", default=[], help="only this one; repeatable")
    parser.add_argument("--sheet", type=Path, help="the sheet that you downloaded, to be filled")
    parser.add_argument(
        "--grade-column", help="the heading of the sheet's column for the grade, if it is not found"
    )
    parser.add_argument("--out", type=Path, help="where to write it; default: it is printed")


def _export(options: Options) -> int:
    from autograder.engines.export import export_course

    course = find_course()
    exported = export_course(
        course,
        assignments_of(course, options.assignments),
        options.to,
        options.student,
        options.sheet,
        options.grade_column,
    )
    write_exported(exported, options.out)
    return say_problems(map(course.in_words, exported.problems))


EXPORT = Command(
    "export",
    help="print or write the grades: for a spreadsheet, a program, CI or a learning platform",
    example="autograder export hw1_optimizers --to csv > grades.csv",
    run=_export,
    add_options=_add_export,
)
