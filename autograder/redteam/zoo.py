"""The zoo: its specimens are submitted beside honest students', graded as a class, and judged."""

import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import chain, groupby
from pathlib import Path

from autograder.artefacts.results import Result, Status
from autograder.course import Course
from autograder.errors import HarnessError
from autograder.redteam.classes import BLANK, LACKING, PROTECTED, RIGHT, Pupils, School
from autograder.redteam.judge import Evidence, Outcome, differences, judge
from autograder.redteam.specimens import Specimen
from autograder.redteam.witnesses import fingerprints, leftover_files, marked_processes
from autograder.sandbox.limits import Limits

__all__ = ["CannotTry", "Report", "run_zoo", "shortened"]

Told = Callable[[str], None]


class CannotTry(HarnessError):
    """Honest students cannot be graded here, so nothing can be said of others."""


@dataclass(frozen=True)
class Report:
    """What came of a zoo.

    Attributes:
        outcomes: of each specimen, in the zoo's order.
        harm: what happened to honest students and to the course.
        isolation: the level of the walls around a session on this machine.
    """

    outcomes: list[Outcome]
    harm: list[str]
    isolation: str | None

    @property
    def held(self) -> bool:
        """Whether every attack was held, and nobody was harmed."""
        return not self.harm and all(outcome.held for outcome in self.outcomes)


def shortened(limits: Limits) -> Limits:
    """Return a course's limits with little time: an attack shall end, a right answer is quick."""
    return replace(
        limits,
        cell_seconds=min(limits.cell_seconds, 4.0),
        call_seconds=min(limits.call_seconds, 1.0),
        submission_seconds=min(limits.submission_seconds, 15.0),
        cpu_seconds=min(limits.cpu_seconds, 15),
        memory_mb=min(limits.memory_mb, 2048),
        file_mb=min(limits.file_mb, 32),
        processes=min(limits.processes, 48),
        message_mb=min(limits.message_mb, 32),
    )


def run_zoo(
    course: Course,
    name: str,
    specimens: Sequence[Specimen],
    limits: Limits,
    jobs: int,
    graded: Told = lambda student: None,
) -> Report:
    """Submit, grade and judge.

    Args:
        course: in which the assignment is compiled; nothing in it is changed.
        name: the assignment.
        specimens: of the zoo.
        limits: of each submission.
        jobs: how many runs go on at a time; each has a share of the specimens.
        graded: is told of each attacker who is graded.

    Raises:
        CannotTry: not even honest students can be graded.
    """
    with ExitStack() as stack:
        scratch = Path(tempfile.mkdtemp(prefix="zoo-"))
        stack.callback(subprocess.run, ["rm", "-rf", "--", str(scratch)], check=False)
        school = School(course, name, limits, scratch)
        stack.callback(school.ear.close)
        stack.callback(leftover_files, [scratch], remove=True)
        quiet, alone = _grade_honest(school)
        outcomes: dict[str, Outcome] = {}
        harm: list[str] = []

        def judged(pupils: Pupils) -> None:
            stack.callback(pupils.close)
            found, hurt = _judged(school, pupils, alone, graded)
            outcomes.update(found)
            harm.extend(hurt)

        tellers = [s for s in specimens if s.company in {s.company for s in specimens if s.tells}]
        apart = [s for s in specimens if s not in tellers and _is_tried_apart(s)]
        ordinary = [s for s in specimens if s not in tellers and s not in apart]
        shares = [*_shares(ordinary, jobs), *([tellers] if tellers else [])]

        def judge_all_apart() -> None:
            for pupils in _apart(school, apart, quiet):
                judged(pupils)

        with ThreadPoolExecutor(jobs) as pool:
            classes = (school.open(f"class-{i}", s, quiet) for i, s in enumerate(shares, 1))
            under_way = [pool.submit(judged, pupils) for pupils in classes]
            under_way.append(pool.submit(judge_all_apart))
            for one in under_way:
                one.result()
        return Report([outcomes[s.id] for s in specimens], harm, alone[RIGHT].isolation)


def _is_tried_apart(specimen: Specimen) -> bool:
    """Return whether a run might break on a specimen, or a command for staff on its names."""
    return specimen.expectation.aims_at_the_run or _concerns_commands(specimen)


def _concerns_commands(specimen: Specimen) -> bool:
    return specimen.meddles or "STUDENT = " in specimen.code


