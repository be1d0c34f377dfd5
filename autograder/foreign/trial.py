"""The trial: which tests can run out of the student's reach, by the instructor's own solution.

The source notebook is run with its tests beside it, as nbgrader does, and with them in a session of
their own. A test that comes to the same points in both is hardened. So it is the instructor's
notebook alone that decides it, once for the whole class, and nothing that a student submits.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial

import msgspec

from autograder.errors import HarnessError
from autograder.foreign.definition import Definition, NotebookDefinition
from autograder.foreign.harness import Setting, Step, run_notebook
from autograder.foreign.names import (
    imports_of,
    is_calm,
    is_empty,
    names_of,
    needed_by,
    needs_of,
    python_of,
    reaches_out,
    statements_for,
)
from autograder.foreign.plan import NotebookPlan, Plan, TestNames, TestPlan
from autograder.foreign.prepared import Prepared
from autograder.foreign.relay import Outcome
from autograder.foreign.scoring import score_of
from autograder.foreign.unseen import with_nothing_shown
from autograder.version import own_version

__all__ = ["PYTHON", "plan_id", "try_out"]

PYTHON = ("python", "python3", "ipython")
TRIAL_SECONDS = 1800.0
PLENTY, SHARE = 10.0, 1 / 3  # of the limit on a cell: for the code itself, and for tests apart


def plan_id(definition: Definition) -> str:
    """Return the name of all that a plan hangs on."""
    said = msgspec.msgpack.encode([own_version(), definition])
    return f"sha256:{hashlib.sha256(said).hexdigest()}"


def try_out(definition: Definition, setting: Callable[[float, float], Setting]) -> Plan:
    """Return the plan of an assignment's tests.

    Args:
        definition: the assignment's.
        setting: returns where a notebook of the instructor's is run, by the seconds that it may
            take, and how much of the limit on a cell.

    Raises:
        HarnessError: a session cannot be had.
    """
    plans = {
        notebook.name: _plan(notebook, definition.modules, partial(setting, TRIAL_SECONDS))
        for notebook in definition.notebooks
    }
    return Plan(plan_id(definition), plans)


def _plan(
    notebook: NotebookDefinition, local: frozenset[str], setting: Callable[[float], Setting]
) -> NotebookPlan:
    drafted = _draft(notebook, local)
    if not drafted.tests:
        return drafted
    if notebook.language.lower() not in PYTHON:
        return _all_beside(drafted, f"its language is {notebook.language}")
    if not notebook.cells:
        return _all_beside(drafted, "there is no source notebook to try it with")
    steps = [Step(c.source, c.name if c.is_test else "") for c in notebook.cells]
    plain = run_notebook(setting(PLENTY), steps, drafted, beside=True)
    try:
        notebook, apart, forked = _apart(notebook, steps, local, setting, plain)
    except HarnessError as error:
        return _all_beside(drafted, f"its tests cannot run by themselves: {error}")
    drafted = _draft(notebook, local)
    sources = {name: _above(notebook, name) for name in drafted.tests}
    reasons = {
        name: reason
        for name, above in sources.items()
        if (reason := _reason(notebook, name, plain[name], apart[name]) or reaches_out(above[-1]))
    }
    while found := _given_away(sources, reasons):
        reasons |= found
    tests = {
        name: msgspec.structs.replace(
            test,
            reason=reasons.get(name),
            allowed=apart[name].used,
            prelude=_prelude(sources[name]) if name in reasons else "",
            solved=plain[name].error is None,
        )
        for name, test in drafted.tests.items()
    }
    beside = {name for name, test in tests.items() if test.reason is not None}
    final = _draft(notebook, local, beside)  # whose imports others may rely on
    for name, test in final.tests.items():
        tests[name] = msgspec.structs.replace(tests[name], given=test.given)
    plan = msgspec.structs.replace(final, tests=tests, forked=forked)
    if not beside:
        return plan  # which is what has just been run
    mixed = run_notebook(setting(SHARE), steps, plan)
    if all(_points(notebook, n, mixed[n]) == _points(notebook, n, plain[n]) for n in tests):
        return plan
    return _all_beside(plan, "tests that run beside the code and tests that do not need each other")


def _apart(
    notebook: NotebookDefinition,
    steps: Sequence[Step],
    local: frozenset[str],
    setting: Callable[[float], Setting],
    plain: Mapping[str, Outcome],
) -> tuple[NotebookDefinition, Mapping[str, Outcome], bool]:
    """Return what comes of tests in a session of their own, and whether that may be a fork.

    Given cells show nothing and functions are passed as they are written, as in the notebook that
    is returned, unless more tests come to the same as beside the code without all that.
    """

    def alike(outcomes: Mapping[str, Outcome]) -> int:
        return sum(
            _points(notebook, name, found) == _points(notebook, name, plain[name])
            for name, found in outcomes.items()
        )

    unseen = msgspec.structs.replace(notebook, cells=with_nothing_shown(notebook.cells))
    apart, forked = _by_themselves(notebook, steps, _draft(unseen, local), setting, plain)
    if alike(apart) == len(plain):
        return unseen, apart, forked
    cells = tuple(msgspec.structs.replace(cell, shown="") for cell in notebook.cells)
    plainly = msgspec.structs.replace(notebook, cells=cells)
    again, may_fork = _by_themselves(plainly, steps, _draft(plainly, local), setting, plain)
    if alike(again) > alike(apart):
        return plainly, again, may_fork
    return unseen, apart, forked


def _by_themselves(
    notebook: NotebookDefinition,
    steps: Sequence[Step],
    plan: NotebookPlan,
    setting: Callable[[float], Setting],
    plain: Mapping[str, Outcome],
) -> tuple[Mapping[str, Outcome], bool]:
    """Return what comes of the tests of a plan, and whether their session may be a fork.

    They run in two forks of one session, as those of two students would.
    """

    def points(outcomes: Mapping[str, Outcome]) -> list[float]:
        return [_points(notebook, name, outcomes[name]) for name in plan.tests]

    own = setting(SHARE)
    with closing(Prepared(own.tests, plan, own.trusted, own.cell_seconds)) as prepared:
        first, second = (
            run_notebook(replace(setting(SHARE), prepared=prepared), steps, plan) for _ in range(2)
        )
    if points(first) == points(second) == points(plain):
        return first, True
    alone = run_notebook(setting(SHARE), steps, plan)
    return alone, points(first) == points(second) == points(alone)


def _given_away(sources: Mapping[str, Sequence[str]], beside: Collection[str]) -> dict[str, str]:
    """Return the tests of which the student's session has a part by those that run there.

    Args:
        sources: of each test, the test cells down to it, with it.
        beside: the tests that run beside the student's code.

    A test is one if it needs what such a test defines, or defines what such a test needs: a student
    may well move the cells about.
    """
    defined, needed = set[str](), set[str]()
    for name in beside:
        above = sources[name]
        defined |= names_of(above[-1]).binds - _imported(above[-1])
        needed |= names_of(prelude := _prelude(above)).binds - _imported(prelude)
    found = {}
    for name, above in sources.items():
        names = names_of(above[-1])
        gone = sorted((needed_by(above[-1]) & (defined | needed)) | (names.binds & needed))
        if name not in beside and gone:
            found[name] = f"it shares {gone[0]} with a test that runs beside the student's code"
    return found


def _prelude(above: Sequence[str]) -> str:
    """Return what the last of some test cells needs of the others."""
    return statements_for(needed_by(above[-1]), above[:-1])


def _imported(source: str) -> frozenset[str]:
    """Return the names that the imports of a cell bind."""
    return names_of("\n".join(imports_of(source, ()))).binds


def _draft(
    notebook: NotebookDefinition, local: frozenset[str], beside: Collection[str] = ()
) -> NotebookPlan:
    """Return the plan of a notebook of which nothing is known yet: all is hardened.

    Args:
        notebook: the definition.
        local: modules that lie beside it.
        beside: tests that do not run in the tests' session, but for their imports.
    """
    needs = needs_of(notebook.cells, local)
    given: list[str] = []
    tests = {}
    for cell in notebook.cells:
        if cell.is_test:
            imports = "\n".join(imports_of(cell.source, local))
            shown = (python_of(cell.shown) or "").strip()
            tests[cell.name] = TestPlan(
                needs[cell.name], len(given), None, None, imports, shown=shown
            )
            if cell.name in beside and imports:
                given.append(imports)
        elif not cell.is_answer:
            if not is_empty(cell.source):
                given.append(cell.source)
        elif imports := "\n".join(imports_of(cell.source, local)):
            given.append(imports)
    for name in notebook.tests.keys() - tests.keys():  # without a source
        tests[name] = TestPlan(TestNames(), 0)
    return NotebookPlan(tuple(given), tests, _ahead(given, tests.values(), local))


def _ahead(given: Sequence[str], tests: Collection[TestPlan], local: frozenset[str]) -> int:
    """Return how many given cells can run once for all students."""
    theirs = {name for test in tests for name in test.names.theirs}
    first = min((test.given for test in tests), default=0)
    for number, source in enumerate(given[:first]):
        if names_of(source).reads & theirs or not is_calm(source, local):
            return number
    return first


def _reason(notebook: NotebookDefinition, name: str, plain: Outcome, apart: Outcome) -> str | None:
    """Return why a test cannot be hardened; None if it can."""
    if plain.error is not None:
        return f"the source's own solution does not pass it: {plain.error[:200]}"
    if _points(notebook, name, plain) == _points(notebook, name, apart):
        return None
    if apart.stays is not None:
        return "it compares objects that stay in the student's session"
    if apart.timed_out:
        return "by itself it takes more than a third of the limit on a cell"
    return f"by itself it comes to something else: {(apart.error or 'other points')[:200]}"


def _points(notebook: NotebookDefinition, name: str, outcome: Outcome) -> float:
    return score_of(notebook.tests[name], outcome)


def _above(notebook: NotebookDefinition, name: str) -> Sequence[str]:
    """Return the test cells down to one, with it."""
    tests = [cell for cell in notebook.cells if cell.is_test]
    last = next(i for i, cell in enumerate(tests) if cell.name == name)
    return [cell.source for cell in tests[: last + 1]]


def _all_beside(plan: NotebookPlan, reason: str) -> NotebookPlan:
    tests = {
        name: msgspec.structs.replace(test, reason=test.reason or reason)
        for name, test in plan.tests.items()
    }
    return msgspec.structs.replace(plan, tests=tests)
