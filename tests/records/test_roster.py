"""Who is who, and when nobody can say."""

import functools
import sqlite3
from contextlib import closing

import pytest

from autograder.course import Course
from autograder.errors import HarnessError, UsageError
from autograder.records.roster import Clues, Roster, Student, read_roster

ADA = Student("ada", "Ada", "Lovelace", "ada@example.edu", "11")
JOSE = Student("jose", "José", "Núñez-Ørsted", "jn@example.edu", "22", canvas_id="9022")
TWINS = Student("kim1", "Kim", "Lee"), Student("kim2", "Kim", "Lee")
ROSTER = Roster((ADA, JOSE, *TWINS), complete=True)


@pytest.mark.parametrize(
    "name",
    [
        "Ada Lovelace",
        "LOVELACE, ada",
        "lovelaceada",
        "Lovelace Ada",
        " ada  lovelace ",
    ],
)
def test_a_name_fits_in_any_order_and_case(name):
    assert ROSTER.find(Clues("x", names=(name,))).student == ADA


@pytest.mark.parametrize(
    "name",
    [
        "núñezørstedjosé",
        "Jose Nunez-Orsted",
        "NÚÑEZ-ØRSTED, JOSÉ",
        "Nu\u0301n\u0303ez Orsted, Jose",
    ],
)
def test_accents_and_signs_of_a_name_do_not_matter(name):
    assert ROSTER.find(Clues("x", names=(name,))).student == JOSE


@pytest.mark.parametrize("login", ["ada", "ADA", "ada@example.edu", "11"])
def test_a_login_an_address_and_a_number_fit(login):
    assert ROSTER.find(Clues("x", logins=(login,))).student == ADA


def test_the_first_part_of_an_address_is_a_login_where_nobody_else_has_it():
    assert ROSTER.find(Clues("x", logins=("jn",))).student == JOSE
    taken = Roster((*ROSTER.students, Student("jn")))
    assert taken.find(Clues("x", logins=("jn",))).student == Student("jn")


def test_a_canvas_number_is_that_of_canvas_where_it_is_known():
    assert ROSTER.find(Clues("x", canvas_ids=("9022",))).student == JOSE
    assert ROSTER.find(Clues("x", canvas_ids=("11",))).student == ADA
    assert ROSTER.find(Clues("x", canvas_ids=("22",))).is_unknown


def test_two_of_one_name_are_nobody_unless_another_clue_tells():
    match = ROSTER.find(Clues("x", names=("Lee, Kim",)))
    assert match.student is None
    assert match.candidates == ("kim1", "kim2")
    assert "several students have that name" in match.reason
    assert ROSTER.find(Clues("x", logins=("kim2",), names=("Lee, Kim",))).student == TWINS[1]


def test_clues_of_different_students_are_nobodys():
    match = ROSTER.find(Clues("x", logins=("ada",), names=("José Núñez-Ørsted",)))
    assert match.student is None
    assert not match.agreed
    assert match.candidates == ("ada", "jose")


@pytest.mark.parametrize("clues", [Clues("x"), Clues("x", names=("",)), Clues("x", logins=("",))])
def test_nothing_fits_nobody(clues):
    assert ROSTER.find(clues).is_unknown


@pytest.fixture
def course(tmp_path):
    return Course(tmp_path)


def test_columns_come_in_any_order_and_case_and_others_are_passed_over(course):
    text = "\ufeffE-Mail;EMAIL;Last Name;STUDENT;Group\nx;ada@example.edu;Lovelace;ada;3\n;;;;\n"
    (course.root / "roster.csv").write_text(text, encoding="utf-8")
    roster = read_roster(course)
    assert roster.students == (Student("ada", last_name="Lovelace", email="ada@example.edu"),)
    assert roster.complete
    assert roster.get("ada") is roster.students[0]
    assert roster.get("eve") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,email\n", "must name a column 'student'"),
        ("", "must name a column 'student'"),
        ("student\nada\n\nada\n", "line 4: the student 'ada' has two rows"),
        ("student\n../eve\n", "line 2: '../eve' cannot be the name"),
        ("student,email\n,a@b\n", "line 2: '' cannot be the name"),
        ("student\n.hidden\n", "line 2"),
        ('student\n"a\nb"\n', "cannot be the name"),
        ("student\nada\\x\n", "cannot be the name"),
    ],
)
def test_a_wrong_roster_is_refused_with_its_line(course, text, said):
    (course.root / "roster.csv").write_text(text)
    with pytest.raises(UsageError, match=r"roster\.csv") as error:
        read_roster(course)
    assert said in str(error.value)