def _shares(specimens: Sequence[Specimen], jobs: int) -> list[list[Specimen]]:
    """Deal specimens out to classes; students who work together are in the same one."""
    companies = [list(members) for _, members in groupby(specimens, lambda s: s.company)]
    dealt = (companies[i::jobs] for i in range(min(jobs, len(companies))))
    return [list(chain.from_iterable(share)) for share in dealt]


def _grade_honest(school: School) -> tuple[Pupils, dict[str, Result]]:
    """Grade a class without attackers; return it and the results.

    Anybody may enter its folder, so that the walls alone hold; but the level *own user* asks for a
    course that is closed to others.
    """
    for mode in (0o755, 0o700):
        school.scratch.chmod(mode)
        quiet = school.open(f"quiet-{mode:o}", [])
        school.grade(quiet)
        if not quiet.broke:
            break
    else:
        raise CannotTry(f"honest students alone cannot be graded: {quiet.broke}")
    alone = quiet.results(school.name)
    if alone[RIGHT].status is Status.NEEDS_ATTENTION:
        raise CannotTry(f"the solution cannot be graded: {' '.join(alone[RIGHT].remarks)}")
    return quiet, alone


def _apart(school: School, members: Sequence[Specimen], quiet: Pupils) -> Iterator[Pupils]:
    """Give some as a class of their own; if the run breaks, each alone, to see on which."""
    if len(members) > 1:
        together = school.open("apart", members, quiet)
        school.grade(together)
        if not together.broke:
            yield together
            return
        together.close()
    companies = groupby(members, lambda s: s.company)
    for number, (_, alone) in enumerate(companies, 1):
        yield school.open(f"apart-{number}", list(alone), quiet)


def _judged(
    school: School, pupils: Pupils, alone: Mapping[str, Result], graded: Told
) -> tuple[dict[str, Outcome], list[str]]:
    """Grade a class, unless that was done; return what came of its specimens, and the harm."""
    attackers = {s.student for s in pupils.members}
    protected = [pupils.root / folder for folder in PROTECTED]
    before = _fingerprints(pupils, protected)
    if not pupils.events:
        school.grade(pupils, lambda student: graded(student) if student in attackers else None)
    outcomes = _outcomes(school, pupils, alone)
    after = _fingerprints(pupils, protected)
    harm = [f"{path} was changed" for path in sorted(before) if before[path] != after.get(path)]
    harm += [f"{path} is new" for path in sorted(after.keys() - before.keys())]
    if not pupils.broke:
        results = pupils.results(school.name)
        for student, result in alone.items():
            harm += [f"{student}: {text}" for text in differences(result, results.get(student))]
        if any(map(_concerns_commands, pupils.members)):
            harm += school.use(pupils)
    return outcomes, harm


def _fingerprints(pupils: Pupils, folders: Sequence[Path]) -> dict[str, str]:
    """Return a hash of every file in some folders but those that are meant to change."""
    own = [f"{pupils.root}/submitted/{s.student}/" for s in pupils.members if s.meddles]
    found = fingerprints(folders)
    return {path: digest for path, digest in found.items() if not path.startswith(tuple(own))}


def _outcomes(school: School, pupils: Pupils, alone: Mapping[str, Result]) -> dict[str, Outcome]:
    """Judge the specimens of a class that was graded."""
    results = pupils.results(school.name)
    left = leftover_files([pupils.root, school.public])
    running, heard = marked_processes(), school.ear.marks()
    usual = max((e["peak_mb"] for s, e in pupils.events.items() if s in alone), default=0)
    outcomes = {}
    for specimen in pupils.members:
        mark, event = pupils.knowledge[specimen.id].mark, pupils.events.get(specimen.student, {})
        lived_on = event.get("processes", {}).get(mark, []) + running.get(mark, [])
        victim = pupils.victims.get(specimen.id)
        evidence = Evidence(
            result=results.get(specimen.student),
            broke=pupils.broke,
            alone=(alone[RIGHT], alone[BLANK], alone[LACKING]),
            course=pupils.root,
            assignment=school.name,
            mark=mark,
            canaries=school.canaries,
            hidden=school.hidden_of(results.get(specimen.student)),
            heard=mark in heard,
            processes=len(set(lived_on)),
            files=tuple(map(str, left.get(mark, ()))),
            victim=victim.state() if victim else "",
            seconds=event.get("seconds", 0.0),
            limit=school.limits.submission_seconds,
            memory=event.get("peak_mb", 0) - usual,
        )
        outcomes[specimen.id] = judge(specimen, evidence)
    return outcomes
