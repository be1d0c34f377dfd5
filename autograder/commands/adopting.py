"""The command that adopts: a notebook of nbgrader's or Otter's becomes a first draft of ours."""

from pathlib import Path
from typing import TYPE_CHECKING

from autograder.commands.command import ATTENTION, DONE, Command, Options, Parser, say
from autograder.course import CONFIG, NoCourse, find_course
from autograder.errors import UsageError

if TYPE_CHECKING:
    from autograder.adopting.adopt import Adopted
    from autograder.adopting.writing import Outcome
    from autograder.course import Course

__all__ = ["ADOPT"]


def _add_adopt(parser: Parser) -> None:
    parser.add_argument(
        "source",
        metavar="SOURCE",
        type=Path,
        help="a source notebook of nbgrader's or Otter's, or a folder of some",
    )
    parser.add_argument("--name", help="of the assignment; default: that of the notebook")
    parser.add_argument(
        "--force", action="store_true", help="replace a source notebook that is there"
    )


def _adopt(options: Options) -> int:
    from autograder.adopting.adopt import adopt, names_for, read_foreign, sources_in

    try:
        course = find_course()
    except NoCourse as error:
        raise UsageError(f"{error}; autograder new --course TITLE makes this folder one") from None
    paths = sources_in(options.source)
    foreign = [read_foreign(path) for path in paths]
    names = names_for(paths, options.source, options.name)
    if len(paths) > 1:
        say(f"{len(paths)} notebooks become {len(paths)} assignments: {', '.join(names)}")
    code = DONE
    for one, name in zip(foreign, names, strict=True):
        adopted = adopt(course, one, name, options.force)
        for line in _told(course, adopted):
            say(line)
        code = ATTENTION if adopted.hindrance else code
    return code


def _told(course: "Course", adopted: "Adopted") -> list[str]:
    name, outcomes = adopted.name, adopted.draft.outcomes
    tests = [one for one in outcomes if one.tests]
    kept = [one for one in tests if one.checks]
    looks = [one for one in outcomes if one.look]
    lines = [
        f"{name}: adopted from {adopted.tool}, not proved; wrote {course.relative(adopted.path)}",
        f"  test cells      {len(tests)} ({_sum(tests):g} points)",
        f"  rewritten       {len(kept)} ({_sum(kept):g} points)",
        f"  manual answers  {sum(not one.tests and bool(one.checks) for one in outcomes)}",
        f"  files           {len(adopted.files)}",
        f"  to look at      {len(looks)}",
    ]
    for one in looks:
        for why in one.look:
            where = f"cell {one.cell}" + (f", {one.name}" if one.name else "")
            lines.append(f"    {where}: {why}")
    if adopted.hindrance:
        return [
            *lines,
            f"  it does not compile yet: {adopted.hindrance}",
            f"  until it does, write draft = true under [assignments.{name}] in {CONFIG}",
        ]
    return [*lines, f"next: autograder compile {name}, and autograder audit {name}"]


def _sum(outcomes: "list[Outcome]") -> float:
    return sum(one.points for one in outcomes)


ADOPT = Command(
    "adopt",
    help="draft an assignment from a source notebook of nbgrader's or Otter's, and say what a "
    "person must look at",
    example="autograder adopt ../old_course/source/ps1/problem1.ipynb --name hw1",
    run=_adopt,
    add_options=_add_adopt,
)
