"""Who makes exactly one priced mistake loses its price; who does anything else loses the usual."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest

from autograder import assert_close, assert_equal, assert_shape, assert_that
from autograder.artefacts.bundle import Cell, pack_bundle, parse_bundle
from autograder.artefacts.compiled import Oracle
from autograder.artefacts.manifest import CheckEntry, QuestionEntry
from autograder.artefacts.results import Priced, QuestionResult, Status, Verdict
from autograder.authoring.bank import Bank, Variant
from autograder.authoring.checks import Check, case, case_rng, check
from autograder.authoring.standard import Compared, Standard
from autograder.grading.answers import answers_in
from autograder.grading.cases import run_against
from autograder.grading.oracle import load_bundle_oracle
from autograder.grading.prices import Prices
from autograder.grading.runner import Grader
from autograder.grading.scoring import at_its_price, score_check, score_question
from autograder.sandbox.limits import Limits
from autograder.sandbox.protocol.messages import InProcessSession

EPS = 0.25
LIMITS = Limits(cell_seconds=1.5, call_seconds=1.0, submission_seconds=60.0)


def step(g, v, eps=EPS):
    v = 0.9 * v + 0.1 * g * g
    return g / (np.sqrt(v) + eps), v


def under_the_root(g, v, eps=EPS):
    v = 0.9 * v + 0.1 * g * g
    return g / np.sqrt(v + eps), v


def another_way_under_the_root(g, v, eps=EPS):
    v = 0.9 * v + 0.1 * g**2
    return g * (v + eps) ** -0.5, v


def no_eps(g, v, eps=EPS):
    v = 0.9 * v + 0.1 * g * g
    return g / np.sqrt(v), v


@check("step", points=6)
@case("four numbers", n=4)
@case("none of them small", n=7, hidden=True)
def step_matches(student, reference, rng, n):
    """The step."""
    g, v = rng.normal(size=n), rng.uniform(1, 2, size=n)
    got, want = student.step(g, v), reference.step(g, v)
    for name, one, other in zip(("step", "v"), got, want, strict=True):
        assert_close(one, other, what=name)


@check("step", points=3)
@case("twice", hidden=True)
def steps_follow(student, reference, rng):
    """Two steps."""
    g, v = rng.normal(size=(2, 3)), rng.uniform(1, 2, size=3)
    for number in range(2):
        got, want = student.step(g[number], v), reference.step(g[number], v)
        assert_close(got[0], want[0], what="step")
        v = want[1]


@check("step", points=1)
@case("without eps", hidden=True)
def without_eps(student, reference, rng):
    """Nothing is added where eps is 0."""
    g, v = rng.normal(size=3), rng.uniform(1, 2, size=3)
    got, want = student.step(g, v, eps=0.0), reference.step(g, v, eps=0.0)
    assert_close(got[0], want[0], what="step")


CHECKS = {one.name: one for one in (step_matches, steps_follow, without_eps)}
SLIP = Variant("eps under the root", {"step": under_the_root}, "eps under the root", 2.0)
NONE = Variant("no eps", {"step": no_eps}, "no eps")


def oracle_of(*mistakes: Variant, checks: Mapping[str, Check] = CHECKS, **names: Any) -> Oracle:
    question = next(iter(checks.values())).question
    names = names or {"step": step}
    banks = {question: Bank(mistakes)}
    return Oracle("prices", {"np": np, **names}, dict(checks), banks=banks)


def draw(checked: Check, one: Any) -> np.random.Generator:
    return case_rng(b"the course's", "prices", checked.name, one.name, "somebody")


def graded(oracle: Oracle, **values: Any) -> tuple[QuestionResult, dict[Any, list[Compared]]]:
    """Return what checks come to, and the numbers of the cases that did not pass."""
    compared, results = {}, []
    for one in oracle.checks.values():
        cases = []
        for each in one.cases:
            seen: list[Compared] = []
            session = InProcessSession({**oracle.namespace, **values})
            cases.append(run_against(oracle, one, each, session, draw, compared=seen))
            passed = cases[-1].verdict is Verdict.PASSED
            compared[one.name, each.name] = [] if passed else seen
        named = tuple((c.name, c.hidden) for c in one.cases)
        entry = CheckEntry(
            one.name, one.question, one.points, named, one.all_or_nothing, "any", None, ""
        )
        results.append(score_check(entry, cases))
    points = sum(one.points for one in oracle.checks.values())
    question = next(iter(oracle.checks.values())).question
    return score_question(QuestionEntry(question, "", points, False, ()), results), compared


def priced(oracle: Oracle, **values: Any) -> tuple[float, str | None]:
    """Return what a question earns, and the mistake whose price was taken."""
    question, compared = graded(oracle, **values)

    def asked(one: Check) -> Any:
        session = InProcessSession({**oracle.namespace, **values})
        return {c.name: answers_in(oracle, one, c, session, draw, 5.0) for c in one.cases}

    mistake = Prices(oracle).mistake_in(question, compared, asked, draw)
    if mistake is None or mistake.costs is None:
        return question.earned, None
    return at_its_price(question, mistake.title, mistake.costs).earned, mistake.title


def test_exactly_that_mistake_loses_exactly_its_price():
    question, _ = graded(oracle_of(SLIP), step=under_the_root)
    assert question.earned == 1.0  # two of three checks fail
    assert priced(oracle_of(SLIP), step=under_the_root) == (8.0, "eps under the root")
    assert priced(oracle_of(SLIP), step=another_way_under_the_root) == (8.0, "eps under the root")


def test_a_mistake_without_a_price_costs_what_its_checks_take():
    assert priced(oracle_of(SLIP, NONE), step=no_eps) == (1.0, None)
    assert priced(oracle_of(replace(SLIP, costs=None)), step=under_the_root) == (1.0, None)


def test_another_mistake_that_is_near_costs_what_its_checks_take():
    def nearly(g, v, eps=EPS):
        return under_the_root(g, v, eps * 1.001)

    assert priced(oracle_of(SLIP), step=nearly) == (1.0, None)


def test_whoever_is_right_where_the_mistake_is_has_another_one():
    """It fails where the mistake fails, by the same numbers, and by others besides."""

    def and_without_eps(g, v, eps=EPS):
        s, v = under_the_root(g, v, eps)
        return (s if eps else 2 * s), v

    assert priced(oracle_of(SLIP), step=and_without_eps) == (0.0, None)


def test_numbers_behind_the_first_wrong_one_count():
    """The check ends at the step, and never says that v is wrong too."""

    def and_a_wrong_v(g, v, eps=EPS):
        s, new = under_the_root(g, v, eps)
        return s, new + 1.0

    question, _ = graded(oracle_of(SLIP), step=and_a_wrong_v)
    failing = [c.message for one in question.checks for c in one.cases if c.message]
    assert all(message.startswith("step:") for message in failing)
    assert priced(oracle_of(SLIP), step=and_a_wrong_v) == (1.0, None)


def slipping(factor: float) -> Callable[..., Any]:
    """Return a step with eps under the root, and off by a factor where eps is 0."""

    def slipped(g, v, eps=EPS):
        s, v = under_the_root(g, v, eps)
        return (s if eps else s * factor), v

    return slipped


def leaving_room(mistake: Variant) -> Oracle:
    """Return an oracle whose last check takes a tenth more or less."""
    return replace(oracle_of(mistake), standards={"without_eps": Standard(factor=1e6)})


def test_values_are_compared_by_the_tolerance_of_their_check():
    assert priced(leaving_room(SLIP), step=slipping(1.05))[1] == "eps under the root"
    assert priced(oracle_of(SLIP), step=slipping(1.05)) == (0.0, None)


def test_equal_only_where_it_fails_is_another_mistake():
    """In the last check both pass, a fifth apart."""
    oracle = leaving_room(replace(SLIP, values={"step": slipping(1.09)}))
    question, _ = graded(oracle, step=slipping(0.91))
    assert [one.earned for one in question.checks] == [0.0, 0.0, 1.0]
    assert priced(oracle, step=slipping(0.91)) == (1.0, None)
    assert priced(oracle, step=slipping(1.09)) == (8.0, "eps under the root")


def test_of_two_that_it_equals_the_cheaper_counts():
    dear = replace(SLIP, title="dear", label="dear", costs=5.0)
    for order in ((dear, SLIP), (SLIP, dear)):
        assert priced(oracle_of(*order), step=under_the_root) == (8.0, "eps under the root")


def test_nobody_loses_more_by_a_price_than_the_checks_take():
    dear = replace(SLIP, costs=9.5)
    assert priced(oracle_of(dear), step=under_the_root) == (1.0, None)
    even = replace(SLIP, costs=9.0)
    assert priced(oracle_of(even), step=under_the_root) == (1.0, "eps under the root")


def test_who_is_right_pays_nothing_though_a_mistake_is_free():
    assert priced(oracle_of(replace(SLIP, costs=0.0)), step=step) == (10.0, None)
    free = oracle_of(replace(SLIP, costs=0.0))
    assert priced(free, step=under_the_root) == (10.0, "eps under the root")


@pytest.mark.parametrize("change", [{"verdict": Verdict.BROKEN}, {"verdict": Verdict.TIMED_OUT}])
def test_a_case_that_has_no_answer_leaves_the_question_as_it_is(change):
    oracle = oracle_of(SLIP)
    question, compared = graded(oracle, step=under_the_root)
    first, *others = question.checks
    one, *more = first.cases
    cases = (msgspec.structs.replace(one, **change), *more)
    changed = msgspec.structs.replace(
        question, checks=(msgspec.structs.replace(first, cases=cases), *others)
    )

    def never(_: Check) -> Any:
        raise AssertionError("asked")

    assert Prices(oracle).mistake_in(changed, compared, never, draw) is None


def test_whose_wrong_numbers_are_no_mistake_s_is_not_asked_again():
    oracle = oracle_of(SLIP)
    question, compared = graded(oracle, step=no_eps)

    def never(_: Check) -> Any:
        raise AssertionError("asked")

    assert Prices(oracle).mistake_in(question, compared, never, draw) is None


def test_a_session_that_gives_no_answer_again_pays_as_usual():
    oracle = oracle_of(SLIP)
    question, compared = graded(oracle, step=under_the_root)
    assert Prices(oracle).mistake_in(question, compared, lambda _: {}, draw) is None


@check("choice", points=2)
@case("the letter", hidden=True)
def letter_is_right(student, reference, rng):
    """The letter."""
    assert_equal(student.letter, reference.letter)


@check("choice", points=2)
@case("the list", hidden=True)
def list_falls(student, reference, rng):
    """The losses fall."""
    losses = student.losses()
    assert_shape(losses, (3,))
    assert_that(losses[-1] < losses[0], "the losses must fall")


def falling():
    return np.array([3.0, 2.0, 1.0])


@pytest.mark.parametrize(
    ("letter", "losses", "earned"),
    [
        ("b", falling, 3.0),
        ("c", falling, 2.0),
        ("b", lambda: falling() + 1.0, 2.0),  # passes as well, by other numbers
        ("b", lambda: falling()[::-1], 0.0),
    ],
)
def test_where_no_numbers_are_compared_all_that_is_answered_is(letter, losses, earned):
    checks = {one.name: one for one in (letter_is_right, list_falls)}
    slip = Variant("b for a", {"letter": "b"}, "b for a", 1.0)
    oracle = oracle_of(slip, checks=checks, letter="a", losses=falling)
    assert priced(oracle, letter=letter, losses=losses)[0] == earned


def test_what_a_price_leaves_goes_to_the_checks_that_lost_in_their_order():
    question, _ = graded(oracle_of(SLIP), step=under_the_root)
    assert [one.earned for one in question.checks] == [0.0, 0.0, 1.0]
    found = at_its_price(question, "eps under the root", 2.0)
    assert [one.earned for one in found.checks] == [6.0, 1.0, 1.0]
    assert found.earned == sum(one.earned for one in found.checks) == 8.0
    assert found.priced == Priced("eps under the root", 2.0, 1.0)
    assert [one.cases for one in found.checks] == [one.cases for one in question.checks]
    assert at_its_price(question, "dear", 9.75).earned == 1.0


# In sessions.

BANK = """
from autograder import mistake


