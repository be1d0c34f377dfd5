"""The weaker standard: what is let through is told, what counts as proved is, and no more."""

import json
from collections.abc import Callable

import pytest

from autograder.artefacts.adopted import STANDARD, read_adopted
from autograder.artefacts.proof import proof_file, read_proof
from autograder.audit.adopted import RIGHT_VALUES
from autograder.audit.checking.null_models import NULL_MODELS
from autograder.audit.publish import audit_only, compile_and_publish, unproven
from autograder.cli import main
from autograder.compiler.build import compile_assignment
from autograder.course import Course
from autograder.errors import AuditRefused, SourceError
from autograder.records.audit_page import write_audit_page
from tests.small_course import SOURCE

WriteCourse = Callable[..., Course]
pytestmark = pytest.mark.usefixtures("sharing_fork_servers")

ADOPTED = '# %% hidden=true adopted="nbgrader"\n# adopted\n\n'
# Zeros and the answer of the release pass it, and so does the blank release, by the name alone.
WEAK = '''
# %%
@check("scaled_sum", points=2)
@case("of nothing")
def sum_of_nothing(student, reference, rng):
    """The sum of nothing is 0."""
    assert student.scaled_sum(np.zeros(3)) == 0


# %%
@check("scaled_sum", points=1)
@case("it is there", hidden=True)
def scaled_sum_is_there(student, reference, rng):
    """There is a function."""
    assert student.scaled_sum is not None
'''


def silent(_: str) -> None:
    """Show no progress."""


@pytest.fixture
def written(write_proven_course: WriteCourse) -> Callable[[str], Course]:
    """Write the small course with another source notebook."""

    def written(source: str) -> Course:
        course = write_proven_course()
        course.source("small").write_text(source)
        return course

    return written


@pytest.fixture
def weak(written: Callable[[str], Course]) -> Course:
    return written(ADOPTED + SOURCE + WEAK)


def test_what_is_let_through_is_published_told_and_kept(weak: Course) -> None:
    outcome = compile_and_publish(weak, "small", silent)
    assert weak.bundle("small").is_file()
    text = "\n".join(outcome.details)
    assert "scaled_sum_matches_reference is proved" in text
    assert (
        "sum_of_nothing (2 points) is adopted, not proved: today an empty answer earns 0 points, "
        "one without work 2 points (zeros), and a mutated one 0 points (0 of 0 mutants pass)"
    ) in text
    assert "sum_of_nothing: can be answered from its release" in text
    assert (
        "scaled_sum_is_there (1 point) is adopted, not proved: today an empty answer earns 1"
        in text
    )
    assert f"small: {STANDARD} (from nbgrader): 2 of 4 checks are proved" in outcome.summary[2]

    page = json.loads((weak.root / "build" / "small" / "audit.json").read_text())
    nulls = {one["name"]: one["null_models"] for one in page["checks"]}
    assert nulls["scaled_sum_matches_reference"] == {"tried": 13, "rejected": 13}
    assert 0 < nulls["sum_of_nothing"]["rejected"] < nulls["sum_of_nothing"]["tried"]
    tried, rejected = (sum(one[key] for one in nulls.values()) for key in ("tried", "rejected"))
    assert f"{rejected} of {tried} null models rejected" in outcome.summary[0]

    stored = read_adopted(weak, "small")
    assert sorted(stored.adopted.checks) == ["scaled_sum_is_there", "sum_of_nothing"]
    assert "sum_of_nothing" not in stored.checks
    assert stored.adopted.blank == {"scaled_sum_is_there": 1.0}
    assert json.loads(proof_file(weak, "small").read_bytes())["adopted"]["standard"] == STANDARD

    again = audit_only(weak, "small", silent)
    assert again.details == outcome.details
    assert again.news[-1] == "small: 0 checks tried now, 4 as they were tried before"
    assert unproven(weak, "small") == []

    page = weak.build("small") / "audit.html"
    write_audit_page(page, weak.build("small") / "audit.json")
    assert "Adopted, not proved" in page.read_text()


