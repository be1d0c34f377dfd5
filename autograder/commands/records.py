"""The commands that write again, or print, what is stored: feedback, report, exports."""

from autograder.commands.command import (
    DONE,
    Command,
    Options,
    Parser,
    add_assignments,
    assignments_of,
    print_text,
    say,
    say_problems,
)
from autograder.course import find_course
from autograder.errors import UsageError
from autograder.records.exporters import EXPORTERS

__all__ = ["EXPORT", "FEEDBACK", "REPORT"]


def _feedback(options: Options) -> int:
    from autograder.engines.record import write_feedback_pages
    from autograder.engines.run import stored

    course = find_course()
    code = DONE
    for name in assignments_of(course, options.assignments):
        found = stored(course, name)
        missed = write_feedback_pages(course, found.manifest, found.results)
        count = len(found.results) - len(missed)
        say(f"{name}: wrote {count} pages, feedback/<student>/{name}.html")
        code = max(code, say_problems([*found.problems, *map(course.in_words, missed)]))
    return code


FEEDBACK = Command(
    "feedback",
    help="write every student's feedback page again from the stored results",
    example="autograder feedback hw1_optimizers",
    run=_feedback,
    add_options=add_assignments,
)


def _report(_: Options) -> int:
    from autograder.engines.record import write_class_report

    course = find_course()
    problems: list[str] = []
    say(f"wrote {course.relative(write_class_report(course, problems))}")
    return say_problems(map(course.in_words, problems))


REPORT = Command(
    "report",
    help="write report/index.html again from the stored results",
    example="autograder report",
    run=_report,
)


def _add_export(parser: Parser) -> None:
    add_assignments(parser)
    parser.add_argument("--format", choices=tuple(EXPORTERS), default="csv")


def _export(options: Options) -> int:
    from autograder.engines.run import stored

    course, exporter = find_course(), EXPORTERS[options.format]
    names = assignments_of(course, options.assignments)
    if len(names) > 1 and not exporter.together:
        raise UsageError(f"name one of {', '.join(names)}: each has a table of its own")
    found = [stored(course, name) for name in names]
    print_text(exporter.text([(one.manifest, one.results) for one in found]), end="")
    return say_problems([problem for one in found for problem in one.problems])


EXPORT = Command(
    "export",
    help="print the newest results as CSV or JSON",
    example="autograder export hw1_optimizers --format csv > grades.csv",
    run=_export,
    add_options=_add_export,
)