@mistake("three times", costs=0.5)
def _(x):
    return 3 * x
"""


@pytest.fixture(scope="module")
def grader(bundle_content: Any) -> Any:
    bundle = parse_bundle(pack_bundle(*bundle_content, banks={"bank/double.py": BANK}), "priced")
    with Grader(bundle, load_bundle_oracle(bundle), b"secret", LIMITS) as found:
        yield found


@pytest.fixture
def grade(grader: Grader, submit: Callable[..., bytes], solutions: Mapping[str, str]) -> Any:
    def grade(double: str, **more: Any) -> Any:
        body = f"def double(x):\n    {double}"
        own = {
            **solutions,
            "proof": "By hand.",
            "double": body,
            "triple": "def triple(x):\n    return 3 * x",
        }
        return grader.grade("ada", submit(own, **more), lambda: "2026-11-20T02:10:40Z")

    return grade


@pytest.mark.parametrize("double", ["return 3 * x", "return x + x + x"])
def test_a_submission_loses_the_price_in_a_session(grade: Any, double: str) -> None:
    result = grade(double)
    question = result.questions[0]
    assert (question.earned, question.priced) == (1.5, Priced("three times", 0.5, 0.0))
    assert [one.earned for one in question.checks] == [1.5]
    assert {c.verdict for one in question.checks for c in one.cases} == {Verdict.FAILED}
    assert (result.earned, result.questions[1].priced) == (4.5, msgspec.UNSET)
    assert result.questions[2].status is Status.PENDING  # the manual one is as it was


@pytest.mark.parametrize(
    "double",
    [
        "return 3 * x if len(x) > 2 else 2 * x",
        "return 3 * x if len(x) > 2 else 4 * x",
        "return 3.001 * x",
        "return 2 * x",
        "raise NotImplementedError",
    ],
)
def test_any_other_submission_pays_as_usual(grade: Any, double: str) -> None:
    question = grade(double).questions[0]
    passed = sum(c.verdict is Verdict.PASSED for one in question.checks for c in one.cases)
    assert (question.earned, question.priced) == (float(passed), msgspec.UNSET)


def test_whoever_is_asked_again_is_as_the_notebook_left_it(grade: Any) -> None:
    calls = "import itertools\ncalls = itertools.count()"
    question = grade("return (3 if next(calls) < 1 else 4) * x", before=[calls]).questions[0]
    assert question.priced == Priced("three times", 0.5, 0.0)


BANK_OF_TRIPLE = """
from assignment import double
from autograder import mistake


@mistake("x is not added", costs=1)
def _(x):
    return double(x)
"""


@pytest.mark.parametrize(
    ("triple", "earned"), [("return double(x)", 2.0), ("return double(x) + 0.5 * x", 0.0)]
)
def test_a_mistake_of_an_earlier_question_hides_no_price(
    bundle_content: Any, submit: Callable[..., bytes], triple: str, earned: float
) -> None:
    """The check is given the earlier function, and so it is where the price is looked for."""
    manifest, cells, release, reference = bundle_content
    *others, last = cells
    given = last.source.replace("points=3", 'points=3, given=["double"]')
    assert given != last.source
    content = manifest, (*others, Cell(last.kind, last.number, given)), release, reference
    bundle = parse_bundle(pack_bundle(*content, banks={"bank/triple.py": BANK_OF_TRIPLE}), "given")
    body = {"double": "def double(x):\n    return 4 * x", "triple": f"def triple(x):\n    {triple}"}
    with Grader(bundle, load_bundle_oracle(bundle), b"secret", LIMITS) as found:
        result = found.grade("ada", submit(body), lambda: "2026-11-20T02:10:40Z")
    assert [question.earned for question in result.questions] == [0.0, earned, 0.0]