def test_without_the_word_the_full_standard_holds(weak: Course) -> None:
    compile_and_publish(weak, "small", silent)
    source = weak.source("small")
    source.write_text(source.read_text().replace(' adopted="nbgrader"', ""))
    with pytest.raises(SourceError, match="'sum_of_nothing' can be answered from its release"):
        compile_and_publish(weak, "small", silent)
    source.write_text(source.read_text().replace('@case("of nothing")', '@case("o", hidden=True)'))
    with pytest.raises(AuditRefused) as refused:
        compile_and_publish(weak, "small", silent)
    assert "sum_of_nothing: the null model 'zeros' passes every case" in str(refused.value)
    assert "scaled_sum_is_there: the blank release passes case 'it is there'" in str(refused.value)
    stored = read_proof(weak, "small")
    assert stored is not None
    assert stored.accepted == ""


def test_a_line_of_the_solution_that_another_cell_shows_is_told(
    written: Callable[[str], Course],
) -> None:
    shown = "\n# %%\nif False:\n    total = x.sum()\n"
    course = written(ADOPTED + SOURCE + shown)
    told = "leak: a line of the solution of solution_scaled_sum ('total = x.sum()') is in"
    outcome = compile_and_publish(course, "small", silent)
    assert told in "\n".join(outcome.summary)
    course.source("small").write_text(SOURCE + shown)
    with pytest.raises(AuditRefused) as refused:
        compile_and_publish(course, "small", silent)
    assert told in str(refused.value)


def test_a_heading_may_tell_points_of_tests_without_a_check(
    written: Callable[[str], Course],
) -> None:
    source = SOURCE.replace("## 2 A choice (1 point)", "## 2 A choice (3 points)")
    compile_assignment(written(ADOPTED + source), "small")
    with pytest.raises(SourceError, match="says 3 points"):
        compile_assignment(written(source), "small")


def test_current_names_the_weaker_standard(
    weak: Course, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    compile_and_publish(weak, "small", silent)
    monkeypatch.chdir(weak.root)
    assert main(["audit", "--current"]) == 0
    assert capsys.readouterr().out == f"small: {STANDARD}; every check was tried as it is now\n"


def test_right_values_in_a_wrong_form_are_no_answer_without_work(
    written: Callable[[str], Course],
) -> None:
    assert set(RIGHT_VALUES) < set(NULL_MODELS)
    loose = '''
# %%
@check("scaled_sum", points=3)
@case("by value", hidden=True)
def scaled_sum_equals(student, reference, rng):
    """Whatever equals 6 passes."""
    assert student.scaled_sum(np.ones(3)) == 6
'''
    outcome = compile_and_publish(written(ADOPTED + SOURCE + loose), "small", silent)
    text = "\n".join(outcome.details)
    assert "scaled_sum_equals (3 points) is adopted, not proved: " in text
    assert "today an empty answer earns 0 points, one without work 0 points, and a" in text
    assert "the null model 'a shape that broadcasts' passes every case" in text


def test_all_checks_proved_says_to_delete_the_word(written: Callable[[str], Course]) -> None:
    course = written(ADOPTED + SOURCE)
    outcome = compile_and_publish(course, "small", silent)
    assert 'all of its checks are proved: delete adopted="nbgrader"' in "\n".join(outcome.summary)


def test_a_solution_that_does_not_pass_is_refused_all_the_same(
    written: Callable[[str], Course],
) -> None:
    never = WEAK.replace('@case("it is there", hidden=True)', '@case("n", hidden=True)').replace(
        "is not None", "is None"
    )
    course = written(ADOPTED + SOURCE + never)
    with pytest.raises(AuditRefused, match="scaled_sum_is_there: the solution notebook, graded by"):
        compile_and_publish(course, "small", silent)


@pytest.mark.parametrize("said", ["true", "3"])
def test_adopted_names_a_tool(written: Callable[[str], Course], said: str) -> None:
    course = written(ADOPTED.replace('"nbgrader"', said) + SOURCE)
    with pytest.raises(SourceError, match="adopted must be the name of a tool"):
        compile_and_publish(course, "small", silent)
