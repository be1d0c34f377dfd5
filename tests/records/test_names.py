"""Names that staff typed into nbgrader outlive the gradebook, and go with who withdraws."""

import shutil

import pytest
from nbgrader.api import Gradebook

from autograder.course import Course
from autograder.records.entries import Journal
from autograder.records.gradebook import write_gradebook
from autograder.records.gradebook_file import GradebookFile
from autograder.records.names import kept_names, names_journal
from autograder.records.roster import Student, names_beside, read_roster


@pytest.fixture
def course(tmp_path):
    return Course(tmp_path)


@pytest.fixture
def write(course, make):
    """Writes a result of ada's into the gradebook of the course."""

    def write():
        given = GradebookFile(course.gradebook), make.manifest, make.release()
        journal, results = Journal(course.results("hw1")), {"ada": make.result("ada")}
        write_gradebook(*given, results, journal, names=names_beside(course))

    return write


def opened(course):
    return Gradebook(f"sqlite:///{course.gradebook}")


def names(course):
    with opened(course) as gradebook:
        found = {one.id: (one.first_name, one.email) for one in gradebook.students}
    return {student: said for student, said in found.items() if any(said)}


@pytest.fixture
def typed(course, write):
    """A gradebook into which staff typed the names of two students."""
    write()
    with opened(course) as gradebook:
        gradebook.add_student("ann", first_name="Ann", email="ann@x")
        gradebook.update_or_create_student("ada", first_name="Ada")
    write()


@pytest.mark.usefixtures("typed")
def test_a_deleted_gradebook_gets_them_again(course, write):
    before = names(course)
    assert before == {"ann": ("Ann", "ann@x"), "ada": ("Ada", None)}
    course.gradebook.unlink()
    roster = read_roster(course)
    assert roster.get("ann") == Student("ann", "Ann", email="ann@x")
    assert roster.complete
    write()
    assert names(course) == before


@pytest.mark.usefixtures("typed")
def test_what_is_typed_later_counts_and_a_backup_takes_nothing_back(course, write, tmp_path):
    shutil.copy(course.gradebook, tmp_path / "backup.db")
    with opened(course) as gradebook:
        gradebook.update_or_create_student("ann", first_name="Anne")
    write()
    shutil.copy(tmp_path / "backup.db", course.gradebook)
    write()
    assert names(course)["ann"] == ("Anne", "ann@x")


@pytest.mark.usefixtures("typed")
def test_who_is_taken_out_of_the_gradebook_stays_out(course, write):
    with opened(course) as gradebook:
        gradebook.remove_student("ann")
        gradebook.update_or_create_student("ada", first_name=None)
    write()
    assert names(course) == {}
    course.gradebook.unlink()
    write()
    assert names(course) == {}
    assert read_roster(course).get("ann") is None


def test_what_the_roster_says_is_kept_there_alone(course, write):
    (course.root / "roster.csv").write_text("student,first_name\nada,Ada\n")
    write()
    with opened(course) as gradebook:
        gradebook.update_or_create_student("ada", first_name="Augusta", email="a@x")
    write()
    assert kept_names(names_journal(course)) == {"ada": {"email": "a@x"}}
    assert read_roster(course).get("ada") == Student("ada", "Ada", email="a@x")


@pytest.mark.usefixtures("typed")
def test_who_is_forgotten_leaves_no_name(course):
    journal = names_journal(course)
    assert journal.forget("ann", "omar")
    assert not journal.forget("ann", "omar")
    text = (course.root / "results" / "names.jsonl").read_text()
    assert "ann@x" not in text
    assert "Ann" not in text
    assert (journal.entries()[-1].author, journal.entries()[-1].why) == ("omar", "withdrawn")
    assert kept_names(journal) == {"ada": {"first_name": "Ada"}}


@pytest.mark.usefixtures("typed")
def test_writing_again_keeps_nothing_twice(course, write):
    before = (course.root / "results" / "names.jsonl").read_bytes()
    write()
    write()
    assert (course.root / "results" / "names.jsonl").read_bytes() == before