def test_a_roster_that_is_not_utf_8_is_refused(course):
    (course.root / "roster.csv").write_bytes("student,name\njosé,x\n".encode("latin-1"))
    with pytest.raises(UsageError, match="is not UTF-8"):
        read_roster(course)


def test_without_file_and_gradebook_there_is_nobody(course):
    assert read_roster(course) == Roster()


def gradebook(course, *students):
    """Write a gradebook with nbgrader's own tables."""
    from nbgrader.api import Base
    from nbgrader.api import Student as Row
    from sqlalchemy import create_engine
    from sqlalchemy.orm import Session

    engine = create_engine(f"sqlite:///{course.gradebook}")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([Row(**student) for student in students])
        session.commit()
    engine.dispose()


def test_the_gradebook_fills_the_gaps_of_the_file_and_is_left_alone(course):
    ada = {"id": "ada", "first_name": "Augusta", "email": "a@b", "lms_user_id": "7"}
    gradebook(course, ada, {"id": "bob"})
    (course.root / "roster.csv").write_text("student,first_name,last_name\nada,Ada,Lovelace\n")
    before = course.gradebook.read_bytes()
    assert read_roster(course).students == (
        Student("ada", "Ada", "Lovelace", "a@b", "7"),
        Student("bob"),
    )
    assert course.gradebook.read_bytes() == before


def test_students_that_grading_entered_make_no_roster(course):
    gradebook(course, {"id": "bob"})
    roster = read_roster(course)
    assert roster.students == (Student("bob"),)
    assert not roster.complete


@pytest.mark.parametrize("data", [b"no database", b"", b"SQLite format 3\0" + 4000 * b"?"])
def test_a_gradebook_that_is_none_knows_nobody(course, data):
    """Whoever writes into it next makes it anew."""
    course.gradebook.write_bytes(data)
    assert read_roster(course).students == ()


def test_a_gradebook_in_use_is_said(course, monkeypatch):
    connect = functools.partial(sqlite3.connect, timeout=0.01)
    with closing(sqlite3.connect(course.gradebook, isolation_level=None)) as other:
        other.execute("create table student (id)")
        other.execute("begin exclusive")
        monkeypatch.setattr("sqlite3.connect", connect)
        with pytest.raises(HarnessError, match=r"gradebook\.db is in use: database is locked"):
            read_roster(course, strict=True)
        assert read_roster(course).students == ()


NFC, NFD = "zo\xe9", "zoe\u0301"


@pytest.mark.parametrize(
    ("folders", "entered", "called"),
    [
        ([], [], NFC),
        ([NFD], [], NFD),
        ([NFC], [NFD], NFC),
        ([NFD], [NFC], NFD),
        ([NFD, NFC], [], NFC),
        ([], [NFD], NFD),
        ([], [NFD, NFC], NFC),
    ],
)
def test_a_student_is_one_however_an_accent_is_written_and_called_as_the_folder(
    course, folders, entered, called
):
    (course.root / "roster.csv").write_text(f"student,email\n{NFC},z@b\nada,a@b\n", "utf-8")
    for name in folders:
        (course.root / "submitted" / name / "hw1").mkdir(parents=True)
    if entered:
        gradebook(course, *({"id": name, "first_name": "Zoé"} for name in entered))
    roster = read_roster(course)
    zoe = Student(called, "Zoé" if entered else "", email="z@b")
    assert roster.students == (Student("ada", email="a@b"), zoe)
    for name in (NFC, NFD):
        assert roster.get(name) == zoe
        assert roster.find(Clues("x", logins=(name,))).student == zoe
