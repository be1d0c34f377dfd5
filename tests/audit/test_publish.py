"""What is published, and what is refused."""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from autograder.artefacts.bundle import read_bundle
from autograder.artefacts.proof import proof_file, read_proof
from autograder.artefacts.results import CaseResult, Verdict
from autograder.audit import acceptance
from autograder.audit.checking import variants
from autograder.audit.checking.variants import SEEDS, run_variant
from autograder.audit.publish import audit_only, compile_and_publish, unproven
from autograder.authoring.checks import Check
from autograder.compiler import build
from autograder.compiler.passes import release_notebook
from autograder.compiler.pieces import Piece
from autograder.course import Course, find_course
from autograder.errors import AuditRefused, SourceError
from autograder.grading.oracle import load_bundle_oracle
from autograder.grading.runner import Grader
from autograder.grading.substitutes import run_given
from tests.audit.test_kills import SIGN_IS_LOST
from tests.small_course import made_once, small_course

WriteCourse = Callable[..., Course]
pytestmark = pytest.mark.usefixtures("sharing_fork_servers")


def silent(_: str) -> None:
    """Show no progress."""


def findings(course: Course) -> str:
    with pytest.raises(AuditRefused) as refused:
        compile_and_publish(course, "small", silent)
    assert not course.release("small").exists()
    assert not course.bundle("small").exists()
    return str(refused.value)


def test_a_right_assignment_is_published_with_its_audit(write_course: WriteCourse) -> None:
    course = write_course()
    outcome = compile_and_publish(course, "small", silent)
    assert "the solution earns 5 of 5, the blank release 0; " in outcome.summary[0]
    assert outcome.score == 1.0
    names = {p.name for p in course.release("small").iterdir()}
    assert {"small.ipynb", "recording.json", "requirements.txt"} < names
    stored = json.loads((course.build("small") / "audit.json").read_text())
    assert stored["checks"][0]["mistakes"] == {"tried": 1, "rejected": 1}
    assert stored["checks"][0]["alternatives"] == {"tried": 1, "accepted": 1}
    assert stored["checks"][0]["null_models"] == {"tried": 13, "rejected": 13}
    assert stored["findings"] == []
    mutants = [check["mutants"] for check in stored["checks"]]
    tried, killed, equivalent = (
        sum(m[name] for m in mutants) for name in ("tried", "killed", "equivalent")
    )
    assert stored["mutants"]["tried"] == tried >= 10
    assert stored["score"] == killed / (tried - equivalent)
    assert mutants[0]["survivors"] == []


BUILT_ON_IT = (
    (
        "    return factor * total\n",
        """    return factor * total


def scaled_mean(x: np.ndarray) -> float:
    '''Return the mean of x times two.'''
    return scaled_sum(x) / len(x)
""",
    ),
    (
        "# %% [markdown]\n# ## 2 A choice",
        """# %%
from reference.small import scaled_mean

# %%
@check("scaled_mean", points=2, given=["scaled_sum"])
@case("three numbers of the mean", n=3)
@case("many numbers of the mean", hidden=True, n=40)
def scaled_mean_matches_reference(student, reference, rng, n):
    x = rng.normal(size=n)
    assert_close(student.scaled_mean(x), reference.scaled_mean(x), what="mean")

# %% [markdown]
# ## 2 A choice""",
    ),
)
BANK_OF_MEAN = """from assignment import scaled_sum
from autograder import alternative, mistake


@mistake("the sum in place of the mean")
def _(x):
    return scaled_sum(x)


@alternative("the sum of what is divided before")
def _(x):
    return scaled_sum(x / len(x))
"""


