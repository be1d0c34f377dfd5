import errno
import functools
import os
import shutil
import sqlite3
import tempfile
import time
from datetime import datetime, timedelta

import msgspec
import pytest
from nbformat import NotebookNode
from nbgrader.api import Gradebook

from autograder.artefacts.grades import Late
from autograder.artefacts.results import Status, Verdict
from autograder.errors import HarnessError
from autograder.records import gradebook_file
from autograder.records.entries import OF_STUDENTS, WHOLE, Entry, Field, Journal, Key
from autograder.records.gradebook import write_gradebook
from autograder.records.gradebook_file import GradebookFile
from autograder.records.names import Names
from tests.warm.commands import warm

__all__ = ["warm"]

NOON, ONE = "2026-11-20 12:00:00 UTC\n", "2026-11-20 13:00:00 UTC"


@pytest.fixture(scope="module")
def empty(tmp_path_factory, make):
    """A gradebook with the assignment and nobody in it; making one starts a program of nbgrader."""
    path = tmp_path_factory.mktemp("gradebook") / "empty.db"
    write_gradebook(
        GradebookFile(path), make.manifest, make.release(), {}, Journal(path.parent / "journal")
    )
    return path


@pytest.fixture
def db(tmp_path, empty):
    return shutil.copy(empty, tmp_path / "gradebook.db")


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / "results" / "hw1")


@pytest.fixture
def write(db, make, journal):
    """Writes results of students into the gradebook."""

    def fill(*results, release=None, manifest=make.manifest, timestamps=None, late_of=None):
        by_name = {result.student: result for result in results}
        own = journal if manifest is make.manifest else Journal(db.parent / manifest.assignment)
        release = release or make.release()
        return write_gradebook(
            GradebookFile(db), manifest, release, by_name, own, timestamps, late_of
        )

    return fill


@pytest.fixture
def gradebook(db):
    """Opens the gradebook as formgrader does."""
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
        "- hidden case 1: not the expected result\n"
        "- looks like: steps uphill"
    )
    passed = gradebook.find_comment("conv_solution", "hw1", "hw1", "ada").auto_comment
    assert passed == "conv2d agrees with the definition. 6 of 6 points."
    assert gradebook.find_comment("proof_answer", "hw1", "hw1", "ada").auto_comment is None


def test_cells_are_what_nbgrader_itself_would_save(db, tmp_path, empty, make):
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


def test_what_staff_entered_for_a_cell_that_went_is_kept_and_comes_back_with_it(
    write, gradebook, journal, make
):
    write(make.result())
    enter(gradebook, "conv_matches", 5.0, None)
    release = make.release()
    del release.cells[4]
    write(make.result(), release=release)
    assert "conv_matches" not in scores(gradebook)
    assert journal.state()[Key("ada", "conv_matches", Field.SCORE)].value == 5.0
    write(make.result())
    assert scores(gradebook)["conv_matches"] == (6.0, 5.0, False)


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
    results = {"ada": make.result()}
    write_gradebook(
        GradebookFile(path), make.manifest, make.release(), results, Journal(tmp_path / "results")
    )
    assert os.environ["PATH"] == "/nowhere"
    assert any('INSERT INTO "alembic_version"' in line for line in dump(path))
    assert os.listdir(path.parent) == ["gradebook.db"]


def test_a_new_gradebook_is_made_in_one_change(tmp_path):
    """Each waits for the disk, and there are a dozen tables."""
    gradebook_file._make(tmp_path / "gradebook.db")
    made = (tmp_path / "gradebook.db").read_bytes()
    assert int.from_bytes(made[gradebook_file.CHANGES], "big") == 1


