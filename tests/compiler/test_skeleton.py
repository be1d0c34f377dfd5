"""A new assignment compiles as it is written."""

import json

import pytest

from autograder.audit.publish import compile_and_publish
from autograder.compiler.skeleton import write_skeleton
from autograder.course import find_course
from autograder.errors import UsageError


@pytest.fixture
def course(tmp_path):
    (tmp_path / "course.toml").write_text('name = "New"\n')
    return find_course(tmp_path)


def test_a_new_assignment_compiles_and_its_checks_find_every_mutant_out(course):
    source, bank, reference = write_skeleton(course, "hw9_scores")
    assert source == course.source("hw9_scores")
    assert bank == source.parent / "bank" / "standard_scores.py"
    assert reference.is_file()
    outcome = compile_and_publish(course, "hw9_scores", lambda _: None)
    assert outcome.score == 1.0
    stored = json.loads((course.build("hw9_scores") / "audit.json").read_text())
    assert stored["mutants"]["killed"] > 5
    assert stored["checks"][0]["mistakes"] == {"tried": 2, "rejected": 2}
    assert stored["checks"][0]["alternatives"] == {"tried": 1, "accepted": 1}
    assert (course.release("hw9_scores") / "hw9_scores.ipynb").is_file()


@pytest.mark.parametrize("name", ["", "9", "a b", "../out", "a/b", "größe", "a.b"])
def test_a_name_that_python_could_not_import_is_refused(course, name):
    with pytest.raises(UsageError, match="cannot be the name"):
        write_skeleton(course, name)
    assert list(course.root.iterdir()) == [course.root / "course.toml"]


def test_nothing_is_written_over(course):
    write_skeleton(course, "one")
    before = course.source("one").read_bytes()
    with pytest.raises(UsageError, match="assignments/one is there already"):
        write_skeleton(course, "one")
    (course.root / "reference" / "two.py").write_text("")
    with pytest.raises(UsageError, match=r"reference/two\.py is there already"):
        write_skeleton(course, "two")
    assert course.source("one").read_bytes() == before
    assert not (course.root / "assignments" / "two").exists()
