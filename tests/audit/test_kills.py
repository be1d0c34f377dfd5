"""Which mutants the checks find out."""

import ast
import itertools
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from autograder.artefacts.results import CaseResult, Verdict
from autograder.audit.mutation import targets, trial
from autograder.audit.mutation.kills import Fate, MutantResult, try_mutants
from autograder.audit.mutation.mutants import mutants_of
from autograder.audit.mutation.targets import Range
from autograder.compiler.build import compile_assignment
from autograder.course import Course
from autograder.sandbox.protocol.messages import InProcessSession
from tests.audit.conftest import all_sites
from tests.audit.test_mutants import BUILT_ON_IT, HELPER, USES_HELPER

WriteCourse = Callable[..., Course]

COMPARED = 'assert_close(student.scaled_sum(x), reference.scaled_sum(x), what="sum")'
SIGN_IS_LOST = (COMPARED, COMPARED.replace("scaled_sum(x)", "scaled_sum(x) ** 2"))
AT_BOTH_ENDS = (
    COMPARED,
    f"""{COMPARED}
    for factor in (0.0, 1.0):
        want = reference.scaled_sum(x, factor)
        assert_close(student.scaled_sum(x, factor), want, what="sum")""",
)
VISIBLE = "three numbers"


def silent(_: str) -> None:
    """Show no progress."""


def tried(
    course: Course, jobs: int = 2, progress: Callable[[str], None] = silent
) -> list[MutantResult]:
    """Return what becomes of each mutant."""
    compiled = compile_assignment(course, "small")
    sites = all_sites(compiled)
    return try_mutants(compiled.oracle, sites, {site.id for site in sites}, jobs, progress)[0]


def results(course: Course) -> dict[str, MutantResult]:
    """Return what becomes of each mutant of a function, by the line that it makes."""
    return {result.after: result for result in tried(course) if result.operator != "value"}


def shooting_range(course: Course) -> Range:
    """Return what all mutants are tried on."""
    compiled = compile_assignment(course, "small")
    sites = all_sites(compiled)
    return Range(compiled.oracle, sites, {site.id for site in sites}, lambda _: False)


def test_good_checks_find_every_mutant_out(write_course: WriteCourse) -> None:
    found = results(write_course(AT_BOTH_ENDS))
    assert len(found) == 12
    assert {r.fate for r in found.values()} == {Fate.KILLED}
    assert {r.killed_by for r in found.values()} == {("scaled_sum_matches_reference", VISIBLE)}


def test_a_value_that_is_wrong_is_found_out(write_course: WriteCourse) -> None:
    values = [r for r in tried(write_course(), 1) if r.operator == "value"]
    assert [(r.after, r.fate) for r in values] == [("choice = ''", Fate.KILLED)]


def test_the_result_does_not_depend_on_how_many_work(write_course: WriteCourse) -> None:
    course = write_course(SIGN_IS_LOST, *BUILT_ON_IT)
    first, second = (tried(course, jobs) for jobs in (1, 3))
    assert first == second


def test_a_mutant_that_a_trial_tells_apart_survives(write_course: WriteCourse) -> None:
    flipped = results(write_course(SIGN_IS_LOST))["return -(factor * total)"]
    assert flipped.fate is Fate.SURVIVED
    assert flipped.killed_by is None
    assert flipped.difference == "scaled_sum(float64 (3,))"
    assert flipped.title == "a sign is flipped"


def test_a_mutant_that_computes_the_same_is_equivalent(write_course: WriteCourse) -> None:
    found = results(write_course(("return factor * total", "return factor * total + 0 * total")))
    same = found["return factor * total - 0 * total"]
    assert (same.fate, same.difference) == (Fate.EQUIVALENT, None)


def test_a_check_that_scores_nothing_finds_nothing_out(write_course: WriteCourse) -> None:
    changes = (
        ('@check("scaled_sum", points=4, pure=True', '@check("scaled_sum", points=0, pure=True'),
        (
            "assert_equal(student.choice, reference.choice)",
            "assert_equal(student.choice, reference.choice); student.scaled_sum",
        ),
    )
    found = results(write_course(*changes))
    assert found["return -(factor * total)"].fate is not Fate.KILLED


