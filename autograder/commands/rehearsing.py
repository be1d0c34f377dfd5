"""The command that rehearses a deadline."""

import json

from autograder.commands.cluster import add_engine, device_of, with_cluster
from autograder.commands.command import (
    DONE,
    Command,
    Options,
    Parser,
    add_jobs,
    assignments_of,
    jobs_of,
    print_text,
    say,
)
from autograder.course import find_course
from autograder.errors import UsageError

__all__ = ["REHEARSE"]


def _add_rehearse(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME", help="of the assignment")
    parser.add_argument("--students", type=int, default=933, help="default: 933")
    parser.add_argument("--each", type=float, default=20.0, help="submissions; default: 20")
    parser.add_argument("--days", type=int, default=7, help="before the deadline; default: 7")
    parser.add_argument(
        "--last-day", type=float, default=0.4, metavar="SHARE", help="of all; default: 0.4"
    )
    parser.add_argument(
        "--last-hour", type=float, default=0.1, metavar="SHARE", help="of all; default: 0.1"
    )
    parser.add_argument(
        "--workers", type=int, help="submissions at a time then; default: as many as are measured"
    )
    parser.add_argument(
        "--minutes",
        type=float,
        default=5.0,
        help="that 95 %% of the last hour should wait at most; default: 5",
    )
    parser.add_argument(
        "--sample", type=int, default=200, help="submissions to grade for it; default: 200"
    )
    parser.add_argument("--seed", type=int, default=0, help="of all that is drawn; default: 0")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    add_jobs(parser, "submissions")
    add_engine(parser)


def _rehearse(options: Options) -> int:
    from autograder.bench.deadline import Curve
    from autograder.bench.rehearse import measure, rehearse
    from autograder.engines.table import standing_engine

    course = with_cluster(find_course(), options)
    (name,) = assignments_of(course, [options.name])
    each = options.students, options.each, options.days
    curve = Curve(*each, options.last_day, options.last_hour)
    for option in ("workers", "sample", "minutes"):
        if (value := getattr(options, option)) is not None and not value > 0:
            raise UsageError(f"--{option} must be above 0, got {value}")
    device = device_of(options)
    engine = standing_engine(options.engine, jobs_of(options))
    try:
        measured = measure(course, name, engine, device, options.sample, options.seed)
    finally:
        engine.close()
    workers = options.workers or measured.workers
    found = rehearse(name, curve, measured, workers, 60 * options.minutes, options.seed)
    if options.json:
        print_text(json.dumps(found.as_json(), indent=1))
    else:
        for line in found.lines():
            say(line)
    return DONE


REHEARSE = Command(
    "rehearse",
    help="rehearse a deadline: how long a class waits here or on a cluster, and what it would take",
    example="autograder rehearse hw1_optimizers --students 933 --each 20",
    run=_rehearse,
    add_options=_add_rehearse,
)
