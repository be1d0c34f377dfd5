"""The command of a grader that stays up."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Event

from autograder.commands.cluster import add_engine, device_of, with_cluster
from autograder.commands.command import (
    ATTENTION,
    DONE,
    Command,
    Options,
    Parser,
    add_assignments,
    add_jobs,
    add_require_secret,
    assignments_of,
    jobs_of,
    print_text,
)
from autograder.course import Course, find_course
from autograder.visible import visible

__all__ = ["SERVE"]


def _add_serve(parser: Parser) -> None:
    add_assignments(parser)
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument(
        "--watch", action="store_true", help="grade what arrives, until it is stopped: the default"
    )
    ways.add_argument("--once", action="store_true", help="grade what is there, and end")
    parser.add_argument(
        "--exchange",
        type=Path,
        metavar="FOLDER",
        help="collect what arrives in nbgrader's exchange, too: the exchange, or a course in it",
    )
    add_jobs(parser, "submissions")
    add_engine(parser)
    add_require_secret(parser)


def _serve(options: Options) -> int:
    from autograder.collecting.exchange import inbound_of
    from autograder.engines.holding import holding
    from autograder.engines.incoming import Incoming
    from autograder.engines.lines import Lines
    from autograder.engines.serving import Server
    from autograder.engines.table import standing_engine

    course, jobs = _course(options), jobs_of(options)
    course.secret_to_grade_with()
    if options.assignments:
        assignments_of(course, options.assignments)
    exchange = options.exchange and options.exchange.absolute()
    if exchange is not None:
        inbound_of(exchange)  # a wrong name is said now, not in the log
    standing = standing_engine(options.engine, jobs)
    lines = Lines(standing, jobs)
    server = Server(
        partial(_course, options),
        options.assignments,
        device_of(options),
        lines,
        _say,
        None if exchange is None else Incoming(exchange, _say),
    )
    with holding(course, "autograder serve", alone=True), _ending() as goes_on:
        try:
            if options.once:
                return ATTENTION if server.once() else DONE
            _say(f"watching {course.root / 'submitted'}")
            if course.demo_secret:
                _say("hidden inputs come from the demo secret, which everybody knows")
            with suppress(KeyboardInterrupt):
                server.watch(goes_on)
            _say("stopped; what was graded is stored, the same command goes on")
        finally:
            standing.close()
            lines.close()
    return DONE


SERVE = Command(
    "serve",
    help="stay up, and grade what arrives in submitted/ or in nbgrader's exchange within seconds",
    example="autograder serve --watch --exchange /srv/nbgrader/exchange",
    run=_serve,
    add_options=_add_serve,
)


def _course(options: Options) -> Course:
    course = with_cluster(find_course(), options)
    return replace(course, require_secret=True) if options.require_secret else course


def _say(text: str) -> None:
    from autograder.artefacts.results import now

    print_text(f"{now()} {visible(text)}\n", end="")


@contextmanager
def _ending() -> Iterator[Callable[[], bool]]:
    """Let a signal to end, as systemd sends it, do what Ctrl-C does; give whether none has come.

    What is raised in the midst of a library, or of an import, may be lost there.
    """
    ended = Event()

    def end(*_: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough
        ended.set()
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield lambda: not ended.is_set()
    finally:
        signal.signal(signal.SIGTERM, before)
