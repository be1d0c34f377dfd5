"""The notebooks that nbgrader's own tests are made of: graded here, beside what nbgrader says."""

import shutil
from contextlib import closing
from functools import partial
from pathlib import Path

import nbgrader
import pytest

from autograder.errors import HarnessError
from autograder.foreign.course import find_nbgrader_course
from autograder.foreign.grader import FolderGrader
from autograder.foreign.preparing import prepare
from autograder.foreign.submissions import read_folder
from autograder.foreign.trial import try_out
from tests.each import require_each

HERE = Path(nbgrader.__file__).parent / "tests"
APPS, PREPROCESSORS = HERE / "apps" / "files", HERE / "preprocessors" / "files"
SQUARES = "correct_squares", "squares_invalid_input"
SUMS = "correct_sum_of_squares", "sum_of_squares_uses_squares"
# What each submission earns in test cells, by the source that it is of. Scores are those of
# `nbgrader autograde` 0.9.6, side by side, but where DIFFERENT says why they are not.
EARNED = {
    APPS / "submitted-unchanged.ipynb": {
        APPS / "submitted-unchanged.ipynb": {"foo": 1, "bar": 0},
        APPS / "submitted-changed.ipynb": {"foo": 1, "bar": 1},
        APPS / "submitted-cheat-attempt.ipynb": {"foo": 1, "bar": 0},
        APPS / "submitted-cheat-attempt-alternative.ipynb": {"foo": 1, "bar": 0},
        APPS / "submitted-grade-cell-changed.ipynb": {"foo": 1, "bar": 0},
        APPS / "submitted-locked-cell-changed.ipynb": {"foo": 1, "bar": 0},
        PREPROCESSORS / "submitted-answer-cell-type-changed.ipynb": {"foo": 1, "bar": 0},
        PREPROCESSORS / "submitted-grade-cell-type-changed.ipynb": {"foo": 1, "bar": 0},
    },
    APPS / "autotest-simple.ipynb": {
        APPS / "autotest-simple-unchanged.ipynb": {"test_simple": 0},
        APPS / "autotest-simple-changed.ipynb": {"test_simple": 1},
    },
    APPS / "autotest-hashed.ipynb": {
        APPS / "autotest-hashed-unchanged.ipynb": {"test_hashed": 0},
        APPS / "autotest-hashed-changed.ipynb": {"test_hashed": 1},
    },
    APPS / "autotest-hidden.ipynb": {
        APPS / "autotest-hidden-unchanged.ipynb": {"test_hidden": 0},
        APPS / "autotest-hidden-changed-right.ipynb": {"test_hidden": 1},
        APPS / "autotest-hidden-changed-wrong.ipynb": {"test_hidden": 0},
    },
    APPS / "timeout.ipynb": {APPS / "timeout.ipynb": {"correct_squares": 0}},
    APPS / "infinite-loop.ipynb": {APPS / "infinite-loop.ipynb": {}},
    APPS / "open_relative_file.ipynb": {APPS / "open_relative_file.ipynb": {"open_file": 10}},
    APPS / "validating-environment-variable.ipynb": {
        APPS / "validating-environment-variable.ipynb": {"cell-bfbdf1784663b6b6": 0}
    },
    APPS / "test-hidden-tests.ipynb": {
        APPS / "test-hidden-tests.ipynb": {
            **dict(zip(SQUARES, (0, 1), strict=True)),
            **dict(zip(SUMS, (0, 0.5), strict=True)),
        }
    },
    APPS / "test.ipynb": {
        path: {**dict.fromkeys(SQUARES, 1), **dict.fromkeys(SUMS, 0.5)}
        for path in (APPS / "test.ipynb", APPS / "test-with-output.ipynb")
    },
    **{
        APPS / f"test-v{version}.ipynb": {
            APPS / f"test-v{version}.ipynb": {
                **dict.fromkeys(SQUARES, 1),
                **dict.fromkeys(SUMS, 0.5),
            }
        }
        for version in (0, 1, 2)
    },
    PREPROCESSORS / "infinite-recursion.ipynb": {PREPROCESSORS / "infinite-recursion.ipynb": {}},
    PREPROCESSORS / "manually-graded-code-cell.ipynb": {
        PREPROCESSORS / "manually-graded-code-cell.ipynb": {}
    },
}
DIFFERENT = {
    "submitted-answer-cell-type-changed": "nbgrader refuses what it has retyped: no id",
    "submitted-grade-cell-type-changed": "nbgrader refuses what it has retyped: no id",
    "test-v0": "nbgrader grades nothing of it before `nbgrader update`",
    "test-v1": "nbgrader grades nothing of it before `nbgrader update`",
    "test-v2": "nbgrader grades nothing of it before `nbgrader update`",
}
REFUSED = {  # sources that nbgrader does not read either
    APPS / "too-new.ipynb": "newer version of the nbgrader metadata format",
    APPS / "test-no-metadata.ipynb": "Solution region detected in a non-solution cell",
    APPS / "test-v0-invalid.ipynb": "nbgrader",
    PREPROCESSORS / "duplicate-grade-ids.ipynb": "failed to validate",
    PREPROCESSORS / "cell-type-changed.ipynb": "'outputs' is a required property",
    PREPROCESSORS / "blank-points.ipynb": "nbgrader",
}


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    root = tmp_path_factory.mktemp("own")
    (root / "nbgrader_config.py").write_text("c = get_config()\nc.Execute.timeout = 3\n")
    for source in (*EARNED, *REFUSED):
        folder = root / "source" / source.stem
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, folder / "p1.ipynb")
        for beside in ("autotests.yml", "data.txt"):
            shutil.copy(APPS / beside, folder / beside)
    return find_nbgrader_course(root)


@pytest.fixture(scope="module")
def grade(course, servers):
    """Return the points of test cells, and the plan, for a source and a submission."""
    known = {}

    def grade(source, submitted, folder):
        if source not in known:
            definition = prepare(course, source.stem)
            where = partial(servers.setting, definition, {})
            known[source] = definition, try_out(definition, where)
        definition, plan = known[source]
        folder = folder / submitted.parent.parent.name / submitted.stem
        folder.mkdir(parents=True)
        shutil.copy(submitted, folder / "p1.ipynb")
        with closing(FolderGrader(definition, plan, servers)) as grader:
            result = grader.grade("ada", read_folder(folder))
        return {q.id: q.earned for q in result.questions if q.checks}, plan

    return grade


@pytest.mark.takes(seconds=15)
def test_each_submission_earns_what_nbgrader_gives_it(grade, tmp_path):
    def holds(source, submitted):
        found, _ = grade(source, submitted, tmp_path)
        assert found == EARNED[source][submitted]

    require_each([(s, one) for s, submitted in EARNED.items() for one in submitted], holds)
    named = {one.stem for submitted in EARNED.values() for one in submitted}
    assert DIFFERENT.keys() <= named
    assert all(DIFFERENT.values())


def test_tests_that_their_own_solution_passes_are_hardened(grade, tmp_path):
    for source in ("autotest-simple", "autotest-hashed", "autotest-hidden", "test", "test-v0"):
        path = APPS / f"{source}.ipynb"
        _, plan = grade(path, path, tmp_path)
        assert [test.reason for test in plan.tests.values() if not test.is_hardened] == []
        assert plan.tests


def test_what_nbgrader_cannot_read_is_refused_with_its_reason(course):
    def holds(source, words):
        with pytest.raises(HarnessError, match="nbgrader cannot read the source of") as caught:
            prepare(course, source.stem)
        assert words in str(caught.value)

    require_each(REFUSED.items(), holds)