def test_a_mistake_must_fail_whatever_the_check_is_given(
    write_proven_course: WriteCourse, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = []

    def noted(check: Check, *args: Any) -> Iterator[CaseResult]:
        again.append(check.name)
        return run_given(check, *args)

    course = write_proven_course(*BUILT_ON_IT, banks={"scaled_mean": BANK_OF_MEAN})
    assert "the solution earns 7 of 7" in compile_and_publish(course, "small", silent).summary[0]
    monkeypatch.setattr(variants, "run_given", noted)
    oracle = load_bundle_oracle(read_bundle(course.bundle("small")))
    check = oracle.checks["scaled_mean_matches_reference"]
    (mistake,) = oracle.bank(check).mistakes
    results = run_variant(check, mistake.values, oracle, SEEDS[0])
    assert [result.verdict for result in results] == [Verdict.FAILED, Verdict.FAILED]
    assert again == []  # what it is given is right already
    both = {**mistake.values, "scaled_sum": lambda x, factor: 0.0}
    results = run_variant(check, both, oracle, SEEDS[0])
    assert [result.verdict for result in results] == [Verdict.FAILED, Verdict.FAILED]
    assert again == ["scaled_mean_matches_reference"]


def test_a_mutant_that_was_found_out_is_named_to_who_makes_its_mistake(
    write_proven_course: WriteCourse,
) -> None:
    course = write_proven_course()
    compile_and_publish(course, "small", silent)
    bundle = read_bundle(course.bundle("small"))
    with Grader(bundle, load_bundle_oracle(bundle), b"a secret", course.limits) as grader:
        solution = (course.build("small") / "small_solution.ipynb").read_text()
        mistake = solution.replace("total = x.sum()", "total = np.mean(x)")
        results = [grader.grade("ada", text.encode()) for text in (solution, mistake)]
    named = [[c.diagnosis for q in r.questions for k in q.checks for c in k.cases] for r in results]
    assert named[0] == [None] * 3
    assert named[1] == ["the mean where the sum is meant"] * 2 + [None]


@pytest.mark.parametrize(
    "line",
    [
        "    return factor * total  # survives: the sign is free here\n",
        "    # survives: the sign is free here\n    return factor * total\n",
    ],
    ids=["on its line", "above it"],
)
def test_a_survivor_is_explained_in_the_reference(
    write_proven_course: WriteCourse, line: str
) -> None:
    course = write_proven_course(SIGN_IS_LOST, ("    return factor * total\n", line))
    outcome = compile_and_publish(course, "small", silent)
    assert "survive (1 explained)" in outcome.summary[1]
    report = json.loads((course.build("small") / "audit.json").read_text())
    (survivor,) = [s for c in report["checks"] for s in c["mutants"]["survivors"]]
    assert survivor["reason"] == "the sign is free here"
    solution = (course.build("small") / "small_solution.ipynb").read_text()
    assert "survives" not in solution


def test_a_mistake_in_what_is_given_alone_is_no_mistake_of_the_check(
    write_proven_course: WriteCourse,
) -> None:
    right = BANK_OF_MEAN.replace("return scaled_sum(x)\n", "return scaled_sum(x) / len(x)\n")
    text = findings(write_proven_course(*BUILT_ON_IT, banks={"scaled_mean": right}))
    assert "the mistake 'the sum in place of the mean' passes every case" in text


def test_an_audit_alone_publishes_nothing(write_proven_course: WriteCourse) -> None:
    course = write_proven_course()
    audit_only(course, "small", silent)
    assert not course.release("small").exists()
    assert {p.name for p in course.build("small").iterdir()} == {"audit.json"}


@pytest.mark.parametrize("chosen", [None, "active"])
def test_threads_of_an_audit_wait_asleep_unless_somebody_chose_otherwise(
    write_proven_course: WriteCourse, monkeypatch: pytest.MonkeyPatch, chosen: str | None
) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", chosen or "")
    if chosen is None:
        monkeypatch.delenv("OMP_WAIT_POLICY")
    audit_only(write_proven_course(), "small", silent)
    assert os.environ["OMP_WAIT_POLICY"] == (chosen or "passive")


def test_an_audit_says_what_was_proven_now_and_what_stands(write_course: WriteCourse) -> None:
    course = write_course()
    first = audit_only(course, "small", silent)
    assert first.news[-1] == "small: 2 checks proven now, the proof of 0 stands"
    again = audit_only(course, "small", silent)
    assert again.news == ["small: 0 checks proven now, the proof of 2 stands"]
    assert (again.summary, again.details) == (first.summary, first.details)
    whole = audit_only(course, "small", silent, everything=True)
    assert whole.news == first.news


def test_a_refused_audit_is_stored_and_made_again(write_proven_course: WriteCourse) -> None:
    course = write_proven_course(("return x.sum()", "return 2 * x.sum()"))
    for _ in range(2):
        with pytest.raises(AuditRefused):
            audit_only(course, "small", silent)
    stored = json.loads((course.build("small") / "audit.json").read_text())
    assert "passes every case" in stored["findings"][0]


def test_a_mistake_that_passes_is_refused(write_proven_course: WriteCourse) -> None:
    text = findings(write_proven_course(("return x.sum()", "return 2 * x.sum()")))
    assert (
        "check scaled_sum_matches_reference: the mistake 'the factor is forgotten altogether' "
        "passes every case"
    ) in text


def test_an_alternative_that_fails_is_refused(write_proven_course: WriteCourse) -> None:
    text = findings(write_proven_course(("(factor * x).sum()", "(factor + x).sum()")))
    assert "the alternative 'scale first, add up afterwards' does not pass case" in text


def test_a_wrong_reference_is_refused(write_proven_course: WriteCourse) -> None:
    """The reference does not do what the check's properties say."""
    changes = (
        'assert_close(student.scaled_sum(x), reference.scaled_sum(x), what="sum")',
        'assert_close(student.scaled_sum(x), 2 * x.sum(), what="sum")',
    )
    course = write_proven_course(changes, ("factor * total", "factor * total + 1"))
    with pytest.raises(SourceError, match=r"scaled_sum_matches_reference.*does not pass.*sum"):
        compile_and_publish(course, "small", silent)
    assert not course.release("small").exists()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ('"the third of two"', "value: 'the second of two choices', expected 'the third of two'"),
        ("reference.nowhere", "the check raised RuntimeError: the reference: nowhere is not"),
    ],
)
def test_a_wrong_reference_of_a_check_that_has_hidden_cases_alone_is_told_with_its_case(
    write_proven_course: WriteCourse, wrong: str, said: str
) -> None:
    text = findings(
        write_proven_course(("student.choice, reference.choice", f"student.choice, {wrong}"))
    )
    where = "check choice_is_right: the reference does not pass case 'the right one, hidden'"
    assert f"{where}: {said}" in text
    assert "mistake" not in text, "nothing is said of what was not tried"


