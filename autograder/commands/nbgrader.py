"""What the commands do in an nbgrader course that is none of ours."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from autograder.commands.command import ATTENTION, DONE, Options, jobs_of, print_text, say
from autograder.errors import UsageError
from autograder.visible import visible

if TYPE_CHECKING:
    from autograder.foreign.course import NbgraderCourse
    from autograder.foreign.run import NbgraderRun

__all__ = ["grade_as_it_is", "words_on_nbgrader_course"]

MOST_ROWS = 60  # a larger class is read in formgrader
MOST_TOLD = 20


def words_on_nbgrader_course() -> str:
    """Return what there is to say of an nbgrader course around here; "" if there is none."""
    from autograder.foreign.course import find_nbgrader_course

    course = find_nbgrader_course()
    if course is None:
        return ""
    names = course.assignments()
    number = f"{len(names)} assignment{'s' if len(names) != 1 else ''}"
    told = f" ({', '.join(names[:5])}{', …' if len(names) > 5 else ''})" if names else ""
    return (
        f"this is an nbgrader course: {number}{told}. `autograder grade` grades it as it is; "
        "`autograder adopt` drafts an assignment of ours from one of its notebooks"
    )


def grade_as_it_is(course: "NbgraderCourse", options: Options) -> int:
    """Grade an nbgrader course without any change to it."""
    from autograder.display import Display
    from autograder.foreign.pool import Pool
    from autograder.foreign.preloading import expected_of
    from autograder.foreign.run import grade_nbgrader

    _require_possible(options)
    known = course.assignments()
    unknown = [name for name in options.assignments if name not in known]
    if unknown:
        there = ", ".join(known) or "none"
        raise UsageError(f"there is no assignment {unknown[0]!r} in source/; there are: {there}")
    names = options.assignments or [name for name in known if course.submitted(name)]
    if not (options.quiet or options.json):
        say(f"{course.name} is an nbgrader course; it is graded as it is")
    if not names:
        say(f"nobody has submitted anything for {', '.join(known) or 'an assignment'}")
        return DONE
    display = Display(quiet=options.json or options.quiet, silent=options.quiet)
    runs = []
    with Pool(jobs_of(options), expected_of(course, names)) as pool:
        for name in names:
            submitted = course.submitted(name).keys()
            if options.student and not options.assignments and not submitted & set(options.student):
                continue
            with display.progress(name) as progress:
                run = grade_nbgrader(course, name, progress, pool, options.student)
            runs.append(run)
            if not options.json:
                _show(course, run, quiet=options.quiet)
    if options.json:
        from autograder.artefacts.results import dump_result

        results = (result for run in runs for result in run.results.values())
        print_text("[" + ",".join(dump_result(r).decode().strip() for r in results) + "]\n", end="")
    attention = any(
        run.problems or any(r.status == "needs_attention" for r in run.results.values())
        for run in runs
    )
    return ATTENTION if attention else DONE


def _require_possible(options: Options) -> None:
    """Refuse what is there for courses of ours alone.

    Raises:
        UsageError: an option asks for it.
    """
    asked = {
        "--shard": options.shard is not None,
        "--unsafe-local": options.unsafe_local,
        "--require-secret": options.require_secret,
        "--engine": options.engine not in (None, "local"),
        "--device": options.device not in (None, "auto", "cpu"),
    }
    if found := [option for option, is_asked in asked.items() if is_asked]:
        raise UsageError(
            f"{found[0]} is for courses with a course.toml; an nbgrader course is graded on this "
            "machine's processors"
        )


def _show(course: "NbgraderCourse", run: "NbgraderRun", *, quiet: bool) -> None:
    """Show what a run did: the table of the class, whom staff must look at, and what hardens."""
    name = run.definition.assignment
    waiting = [
        f"  {visible(student, 60)}: {'; '.join(result.remarks) or 'look at its result'}"
        for student, result in run.results.items()
        if result.status == "needs_attention"
    ]
    if waiting:
        say(f"{name}: staff must look at")
        _say_some(waiting)
    for problem in run.problems:
        say(f"{name}: {visible(problem)}")
    if quiet:
        return
    if run.graded and len(run.results) <= MOST_ROWS:
        _print_table(run)
    before = len(run.results) - len(run.graded)
    graded = f"graded {len(run.graded)} submission{'s' if len(run.graded) != 1 else ''}"
    say(f"{name}: {graded}{f', {before} before' if before else ''}")
    if run.definition.changed:
        say(
            f"  the source of {name} has changed since nbgrader read it, and is graded as it was: "
            f"{', '.join(run.definition.changed[:5])}; to take over the new one: "
            f"nbgrader generate_assignment {name} --force"
        )
    _say_hardened(run)
    say(
        f"  see {course.database.name}, {course.coursedir.autograded_directory}/ and "
        f"results/{name}/; "
        f"as ever, `nbgrader generate_feedback {name}` writes the students' pages"
    )


def _print_table(run: "NbgraderRun") -> None:
    from rich.console import Console

    from autograder.artefacts.grades import grade_of
    from autograder.foreign.manifests import manifest_of
    from autograder.records.terminal import class_table

    console = Console(highlight=False, markup=False, emoji=False)
    manifest = manifest_of(run.definition)
    grades = {s: grade_of(manifest, s, result) for s, result in run.results.items()}
    console.print(class_table(manifest, grades, console.width))


def _say_hardened(run: "NbgraderRun") -> None:
    """Say which tests no student's code can decide, and of the others why."""
    tests = run.plan.tests
    if not tests:
        return
    forgeable = {name: test.reason for name, test in tests.items() if not test.is_hardened}
    say(
        f"  {len(tests) - len(forgeable)} of {len(tests)} test cells are hardened: they ran in a "
        "session of their own, which no student's code can reach"
    )
    if forgeable:
        say("  forgeable, as they had to run beside the student's code:")
        _say_some(f"    {name}: {reason}" for name, reason in forgeable.items())


def _say_some(lines: Iterable[str]) -> None:
    told = list(lines)
    for line in told[:MOST_TOLD]:
        say(line)
    if len(told) > MOST_TOLD:
        say(f"    … and {len(told) - MOST_TOLD} more")
