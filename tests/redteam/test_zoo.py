"""Every specimen of the zoo gets what its first line says, and harms nobody.

The whole zoo is graded in one run, and one test looks at all that came of it: were it several, the
processes of a parallel run would wait for each other. `autograder redteam` does the same to a real
assignment.
"""

from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest

from autograder.course import Course
from autograder.redteam import classes
from autograder.redteam.catalogue import read_zoo
from autograder.redteam.judge import Outcome
from autograder.redteam.specimens import Earning, Expectation, Specimen
from autograder.redteam.zoo import CannotTry, Report, _shares, run_zoo
from autograder.sandbox.protocol.settings import WALLED
from tests.redteam.small import NAME

# Holes that are known, by specimen: not tried here, so that nothing else waits for them. Whoever
# mends one takes it out; until then `autograder redteam` shows it.
OPEN: dict[str, str] = {}


def nbgrader_s_own() -> list[Specimen]:
    """Return a specimen for each notebook of nbgrader's own tests: damaged, retyped, too new."""
    spec = find_spec("nbgrader")
    assert spec is not None
    assert spec.origin is not None
    tests = Path(spec.origin).parent / "tests"
    return [
        Specimen(
            "nbgrader",
            f"{kind}-{path.stem}",
            Expectation(Earning.NEITHER),
            f"Submits {path.name} of nbgrader's own tests of {kind}.",
            "import shutil\n\n\ndef make(folder, notebook):\n"
            f"    shutil.copyfile({str(path)!r}, folder / f'{{folder.name}}.ipynb')\n",
        )
        for kind in ("apps", "preprocessors")
        for path in sorted((tests / kind / "files").glob("*.ipynb"))
    ]


ZOO = [*read_zoo(), *nbgrader_s_own()]
ROWS = (
    *("forge", "steal", "leak", "end", "outlive", "exhaust", "escape", "shadow"),
    *("cheat", "channel", "intake", "poison"),
)


def report_on_zoo(course: Course) -> Report:
    """Return what comes of the zoo in the small course."""
    try:
        return run_zoo(course, NAME, [s for s in ZOO if s.id not in OPEN], course.limits, jobs=2)
    except CannotTry as reason:
        if "UnsafeHere" in str(reason):
            pytest.skip(f"no walls on this machine: {reason}")
        raise


@pytest.mark.takes(seconds=100)
@pytest.mark.timeout(600)
def test_every_specimen_gets_what_its_first_line_says_and_nobody_is_harmed(
    compiled_course: Course, warm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What staff call of a class that is graded starts warm; the grading itself does not.
    monkeypatch.setattr(classes, "sys", SimpleNamespace(executable=str(warm / "python")))
    report = report_on_zoo(compiled_course)
    loose = [o for o in report.outcomes if not o.held]
    assert not loose, "\n".join(f"{o.id}: {o.tries} {'; '.join(o.problems)}" for o in loose)
    assert report.harm == []
    assert report.isolation in list(WALLED)
    assert [o.id for o in report.outcomes] == [s.id for s in ZOO if s.id not in OPEN]
    assert all(isinstance(outcome, Outcome) for outcome in report.outcomes)


def test_specimens_are_dealt_out_to_classes_and_who_work_together_stay_together() -> None:
    shares = _shares(ZOO, 3)
    assert len(shares) == 3
    assert Counter(s.id for share in shares for s in share) == Counter(s.id for s in ZOO)
    companies = [{specimen.company for specimen in share} for share in shares]
    assert sum(map(len, companies)) == len(set().union(*companies))
    assert max(map(len, companies)) - min(map(len, companies)) <= 1
    assert len(_shares(ZOO[:1], 3)) == 1


def test_what_is_open_is_in_the_zoo() -> None:
    assert set(OPEN) <= {specimen.id for specimen in ZOO}


def test_every_row_of_attacks_has_specimens() -> None:
    count = Counter(specimen.group for specimen in ZOO)
    assert set(ROWS) < set(count)
    assert min(count.values()) >= 5


def test_every_name_says_something_of_its_own() -> None:
    students = [specimen.student for specimen in ZOO]
    assert len(set(students)) == len(students)
    tries = [specimen.tries for specimen in ZOO]
    assert len(set(tries)) == len(tries)
    assert all(text.endswith((".", "?")) for text in tries)


def test_attacks_and_accidents_are_both_there() -> None:
    count = Counter(specimen.expectation.earning for specimen in ZOO)
    assert set(count) == set(Earning)