def test_a_reference_that_draws_without_a_seed_is_told_so(write_proven_course: WriteCourse) -> None:
    draws = ("return factor * total", "return factor * total + np.random.default_rng().normal()")
    with pytest.raises(SourceError, match="'three numbers': the reference gives two answers for"):
        compile_and_publish(write_proven_course(draws), "small", silent)
    text = findings(write_proven_course(draws, ('@case("three numbers", n=3)\n', "")))
    assert "check scaled_sum_matches_reference: case 'many numbers, hidden': the reference" in text


def test_a_reference_that_changes_its_argument_is_refused(write_proven_course: WriteCourse) -> None:
    course = write_proven_course(("total = x.sum()", "x += 1; total = x.sum()"))
    with pytest.raises(SourceError, match="changed its argument"):
        compile_and_publish(course, "small", silent)


def test_a_solution_that_works_only_beside_the_reference_is_refused(
    write_proven_course: WriteCourse,
) -> None:
    text = findings(
        write_proven_course(
            ("return factor * total", 'return factor * total * (__name__ != "__main__")')
        )
    )
    assert "the solution notebook, graded by itself, does not pass case" in text


def test_a_blank_release_that_earns_is_refused(write_proven_course: WriteCourse) -> None:
    text = findings(
        write_proven_course(
            ("assert_equal(student.choice, reference.choice)", "student.choice"),
            ("\nmistake(", "\nif False:\n    mistake("),
        )
    )
    assert "the blank release passes case 'the right one, hidden'" in text


def test_what_was_not_accepted_is_tried_again(write_course: WriteCourse) -> None:
    wrong = ("return factor * total", 'return factor * total * (__name__ != "__main__")')
    course = write_course(wrong)
    for _ in range(2):
        assert "the solution notebook, graded by itself" in findings(course)
        assert unproven(course, "small") == ["the solution and the blank release in sessions"]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (("# Add up and scale.", "# Write total = x.sum() first."), "a line of the solution"),
        (("# Add up and scale.", "# Write `total=x . sum( )`."), "a line of the solution"),
        (
            ("# # Small homework", "# Try n=40 first: many numbers, hidden.\n# # Small homework"),
            None,
        ),
        (
            ("# Add up and scale.", "# Beware: the factor is forgotten altogether."),
            "the mistake 'the factor is forgotten altogether'",
        ),
        (("# Add up and scale.", "# Mind the default of the factor"), None),
        (("# Add up and scale.", "# So mind the default of the factor."), "the hint"),
        (
            (
                "import numpy as np\n\nfrom auto",
                'case_name = "many numbers, hidden"\nimport numpy as np\n\nfrom auto',
            ),
            "the hidden case 'many numbers, hidden'",
        ),
        (
            (
                "# Add up and scale.",
                '# It is "the second of two choices", choice = "the second of two choices".',
            ),
            "a line of the solution",
        ),
        (
            (
                "# Add up and scale.",
                "# The example answer says that addition commutes with scaling.",
            ),
            "a line of the example answer or rubric",
        ),
        (
            ("# Add up and scale.", "# Try `return (factor * x).sum()`."),
            "a line of the alternative 'scale first, add up afterwards'",
        ),
        (
            ("# Add up and scale.", "# - 2 points for naming distributivity of the product"),
            "a line of the example answer or rubric",
        ),
    ],
)
def test_a_planted_leak_is_refused(
    write_proven_course: WriteCourse, change: tuple[str, str], what: str | None
) -> None:
    course = write_proven_course(change)
    if what is None:  # a case's name in prose, or a hint's words in another case, give nothing away
        compile_and_publish(course, "small", silent)
        return
    text = findings(course)
    assert f"leak: {what}" in text
    assert "small.ipynb, cell" in text