@pytest.mark.parametrize("damage", ["not a database", "a torn page", "empty", "gone", "theirs"])
def test_a_gradebook_that_is_none_is_made_again_and_loses_nothing(
    write, gradebook, db, make, damage, warm, monkeypatch
):
    write(make.result())
    enter(gradebook, "proof_answer", 3.0, "nice idea")
    gradebook.find_grade("sgd_matches", "hw1", "hw1", "ada").extra_credit = 0.5
    gradebook.find_assignment("hw1").duedate = datetime(2026, 11, 20)
    gradebook.db.commit()
    write(make.result())
    before = [line for line in dump(db) if "INSERT INTO grade " in line]
    gradebook.close()
    if damage == "gone":
        db.unlink()
    else:
        data = bytearray(db.read_bytes())
        data[4096:12288] = b"?" * 8192
        texts = {"not a database": b"not one, " * 100, "a torn page": bytes(data), "empty": b""}
        db.write_bytes(texts.get(damage, b""))
    if damage == "theirs":  # made by nbgrader, without our mark
        monkeypatch.setenv("PATH", f"{warm}{os.pathsep}{os.environ['PATH']}")  # it runs alembic
        with Gradebook(f"sqlite:///{db}") as other:
            other.add_assignment("hw1")
    written = write(make.result())
    with Gradebook(f"sqlite:///{db}") as opened:
        assert scores(opened)["proof_answer"] == (None, 3.0, False)
        assert opened.find_comment("proof_answer", "hw1", "hw1", "ada").comment == "nice idea"
        assert opened.find_submission("hw1", "ada").score == 3.0 + 4.5 + 6.0
        assert opened.find_assignment("hw1").duedate == datetime(2026, 11, 20)
    set_aside = [path for path in db.parent.iterdir() if ".damaged-" in path.name]
    is_none = damage in ("not a database", "a torn page")
    assert len(set_aside) == len(written.notes) == is_none
    assert len([line for line in dump(db) if "INSERT INTO grade " in line]) == len(before)


def test_a_gradebook_from_a_backup_gets_what_came_since_and_gives_what_is_newer(
    write, gradebook, db, journal, make, tmp_path
):
    write(make.result())
    enter(gradebook, "proof_answer", 1.0)
    write(make.result())
    shutil.copy(db, tmp_path / "backup.db")
    enter(gradebook, "proof_answer", 2.0)
    enter(gradebook, "sgd_matches", 3.5)
    write(make.result())
    shutil.copy(tmp_path / "backup.db", db)
    write(make.result())
    assert scores(gradebook)["proof_answer"] == (None, 2.0, False)
    assert scores(gradebook)["sgd_matches"] == (4.0, 3.5, False)
    shutil.copy(tmp_path / "backup.db", db)
    enter(gradebook, "proof_answer", 4.0)  # staff went on with the backup
    write(make.result())
    assert scores(gradebook)["proof_answer"] == (None, 4.0, False)
    assert scores(gradebook)["sgd_matches"] == (4.0, 3.5, False)
    values = [entry.value for entry in journal.entries() if entry.cell == "proof_answer"]
    assert values == [1.0, 2.0, 4.0]


def test_what_staff_take_back_is_taken_back(write, gradebook, journal, make):
    write(make.result())
    enter(gradebook, "sgd_matches", 2.0)
    write(make.result())
    enter(gradebook, "sgd_matches", None)
    write(make.result())
    assert scores(gradebook)["sgd_matches"] == (4.0, None, False)
    assert [entry.value for entry in journal.entries()] == [2.0, None]
    assert {entry.author for entry in journal.entries()} == {"formgrader"}


def test_other_points_of_a_cell_ask_staff_to_look_again(write, gradebook, make):
    write(make.result())
    enter(gradebook, "proof_answer", 3.0)
    release = make.release()
    (cell,) = (c for c in release.cells if c.metadata.get("nbgrader", {}).get("points") == 5)
    cell.metadata.nbgrader["points"] = 8
    written = write(make.result(), release=release)
    assert scores(gradebook)["proof_answer"] == (None, 3.0, True)
    why = "staff gave 3 of 5 points; it is worth 8 now"
    assert written.looks == {("ada", "proof_answer"): why}
    enter(gradebook, "proof_answer", 5.0)
    assert write(make.result(), release=release).looks == {}


def test_an_entry_of_the_journal_is_written(write, gradebook, journal, make):
    write(make.result())
    new = [
        Entry("ada", "sgd_matches", Field.SCORE, 1.0, "omar", "why not", automatic=4.0),
        Entry("ada", WHOLE, Field.EXTENSION, 3600.0, "omar", "ill"),
        Entry("bo", WHOLE, Field.EXTENSION, 60.0, "omar", "without a submission"),
        Entry("cy", "proof_answer", Field.SCORE, 2.0, "omar", "without one, too"),
    ]
    journal.append(new)
    write(make.result())
    assert scores(gradebook)["sgd_matches"] == (4.0, 1.0, False)
    assert gradebook.find_submission("hw1", "ada").extension == timedelta(hours=1)
    assert gradebook.find_submission("hw1", "cy").score == 2.0
    names = {one.student.id for one in gradebook.assignment_submissions("hw1")}
    assert names == {"ada", "cy"}, "an extension alone is no submission, which would be a zero"
    write(make.result(), make.result("bo"))
    assert gradebook.find_submission("hw1", "bo").extension == timedelta(minutes=1)
    assert len(journal.entries()) == 4


