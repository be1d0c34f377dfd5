"""The gradebook on a PostgreSQL server is what the file is: a function of results and entries."""

import sys
from datetime import datetime

import pytest
from nbgrader.api import Gradebook

from autograder.errors import HarnessError
from autograder.records.entries import WHOLE, Entry, Field, Journal, Key
from autograder.records.gradebook import forget_in_gradebook, write_gradebook
from autograder.records.gradebook_server import GradebookServer, url_for_nbgrader
from autograder.records.names import Names, kept_names
from tests.postgresql import Server, server

__all__ = ["Server", "server"]


@pytest.fixture
def url(server):
    return server.new()


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / "results" / "hw1")


@pytest.fixture
def write(url, make, journal):
    """Writes results of students into the gradebook."""

    def fill(*results, **more):
        given = GradebookServer(url), make.manifest, make.release()
        return write_gradebook(*given, {one.student: one for one in results}, journal, **more)

    return fill


def scores(url, student="ada"):
    with Gradebook(url_for_nbgrader(url)) as gradebook:
        notebook = gradebook.find_submission_notebook("hw1", "hw1", student)
        return {grade.name: (grade.auto_score, grade.manual_score) for grade in notebook.grades}


def enter(url, score):
    """Do what formgrader does when staff score a cell."""
    with Gradebook(url_for_nbgrader(url)) as gradebook:
        grade = gradebook.find_grade("proof_answer", "hw1", "hw1", "ada")
        grade.manual_score, grade.needs_manual_grade = score, False
        gradebook.db.commit()


def test_an_empty_database_is_made_a_gradebook_and_written_twice_stays_the_same(url, write, make):
    names = {"ada": "2026-11-20 12:00:00 UTC"}
    results = make.result("ada"), make.result("zo\xe9", make.sgd(earned=1.5)), make.unreadable("cy")
    assert GradebookServer(url).digest() == ""
    written = write(*results, timestamps=names)
    wanted = {"sgd_matches": (4.0, None), "conv_matches": (6.0, None), "proof_answer": (None, None)}
    assert scores(url) == wanted
    assert scores(url, "zo\xe9")["sgd_matches"] == (1.5, None)
    assert written.left == GradebookServer(url).digest() != ""
    again = write(*results, timestamps=names)
    assert again.before == again.left == written.left
    ((version,),) = GradebookServer(url).read("select version_num from alembic_version")
    assert version


def test_staffs_entries_go_both_ways_and_outlive_the_database(
    server, url, write, journal, make, tmp_path
):
    names = Names(Journal(tmp_path / "results", "names.jsonl"), lambda student, field: "")
    write(make.result(), names=names)
    enter(url, 3.0)
    with Gradebook(url_for_nbgrader(url)) as gradebook:
        gradebook.find_assignment("hw1").duedate = datetime(2026, 11, 20)
        gradebook.add_student("ann", first_name="Ann")
    write(make.result(), names=names)
    assert journal.state()[Key("ada", "proof_answer", Field.SCORE)].value == 3.0
    assert kept_names(names.journal) == {"ann": {"first_name": "Ann"}}
    name = url.partition("?")[0].rpartition("/")[2]
    server.say(f"DROP DATABASE {name}")
    server.say(f"CREATE DATABASE {name}")
    write(make.result(), names=names)
    assert scores(url)["proof_answer"] == (None, 3.0)
    with Gradebook(url_for_nbgrader(url)) as gradebook:
        assert gradebook.find_assignment("hw1").duedate == datetime(2026, 11, 20)
        assert gradebook.find_student("ann").first_name == "Ann"
    enter(url, None)
    write(make.result(), names=names)
    assert [entry.value for entry in journal.entries() if entry.field is Field.SCORE] == [3.0, None]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE grade SET extra_credit = 1 WHERE auto_score = 4",
        "UPDATE grade SET extra_credit = extra_credit",
        "DELETE FROM comment",
        "DELETE FROM alembic_version; INSERT INTO alembic_version VALUES ('other')",
        "INSERT INTO student VALUES ('eve')",
        "DROP SCHEMA public CASCADE; CREATE SCHEMA public",
    ],
)
def test_whatever_somebody_else_changes_is_another_state(server, url, write, make, change):
    left = write(make.result()).left
    assert GradebookServer(url).digest() == left
    server.say(change, url)
    assert GradebookServer(url).digest() != left


def test_a_database_of_something_else_is_left_as_it_is(server, url, write, make):
    server.say("CREATE TABLE film (title text); CREATE TABLE actor (name text)", url)
    before = GradebookServer(url).digest()
    with pytest.raises(HarnessError) as raised:
        write(make.result())
    name = url.partition("?")[0].rpartition("/")[2]
    assert str(raised.value) == (
        f"the gradebook '{name}' on this machine is no gradebook of nbgrader's, and is left as it "
        "is: it has the tables actor, film; name an empty database in [gradebook] of course.toml"
    )
    assert GradebookServer(url).digest() == before


def test_what_is_in_use_is_one_sentence_and_written_later(server, url, write, make, monkeypatch):
    import psycopg

    write()
    monkeypatch.setattr("autograder.records.gradebook_server.LOCK_SECONDS", 0.05)
    with psycopg.connect(url) as other:
        other.execute("INSERT INTO student VALUES ('eve')")
        with pytest.raises(HarnessError, match="cannot be written: canceling statement due to loc"):
            write(make.result())
    write(make.result())
    assert scores(url)["sgd_matches"] == (4.0, None)


def test_a_student_goes_from_it_whole(url, write, make):
    write(make.result("ada"), make.result("bo"))
    forget_in_gradebook(GradebookServer(url), "ada", ["hw1"])
    assert GradebookServer(url).read("select id from student") == [("bo",)]
    query = "select count(*) from grade where auto_score > ?::text::float"
    assert GradebookServer(url).read(query, "0") == [(2,)]


def test_a_name_that_it_cannot_hold_keeps_nobody_else_out(url, write, make, tmp_path):
    long = "x" * 129
    names = Names(Journal(tmp_path / "names"), lambda student, field: "A" * 200)
    written = write(make.result("ada"), make.result(long), names=names)
    typed = [Entry(who, WHOLE, Field.FIRST_NAME, long, "omar") for who in (long, "bo")]
    names.journal.append(typed)  # in another database, which does not count
    assert len(written.notes) == 1
    write(make.result("ada"), make.result("bo"), names=names)
    assert written.notes[0].endswith(
        "is not in the gradebook: a name there has at most 128 letters"
    )
    assert scores(url)["sgd_matches"] == (4.0, None)


def test_a_server_that_is_not_there_is_one_sentence(tmp_path, write, make):
    nowhere = GradebookServer(f"postgresql://staff:hush@/grades?host={tmp_path}")
    assert nowhere.digest() == ""
    for ask in (lambda: nowhere.read("select 1"), lambda: nowhere.opened([]).__enter__()):
        with pytest.raises(HarnessError) as raised:
            ask()
        said = str(raised.value)
        assert said.startswith("the gradebook 'grades' on this machine cannot be reached: conn")
        assert said.endswith("put that right, and run the same command again; no score is lost")
        assert "hush" not in said
        assert "\n" not in said


def test_a_missing_driver_says_what_to_install(url, monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(HarnessError) as raised:
        GradebookServer(url).read("select 1")
    assert str(raised.value).endswith(
        "cannot be reached: psycopg is not installed here; run: python -m pip install "
        "'notebook-autograder[postgres]'"
    )