def test_a_recording_that_answers_a_hidden_case_is_refused(
    write_proven_course: WriteCourse,
) -> None:
    course = write_proven_course(
        (
            '@check("choice", points=1)\n',
            '@check("choice", points=1)\n@case("seen by everybody")\n',
        ),
        (
            '@case("the right one, hidden", hidden=True)',
            '@case("the right one, hidden", hidden=True)',
        ),
    )
    text = findings(course)
    assert "leak: the recording has a reply to hidden case 'the right one, hidden'" in text


def test_a_refused_change_leaves_the_former_release(write_proven_course: WriteCourse) -> None:
    course = write_proven_course()
    compile_and_publish(course, "small", silent)
    before = {p: p.read_bytes() for p in files_below(course.root / "release")}
    write_proven_course(("# Add up and scale.", "# Write total = x.sum() first."))
    with pytest.raises(AuditRefused):
        compile_and_publish(course, "small", silent)
    assert {p: p.read_bytes() for p in files_below(course.root / "release")} == before


def files_below(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file())


SUM = "    total = x.sum()\n    return factor * total\n"
IN_MARKS = f"    ### BEGIN SOLUTION\n{SUM}    ### END SOLUTION\n"
WITHIN = (
    "    total = x.sum()\n    ### BEGIN SOLUTION\n    return factor * total\n    ### END SOLUTION\n"
)
NUMPY = "import numpy as np\n\nfrom autograder"
ACCEPTANCE = "the solution and the blank release in sessions"


@pytest.fixture(scope="module")
def accepted_once(tmp_path_factory: pytest.TempPathFactory, small_proof: bytes) -> Path:
    """Return the folder of a course that is published, whose solution is marked by comments."""

    def make(root: Path) -> None:
        course = small_course(root, (SUM, IN_MARKS))
        proof_file(course, "small").write_bytes(small_proof)
        compile_and_publish(course, "small", silent)
        assert unproven(course, "small") == []

    return made_once(tmp_path_factory, "accepted", make)


@pytest.fixture
def accepted(accepted_once: Path, tmp_path: Path) -> Course:
    shutil.copytree(accepted_once, tmp_path, dirs_exist_ok=True)
    return Course(tmp_path, "Small")


@pytest.mark.parametrize(
    ("old", "new", "again"),
    [
        ("# Add up and scale.", "# Add all of it up, and scale the sum.", False),
        ("mind the default of the factor", "the factor has a default", False),
        (NUMPY, NUMPY.replace("np\n", "np  # arrays\n", 1), False),
        ('"""Return the sum of x times a factor.', '"""Return a multiple of the sum of x.', False),
        ("points for naming distributivity", "points for a proof by distributivity", False),
        (NUMPY, NUMPY.replace("np\n", "np\n\nSPARE = 1\n", 1), True),
        (NUMPY, NUMPY.replace("np\n", "np\n%matplotlib inline\n", 1), True),
        ("The example answer says", "The example answer tells", False),
    ],
)
def test_a_solution_that_was_accepted_is_graded_again_only_if_what_runs_has_changed(
    accepted: Course, old: str, new: str, again: bool
) -> None:
    for path in (accepted.source("small"), accepted.root / "reference" / "small.py"):
        path.write_text(path.read_text().replace(old, new))
    assert unproven(accepted, "small") == ([ACCEPTANCE] if again else [])
    said: list[str] = []
    outcome = compile_and_publish(accepted, "small", said.append)
    assert ("the solution and the blank release, in sessions" in said) is again
    assert "the solution earns 5 of 5, the blank release 0; " in outcome.summary[0]
    assert unproven(accepted, "small") == []