def test_a_late_policy_of_the_course_is_nbgraders_penalty(write, gradebook, journal, make):
    write(make.result(), late_of=lambda state, student: Late(7200.0, 1.5, "late"))
    assert gradebook.find_submission("hw1", "ada").late_submission_penalty == 1.5
    assert journal.entries() == []
    gradebook.db.expire_all()
    write(make.result(), late_of=lambda state, student: Late())
    assert not gradebook.find_submission("hw1", "ada").late_submission_penalty


def test_a_penalty_of_the_course_is_not_staffs_when_the_policy_goes(
    write, gradebook, journal, make
):
    write(make.result(), late_of=lambda state, student: Late(7200.0, 1.5, "late"))
    write(make.result())
    assert not gradebook.find_submission("hw1", "ada").late_submission_penalty
    assert journal.entries() == []


def test_a_penalty_of_nbgraders_comes_back_with_a_new_gradebook(write, db, gradebook, make):
    write(make.result())
    gradebook.find_submission_notebook("hw1", "hw1", "ada").late_submission_penalty = 2.0
    gradebook.db.commit()
    write(make.result())
    gradebook.close()
    db.unlink()
    write(make.result())
    with Gradebook(f"sqlite:///{db}") as opened:
        assert opened.find_submission("hw1", "ada").late_submission_penalty == 2.0


def test_a_penalty_of_nbgraders_is_kept(write, gradebook, journal, make):
    write(make.result())
    gradebook.find_submission_notebook("hw1", "hw1", "ada").late_submission_penalty = 2.0
    gradebook.db.commit()
    write(make.result())
    assert journal.state()[Key("ada", WHOLE, Field.PENALTY)].value == 2.0
    assert gradebook.find_submission("hw1", "ada").late_submission_penalty == 2.0


@pytest.mark.parametrize("fault", ["folder", "locked", "unwritable"])
def test_what_the_database_refuses_is_one_sentence(db, write, make, monkeypatch, fault):
    """Without the statement that it refused, which holds names of students."""
    if fault == "folder":
        db.unlink()
        db.mkdir()
    elif fault == "locked":
        connect = functools.partial(sqlite3.connect, timeout=0.01)
        other = sqlite3.connect(db, isolation_level=None)
        monkeypatch.setattr("sqlite3.dbapi2.connect", connect)  # SQLAlchemy's
        monkeypatch.setattr("sqlite3.connect", connect)
        other.execute("begin exclusive")
    else:
        monkeypatch.setattr(tempfile, "mkdtemp", refuse)
        db.unlink()
    with pytest.raises(HarnessError) as raised:
        write(make.result())
    said = str(raised.value)
    assert said.startswith(
        "gradebook.db cannot be " + ("made" if fault == "unwritable" else "written")
    )
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


def test_names_of_the_roster_go_where_the_gradebook_has_none(db, gradebook, journal, make):
    said = {"ada": ("Amara", "Okafor", "a@x.org", "17"), "bo": ("Bo", "", "", "")}
    listed = {name: dict(zip(OF_STUDENTS, columns, strict=True)) for name, columns in said.items()}
    names = Names(Journal(db.parent / "names"), lambda student, field: listed[student][field])
    results = {name: make.result(name) for name in ("ada", "bo")}
    given = (GradebookFile(db), make.manifest, make.release(), results, journal)
    write_gradebook(*given, names=names)
    ada = gradebook.find_student("ada")
    assert (ada.first_name, ada.last_name, ada.email, ada.lms_user_id) == (
        "Amara",
        "Okafor",
        "a@x.org",
        "17",
    )
    ada.first_name = "Amy"
    gradebook.db.commit()
    write_gradebook(*given, names=names)
    gradebook.db.expire_all()
    assert gradebook.find_student("ada").first_name == "Amy", "what staff entered there stays"


def test_a_larger_class_takes_no_more_statements(write, make):
    from sqlalchemy import Engine, event

    def statements(first, last):
        said = []

        def hear(connection, cursor, statement, *more):
            said.append(statement)

        event.listen(Engine, "before_cursor_execute", hear)
        try:
            write(*(make.result(f"s{n:03}") for n in range(first, last)))
        finally:
            event.remove(Engine, "before_cursor_execute", hear)
        return len(said)

    assert statements(0, 1) == statements(1, 60)


def test_what_is_compiled_for_one_gradebook_is_not_compiled_for_another(write, make, db, empty):
    write(make.result("ada"))
    compiled = len(gradebook_file._statements())
    shutil.copy(empty, db)
    write(make.result("grace"))
    assert len(gradebook_file._statements()) == compiled > 10
