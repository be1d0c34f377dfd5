import errno
import functools
import os
import shutil
import sqlite3
import tempfile
import time

import msgspec
import pytest
from nbformat import NotebookNode

from autograder.artefacts.results import Status, Verdict
from autograder.errors import HarnessError, UsageError
from autograder.records.gradebook import write_gradebook

NOON, ONE = "2026-11-20 12:00:00 UTC\n", "2026-11-20 13:00:00 UTC"


@pytest.fixture(scope="module")
def empty(tmp_path_factory, make):
    """A gradebook with the assignment and nobody in it; making one starts a program of nbgrader."""
    path = tmp_path_factory.mktemp("gradebook") / "empty.db"
    write_gradebook(path, make.manifest, make.release(), {})
    return path


@pytest.fixture
def db(tmp_path, empty):
    return shutil.copy(empty, tmp_path / "gradebook.db")


@pytest.fixture
def write(db, make):
    """Writes results of students into the gradebook."""

    def fill(*results, release=None, manifest=make.manifest, timestamps=None):
        by_name = {result.student: result for result in results}
        write_gradebook(db, manifest, release or make.release(), by_name, timestamps)

    return fill


@pytest.fixture
def gradebook(db):
    """Opens the gradebook as formgrader does."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{db}") as opened:
        yield opened


def dump(db):
    connection = sqlite3.connect(db)
    try:
        return sorted(connection.iterdump())
    finally:
        connection.close()


def scores(gradebook, student="ada"):
    """Return (auto, manual, needs manual) of each grade of a student."""
    gradebook.db.expire_all()
    notebook = gradebook.find_submission_notebook("hw1", "hw1", student)
    return {g.name: (g.auto_score, g.manual_score, g.needs_manual_grade) for g in notebook.grades}


def test_results_become_scores(write, gradebook, make):
    write(make.result("ada", make.sgd(earned=1.5), make.conv(), make.proof()))
    assert scores(gradebook) == {
        "sgd_matches": (1.5, None, False),
        "conv_matches": (6.0, None, False),
        "proof_answer": (None, None, True),
    }
    submission = gradebook.find_submission("hw1", "ada")
    assert (submission.score, submission.max_score) == (7.5, 15.0)
    assert submission.needs_manual_grade


def test_a_manual_question_decided_by_itself_needs_nobody(write, gradebook, make):
    write(make.result("ada", make.sgd(), make.conv(), make.proof(0.0, Status.GRADED)))
    assert scores(gradebook)["proof_answer"] == (0.0, None, False)
    assert gradebook.find_comment("proof_answer", "hw1", "hw1", "ada").comment == "No response."
    assert not gradebook.find_submission("hw1", "ada").needs_manual_grade
    write(make.result("ada", make.sgd(), make.conv(), make.proof(5.0, Status.GRADED)))
    assert scores(gradebook)["proof_answer"] == (5.0, None, False)


@pytest.mark.parametrize("verdict", [Verdict.BROKEN, Verdict.PENDING])
@pytest.mark.parametrize("status", [Status.PENDING, Status.NEEDS_ATTENTION])
def test_what_is_not_decided_is_no_zero(write, gradebook, make, verdict, status):
    write(make.result("ada", make.sgd(), make.conv(verdict, 0.0, status)))
    assert scores(gradebook)["conv_matches"] == (None, None, True)
    assert scores(gradebook)["sgd_matches"] == (4.0, None, False)


def test_a_submission_that_could_not_be_read_is_all_for_staff(write, gradebook, make):
    write(make.unreadable())
    assert set(scores(gradebook).values()) == {(None, None, True)}
    assert len(scores(gradebook)) == 3


def test_writing_twice_changes_nothing(write, db, make):
    results = [make.result("ada"), make.result("bo", make.sgd(earned=0.0)), make.unreadable("cy")]
    write(*results, timestamps={"ada": NOON})
    before = dump(db)
    write(*results, timestamps={"ada": NOON})
    assert dump(db) == before


def test_a_class_in_batches_is_the_class_at_once(write, gradebook, db, make, monkeypatch):
    results = [make.result(f"s{i}", make.sgd(earned=i / 4), make.conv()) for i in range(5)]
    monkeypatch.setattr("autograder.records.gradebook.BATCH", 2)
    write(*results)
    found = {f"s{i}": scores(gradebook, f"s{i}")["sgd_matches"][0] for i in range(5)}
    assert found == {f"s{i}": i / 4 for i in range(5)}
    before = dump(db)
    monkeypatch.setattr("autograder.records.gradebook.BATCH", 100)
    write(*results)
    assert dump(db) == before


def test_a_regrade_changes_scores_and_adds_nothing(write, gradebook, make):
    write(make.result("ada", make.sgd(earned=1.0), make.conv(Verdict.PENDING, 0.0, Status.PENDING)))
    write(make.result("ada", make.sgd(earned=4.0), make.conv()))
    assert scores(gradebook)["sgd_matches"] == (4.0, None, False)
    assert scores(gradebook)["conv_matches"] == (6.0, None, False)
    assert len(gradebook.assignment_submissions("hw1")) == 1


def enter(gradebook, cell, score, comment=None):
    """Do what formgrader does when staff score a cell."""
    gradebook.db.expire_all()
    grade = gradebook.find_grade(cell, "hw1", "hw1", "ada")
    grade.manual_score, grade.needs_manual_grade = score, False
    if comment:
        gradebook.find_comment(cell, "hw1", "hw1", "ada").manual_comment = comment
    gradebook.db.commit()


def test_what_staff_entered_survives_a_regrade(write, gradebook, make):
    write(make.result())
    enter(gradebook, "proof_answer", 3.0, "nice idea")
    enter(gradebook, "sgd_matches", 2.0)
    gradebook.find_grade("sgd_matches", "hw1", "hw1", "ada").extra_credit = 0.5
    gradebook.find_assignment("hw1").duedate = None
    gradebook.db.commit()
    write(make.result())
    assert scores(gradebook)["proof_answer"] == (None, 3.0, False)
    assert scores(gradebook)["sgd_matches"] == (4.0, 2.0, False)
    assert gradebook.find_comment("proof_answer", "hw1", "hw1", "ada").comment == "nice idea"
    assert gradebook.find_submission("hw1", "ada").score == 3.0 + 2.5 + 6.0


def test_another_automatic_score_asks_staff_to_look_again(write, gradebook, make):
    write(make.result())
    enter(gradebook, "sgd_matches", 2.0)
    write(make.result("ada", make.sgd(earned=1.0)))
    assert scores(gradebook)["sgd_matches"] == (1.0, 2.0, True)
    write(make.result("ada", make.sgd(earned=1.0)))
    assert scores(gradebook)["sgd_matches"] == (1.0, 2.0, True), "until they did"


def test_another_attempt_asks_staff_to_look_again(write, gradebook, make):
    write(make.result(), timestamps={"ada": NOON})
    enter(gradebook, "proof_answer", 3.0)
    write(make.result(), timestamps={"ada": NOON})
    assert scores(gradebook)["proof_answer"] == (None, 3.0, False)
    write(make.result(), timestamps={"ada": ONE})
    assert scores(gradebook)["proof_answer"] == (None, 3.0, True)


def test_submissions_have_their_time(write, gradebook, make):
    names = {"ada": NOON, "bo": "2026-11-20 14:00:00 +0200", "cy": "yesterday, honestly", "di": ""}
    write(*map(make.result, names), timestamps=names)
    times = {name: gradebook.find_submission("hw1", name).timestamp for name in names}
    assert [time and time.isoformat() for time in times.values()] == [
        "2026-11-20T12:00:00",
        "2026-11-20T12:00:00",
        None,
        None,
    ]
    write(make.result())
    gradebook.db.expire_all()
    assert gradebook.find_submission("hw1", "ada").timestamp is not None, "known stays known"


def test_comments_hold_verdicts_and_no_messages(write, gradebook, make):
    cases = (
        make.case(Verdict.ERRORED, message="<script>SECRET</script>"),
        make.case(Verdict.FAILED, "SECRETCASE", True, message="SECRET", diagnosis="steps uphill"),
    )
    write(make.result("ada", make.sgd(*cases, earned=0.0), make.conv(), make.proof()))
    comment = gradebook.find_comment("sgd_solution", "hw1", "hw1", "ada").auto_comment
    assert comment == (
        "sgd_step moves against the gradient. 0 of 4 points.\n"
        "\n"
        "- one step: your code raised an error\n"
        "- hidden case 1: not the expected result (steps uphill)\n"
        "- hint: look at the sign"
    )
    passed = gradebook.find_comment("conv_solution", "hw1", "hw1", "ada").auto_comment
    assert passed == "conv2d agrees with the definition. 6 of 6 points."
    assert gradebook.find_comment("proof_answer", "hw1", "hw1", "ada").auto_comment is None


def test_cells_are_what_nbgrader_itself_would_save(db, tmp_path, empty, make):
    from nbgrader.api import Gradebook
    from nbgrader.preprocessors import SaveCells

    theirs = tmp_path / "theirs.db"
    shutil.copy(empty, theirs)
    with Gradebook(f"sqlite:///{theirs}") as gradebook:
        gradebook.remove_notebook("hw1", "hw1")
    resources = {"notebook": "hw1", "assignment": "hw1", "db_url": f"sqlite:///{theirs}"}
    SaveCells().preprocess(make.release(), {"nbgrader": resources})

    def cells(path):
        with Gradebook(f"sqlite:///{path}") as gradebook:
            notebook = gradebook.find_notebook("hw1", "hw1")
            rows = [*notebook.grade_cells, *notebook.solution_cells, *notebook.source_cells]
            found = [{k: v for k, v in row.to_dict().items() if k != "id"} for row in rows]
            return notebook.kernelspec, sorted(found, key=repr)

    assert cells(db) == cells(theirs)


def test_a_cell_that_came_or_went_after_grading_is_followed(write, gradebook, make):
    write(make.result())
    release = make.release()
    release.cells[4] = make.cell("conv_extra", grade=True, locked=True, points=1)
    write(make.result(), release=release)
    assert scores(gradebook) == {
        "sgd_matches": (4.0, None, False),
        "conv_extra": (None, None, True),
        "proof_answer": (None, None, True),
    }
    assert gradebook.find_assignment("hw1").max_score == 10.0


def test_a_cell_with_manual_scores_is_not_removed(write, gradebook, db, make):
    write(make.result())
    enter(gradebook, "conv_matches", 5.0)
    before = dump(db)
    release = make.release()
    del release.cells[4]
    with pytest.raises(UsageError, match=r"'conv_matches' is no longer .* manual scores"):
        write(make.result("bo"), release=release)
    assert dump(db) == before


def test_a_class_is_written_whole_or_not_at_all(write, db, make, monkeypatch):
    from autograder.records import gradebook as module

    before = dump(db)
    original = module._scores

    def fail(manifest, result):
        if result.student == "bo":
            raise KeyboardInterrupt
        return original(manifest, result)

    monkeypatch.setattr(module, "_scores", fail)
    with pytest.raises(KeyboardInterrupt):
        write(make.result("ada"), make.result("bo"))
    assert dump(db) == before


@pytest.mark.parametrize("student", ["Zoë Müller", "..x", "'; DROP TABLE student;--", "a,b", "%"])
def test_any_student_can_be_in_it(write, gradebook, make, student):
    write(make.result(student))
    assert gradebook.find_submission("hw1", student).score == 10.0


def test_a_database_is_made_without_the_environment_on_path(tmp_path, make, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    path = tmp_path / "a ? folder #1" / "gradebook.db"
    write_gradebook(path, make.manifest, make.release(), {"ada": make.result()})
    assert os.environ["PATH"] == "/nowhere"
    assert any('INSERT INTO "alembic_version"' in line for line in dump(path))
    assert os.listdir(path.parent) == ["gradebook.db"]


def test_a_database_that_cannot_be_made_is_not_there(tmp_path, make, monkeypatch):
    from autograder.records import gradebook as module

    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(module.sysconfig, "get_path", lambda name: "/nowhere/else")
    with pytest.raises(HarnessError, match="cannot be made"):
        write_gradebook(tmp_path / "gradebook.db", make.manifest, make.release(), {})
    assert os.listdir(tmp_path) == []


def test_a_file_that_is_no_database_is_named(tmp_path, make):
    path = tmp_path / "gradebook.db"
    path.write_bytes(b"not a database, " * 100)
    with pytest.raises(HarnessError, match=r"gradebook\.db cannot be written"):
        write_gradebook(path, make.manifest, make.release(), {})
    assert path.read_bytes() == b"not a database, " * 100


def test_a_database_that_cannot_be_opened_is_let_go(tmp_path, make, monkeypatch):
    opened, connect = [], sqlite3.connect

    def remember(*args, **kwargs):
        opened.append(connect(*args, **kwargs))
        return opened[-1]

    monkeypatch.setattr("sqlite3.dbapi2.connect", remember)
    path = tmp_path / "gradebook.db"
    path.write_bytes(b"not a database, " * 100)
    with pytest.raises(HarnessError):
        write_gradebook(path, make.manifest, make.release(), {})
    assert opened
    for connection in opened:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            connection.total_changes  # noqa: B018


@pytest.mark.parametrize("fault", ["folder", "locked", "unwritable"])
def test_what_the_database_refuses_is_one_sentence(db, write, make, monkeypatch, fault):
    """Without the statement that it refused, which holds names of students."""
    if fault == "folder":
        db.unlink()
        db.mkdir()
    elif fault == "locked":
        connect = functools.partial(sqlite3.connect, timeout=0.01)
        monkeypatch.setattr("sqlite3.dbapi2.connect", connect)
        other = sqlite3.connect(db, isolation_level=None)
        other.execute("begin exclusive")
    else:
        monkeypatch.setattr(tempfile, "mkdtemp", refuse)
        db.unlink()
    with pytest.raises(HarnessError) as raised:
        write(make.result())
    said = str(raised.value)
    assert said.startswith("gradebook.db cannot be written: ")
    assert said.endswith("put that right, and run the same command again; no score is lost")
    assert [part for part in ("\n", "SELECT", "sqlalche.me", str(db.parent)) if part in said] == []
    if fault == "locked":
        other.close()


def refuse(*_, **__):
    raise OSError(errno.EROFS, "Read-only file system")


def test_two_assignments_share_a_gradebook(write, gradebook, make):
    write(make.result())
    second = msgspec.structs.replace(make.manifest, assignment="hw2")
    release = NotebookNode(make.release())
    write(make.result(assignment="hw2"), manifest=second, release=release)
    assert len(gradebook.assignments) == 2
    assert gradebook.find_submission("hw1", "ada").score == 10.0
    assert gradebook.find_submission("hw2", "ada").score == 10.0


def test_a_class_of_three_hundred_is_written_in_time(write, db, make):
    results = [make.result(f"s{n:03}") for n in range(300)]
    start = time.perf_counter()
    write(*results)
    assert time.perf_counter() - start < 20