def generous(pieces: Sequence[Piece]) -> Any:
    """Leave an answer in the release, as a compiler with a bug might."""
    notebook = release_notebook(pieces)
    for cell in notebook.cells:
        cell.source = cell.source.replace("choice = ...", 'choice = "the second of two choices"')
    return notebook


def test_a_solution_region_that_shrinks_makes_the_proof_stale_though_it_is_marked_by_comments(
    accepted: Course,
) -> None:
    path = accepted.root / "reference" / "small.py"
    path.write_text(path.read_text().replace(IN_MARKS, WITHIN))
    assert "check scaled_sum_matches_reference" in unproven(accepted, "small")
    compile_and_publish(accepted, "small", silent)
    path.write_text(
        path.read_text().replace(WITHIN, f"{SUM}    ### BEGIN SOLUTION\n    ### END SOLUTION\n")
    )
    with pytest.raises(AuditRefused, match="the blank release passes case"):
        compile_and_publish(accepted, "small", silent)


@pytest.mark.parametrize(
    "change",
    [
        lambda course, patch: (course.root / "course.toml").write_text(
            'name = "Small"\n[limits]\ncall_seconds = 3\n'
        ),
        lambda course, patch: patch.setattr(acceptance, "own_version", lambda: "9.9"),
        lambda course, patch: patch.setattr(build, "release_notebook", generous),
        lambda course, patch: (
            (course.source("small").parent / "data").mkdir()
            or (course.source("small").parent / "data" / "more.txt").write_text("more")
        ),
    ],
    ids=["limits", "version", "compiler", "data"],
)
def test_a_solution_is_graded_again_where_it_runs_otherwise(
    write_proven_course: WriteCourse,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Course, pytest.MonkeyPatch], object],
) -> None:
    course = write_proven_course()
    audit_only(course, "small", silent)
    assert unproven(course, "small") == []
    change(course, monkeypatch)
    assert unproven(find_course(course.root), "small") != []


def test_what_needs_a_gpu_is_not_among_what_an_accepted_solution_earns(
    write_proven_course: WriteCourse,
) -> None:
    course = write_proven_course(
        ('@check("choice", points=1)', '@check("choice", points=1, device="cuda")')
    )
    for _ in range(2):
        summary = compile_and_publish(course, "small", silent).summary[0]
        assert "the solution earns 4 of 5, the blank release 0; " in summary


def test_a_check_that_was_tried_on_no_gpu_is_told_and_published_until_one_was(
    write_proven_course: WriteCourse,
) -> None:
    course = write_proven_course(
        ('@check("choice", points=1)', '@check("choice", points=1, device="cuda")')
    )
    said = (
        "small: 1 check computes on a GPU and was tried on none (choice_is_right); "
        "autograder audit small tries it on a machine that has one"
    )
    assert said in compile_and_publish(course, "small", silent).summary
    assert said not in audit_only(course, "small", silent, gpu=True).summary
    assert os.environ["PYTORCH_NVML_BASED_CUDA_CHECK"] == "1"  # asking for a GPU wakes none
    proof = read_proof(course, "small")
    assert proof is not None
    assert proof.checks["choice_is_right"].devices == ("cuda",)
    assert proof.checks["choice_is_right"].rejects == ("the first of the two choices",)
    # Elsewhere that stands, also where all that can be tried there is tried again.
    outcome = audit_only(course, "small", silent, everything=True)
    assert said not in outcome.summary
    assert read_proof(course, "small") == proof


def test_a_mistake_that_is_written_out_and_equals_a_mutant_is_told(
    write_course: WriteCourse,
) -> None:
    bank = '''from autograder import mistake


@mistake("the factor on the wrong side")
def _(x: float, factor=2.0):
    """Return it."""
    total = x.sum()
    return factor / total


@mistake("no sum")
def _(x, factor=2.0):
    return factor * x[0]
'''
    course = write_course(banks={"scaled_sum": bank})
    (told,) = [t for t in compile_and_publish(course, "small", silent).details if "derived" in t]
    assert "the mistake 'the factor on the wrong side' is derived by the program too: " in told
    assert "'return factor / total' for 'return factor * total' in reference/small.py" in told
