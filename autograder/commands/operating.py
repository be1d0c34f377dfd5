"""The commands of an operator: what a machine can do, withstands, and costs."""

import signal
import sys
from argparse import ArgumentTypeError
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

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
)
from autograder.course import Course, NoCourse, find_course
from autograder.errors import NotCompiled, UnsafeHere, UsageError

__all__ = ["BENCH", "DOCTOR", "REDTEAM"]


def _doctor(_: Options) -> int:
    from autograder.doctor import examine

    marks = {"ok": "ok ", "no": "-  ", "bad": "NO "}
    try:
        course: Course | None = find_course()
    except NoCourse:
        course = None
    states = []
    for finding in examine(course):
        say(f"{marks[finding.state]} {finding.topic:<21} {finding.text}")
        states.append(finding.state)
    if "bad" in states:
        raise UnsafeHere("grading cannot run here; see the lines that begin with NO")
    return DONE


DOCTOR = Command(
    "doctor",
    help="say what this machine can do",
    example="autograder doctor",
    run=_doctor,
)


def _add_redteam(parser: Parser) -> None:
    add_assignments(parser)
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="NAME",
        help="a class of attacks, or one attack of it; repeatable",
    )
    parser.add_argument("--list", action="store_true", help="say what there is, and try nothing")
    add_jobs(parser, "runs")


def _redteam(options: Options) -> int:
    from autograder.redteam.catalogue import choose, read_own, read_zoo
    from autograder.redteam.printing import show_list, show_zoo

    course, zoo, jobs = find_course(), read_zoo(), jobs_of(options)
    names = assignments_of(course, options.assignments)
    if not options.list:
        names = _compiled(course, names, named=bool(options.assignments))
    found = choose({name: [*zoo, *read_own(course, name)] for name in names}, options.only)
    if options.list:
        show_list({s.id: s for specimens in found.values() for s in specimens}.values())
        return DONE
    with _clearing_up():
        reports = [show_zoo(course, name, specimens, jobs) for name, specimens in found.items()]
    return DONE if all(report.held for report in reports) else ATTENTION


def _compiled(course: Course, names: Sequence[str], named: bool) -> list[str]:
    """Return the assignments that are compiled; those that are named must be."""
    found = [name for name in names if course.bundle(name).is_file()]
    missing = [name for name in names if name not in found]
    if named and missing:
        raise NotCompiled(missing[0])
    if not found:
        raise UsageError("nothing is compiled; run: autograder compile")
    return found


REDTEAM = Command(
    "redteam",
    help="submit every known attack beside honest students, and say what each gets",
    example="autograder redteam hw1_optimizers --only steal",
    run=_redteam,
    add_options=_add_redteam,
)


def _add_bench(parser: Parser) -> None:
    parser.add_argument(
        "--sizes",
        type=_sizes,
        default=(100, 1000),
        metavar="N,N",
        help="classes that autograder grades alone; default: 100,1000",
    )
    parser.add_argument(
        "--class",
        dest="count",
        type=int,
        default=50,
        metavar="N",
        help="submissions that every system grades; default: 50",
    )
    add_jobs(parser, "submissions")
    peers = parser.add_mutually_exclusive_group()
    peers.add_argument("--no-peers", action="store_true", help="without nbgrader and Otter")
    peers.add_argument(
        "--install-peers", action="store_true", help="into environments below build/bench/, once"
    )
    parser.add_argument("--parts", metavar="PART,PART", help="only these; the others' figures stay")
    parser.add_argument("--publish", action="store_true", help="also into docs/benchmarks.md")


def _sizes(text: str) -> tuple[int, ...]:
    try:
        sizes = sorted(map(int, text.split(",")))
    except ValueError:
        sizes = [0]
    if sizes[0] < 1:
        raise ArgumentTypeError(f"must be numbers above 0 with commas between them, got {text!r}")
    return tuple(sizes)


def _bench(options: Options) -> int:
    from autograder.bench.driver import PARTS, Bench
    from autograder.bench.page import lines, publish, require_marks
    from autograder.bench.peers import PEERS

    parts = options.parts.split(",") if options.parts else PARTS
    if unknown := set(parts) - set(PARTS):
        raise UsageError(f"--parts {sorted(unknown)[0]}: the parts are {', '.join(PARTS)}")
    jobs, page = jobs_of(options), Path("docs", "benchmarks.md")
    if options.publish:
        require_marks(page)
    build = Path.cwd() / "build"
    if options.no_peers:
        parts = [part for part in parts if part not in PEERS]
    elif not options.install_peers:
        parts = _without_missing_peers(parts, build / "bench")
    bench = Bench(build, jobs, options.sizes, options.count)
    whole = bench.run(parts)
    for line in lines(bench.raw):
        say(line)
    if options.publish:
        publish(page, bench.raw)
    return DONE if whole else ATTENTION


def _without_missing_peers(parts: Sequence[str], folder: Path) -> list[str]:
    """Return the parts whose system is installed, and say of each other that it is left out."""
    from autograder.bench.peers import PEERS, is_installed

    missing = [part for part in parts if part in PEERS and not is_installed(part, folder)]
    for part in missing:
        say(f"{PEERS[part]} is not installed, and left out; --install-peers installs it")
    return [part for part in parts if part not in missing]


BENCH = Command(
    "bench",
    help="measure what grading costs here, beside nbgrader and Otter",
    example="autograder bench --sizes 100,1000 --no-peers",
    run=_bench,
    add_options=_add_bench,
)


@contextmanager
def _clearing_up() -> Iterator[None]:
    """Let a signal to end do what Ctrl-C does: the block clears up behind itself."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