def test_a_mutant_that_ends_its_process_loses_nothing_else(write_course: WriteCourse) -> None:
    ends = (
        "    total = x.sum()\n",
        "    if x.size == 0:\n        os._exit(3)\n    total = x.sum()\n",
    )
    found = results(
        write_course(
            ends, ("import numpy as np\n\n# Which", "import os\n\nimport numpy as np\n\n# Which")
        )
    )
    assert found["if True:"].fate is Fate.KILLED
    assert found["if True:"].killed_by == ("scaled_sum_matches_reference", VISIBLE)
    assert found["return -(factor * total)"].fate is Fate.KILLED


def test_what_is_found_out_by_chance_is_not_found_out(
    write_course: WriteCourse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A case that rejects a mutant once and passes it then says nothing of it."""
    trials = shooting_range(write_course())
    oracle = trials.oracle
    mutant = next(m for _, m in trials.mutants if m.after == "return -(factor * total)")
    passed = trials.targets(mutant.site)[0]
    right = targets.run_one(
        oracle, passed.check, passed.case, InProcessSession(dict(oracle.namespace)), b"", 9
    )
    assert trials.killed_by(mutant, lambda *_: None) is not None
    verdicts = itertools.cycle([Verdict.FAILED, Verdict.PASSED])
    by_chance = lambda *_: msgspec.structs.replace(right, verdict=next(verdicts))  # noqa: E731
    monkeypatch.setattr(targets, "run_one", by_chance)
    monkeypatch.setattr(targets, "_DRAWS", re.compile("scaled_sum"))  # as if it drew numbers
    assert trials.killed_by(mutant, lambda *_: None) is None


def test_a_mutant_that_never_ends_is_found_out(
    write_course: WriteCourse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(targets, "CASE_SECONDS", 0.3)
    loop = (
        "    total = x.sum()\n",
        "    total, n = 0.0, 0\n    while n < len(x):\n        total += x[n]\n        n += 1\n",
    )
    found = results(write_course(loop))
    assert found["n -= 1"].fate is Fate.KILLED


def test_what_a_check_is_given_finds_nothing_out(write_course: WriteCourse) -> None:
    """The mistake is in a helper of what is given, whose own check does not see it."""
    changes = (HELPER, USES_HELPER, *BUILT_ON_IT, SIGN_IS_LOST)
    flipped = results(write_course(*changes))["return -x.sum()"]
    assert flipped.site == "reference/small.py: _total"
    assert flipped.fate is Fate.SURVIVED


def test_progress_is_told(write_course: WriteCourse) -> None:
    told: list[str] = []
    found = tried(write_course(), 2, told.append)
    assert f"mutants, {len(found)} of {len(found)}" in told


def test_a_name_that_is_asked_for_by_a_text_is_asked_for(write_course: WriteCourse) -> None:
    by_text = (
        COMPARED,
        "for name in ('scaled_sum',): " + COMPARED.replace(".scaled_sum", "[name]"),
    )
    found = results(write_course(by_text))
    assert found["return -(factor * total)"].fate is Fate.KILLED


def test_the_references_own_text_is_found_out_nowhere(write_course: WriteCourse) -> None:
    trials = shooting_range(write_course(HELPER, USES_HELPER, *BUILT_ON_IT))
    for site in {mutant.site: None for _, mutant in trials.mutants}:
        for definition in site.definitions[:1]:
            same = replace(mutants_of(site)[0], text=ast.unparse(definition.node))
            assert trials.killed_by(same, lambda *_: None) is None
            assert trials.difference(same, lambda *_: None) == (None, None)


def test_where_cases_take_long_a_mutant_that_passes_is_tried_under_one_more_secret(
    write_course: WriteCourse, monkeypatch: pytest.MonkeyPatch
) -> None:
    trials = shooting_range(write_course())
    mutant = next(m for _, m in trials.mutants if m.after == "return -(factor * total)")
    same = replace(mutant, text=ast.unparse(mutant.site.definitions[0].node))
    secrets: set[bytes] = set()
    run_one = trial.run_one

    def noted(*arguments: Any) -> CaseResult:
        secrets.add(arguments[4])
        return run_one(*arguments)

    def tried_under() -> int:
        secrets.clear()
        trials._trial.cache_clear()
        assert trials.difference(same, lambda *_: None) == (None, None)
        return len(secrets - {b"trial"})

    monkeypatch.setattr(trial, "run_one", noted)
    assert tried_under() == trial.FEW_SECRETS
    monkeypatch.setattr(trial, "LONGEST", -1.0)
    assert tried_under() == 1
