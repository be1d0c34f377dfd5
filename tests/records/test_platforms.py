"""Sheets of learning platforms: filled where they must be, and otherwise as they came."""

import csv
import io

import msgspec
import pytest

from autograder.artefacts.grades import Late, grade_of
from autograder.artefacts.results import Status
from autograder.errors import UsageError
from autograder.records.exporters import EXPORTERS
from autograder.records.exporting import Wanted
from autograder.records.roster import Roster, Student
from autograder.records.sheets import read_sheet

ROSTER = Roster(
    (
        Student("ada", "Ada", "Lovelace", "ada@example.org", "901", "31", "7001", "alovelace"),
        Student("bo", "Bo", "Li", "bo@example.org", "902", "32", "7002", ""),
        Student("zoë", "Zoë", "Müller", "zoe@example.org", "903", "33", "7003", "zmueller"),
    ),
    complete=True,
)
MOODLE = (
    "Identifier,Full name,Email address,Status,Grade,Maximum grade,Grade can be changed,"
    "Last modified (submission),Last modified (grade),Feedback comments\n"
    'Participant 7001,"Lovelace, Ada",ada@example.org,Submitted for grading,,15.00,Yes,'
    '"Tuesday, 3 November 2026, 9:12 AM",-,\n'
    "Participant 7002,Bo Li,bo@example.org,No submission,3.00,15.00,Yes,-,-,\n"
    "Participant 7003,=Zoë Müller,zoe@example.org,Submitted,,15.00,Yes,-,-,\n"
)
MOODLE_DE = (
    "ID;Vollständiger Name;E-Mail-Adresse;Status;Bewertung;Bestwertung;"
    "Bewertung kann geändert werden;Zuletzt geändert (Abgabe);Zuletzt geändert (Bewertung)\r\n"
    "Teilnehmer/in7001;Ada Lovelace;ada@example.org;Zur Bewertung abgegeben;;15,00;Ja;-;-\r\n"
    "Teilnehmer/in7002;Bo Li;bo@example.org;Keine Abgabe;10,00;15,00;Ja;-;-\r\n"
    "Teilnehmer/in7003;Zoë Müller;zoe@example.org;Abgegeben;-;15,00;Ja;-;-\r\n"
)
MOODLE_JA = (
    "識別子,氏名,メールアドレス,ステータス,評点,最大評点,評点変更可否\r\n"
    "参加者7001,Ada Lovelace,ada@example.org,提出済み,,15.00,Yes\r\n"
)
BLACKBOARD = (
    '"Last Name"\t"First Name"\t"Username"\t"Student ID"\t"Availability"\t'
    '"Weighted Total [Total Pts: 0 Percentage] |5550"\t"Homework 1 [Total Pts: 15 Score] |5551"\n'
    '"Lovelace"\t"Ada"\t"alovelace"\t"901"\t"Yes"\t""\t""\n'
    '"Li"\t"Bo"\t"bo"\t"902"\t"Yes"\t""\t"In Progress(3.00)"\n'
    '"Müller"\t"Zoë ""Z"""\t"zmueller"\t"903"\t"Yes"\t""\t"2"\n'
)
CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Homework 1 (4711),Quiz (4712),Current Score\n"
    "    Points Possible,,,,,15.0,5.0,(read only)\n"
    '"Lovelace, Ada",31,901,ada,"S 1",,4,\n'
    '"Li, Bo",32,902,bo,S 1,EX,5,\n'
    '"Müller, Zoë",33,903,zmueller,S 1,7,1,\n'
    '"Student, Test",99,,e0c1,S 1,,,\n'
)


@pytest.fixture
def whole(make):
    """Make grades of which nothing is open."""

    def whole(student, earned=4.0, penalty=0.0):
        parts = make.sgd(earned=earned), make.conv(), make.proof(2.25, Status.GRADED)
        result = make.result(student, *parts, status=Status.GRADED)
        return grade_of(make.manifest, student, result, late=Late(penalty=penalty))

    return whole


@pytest.fixture
def fill(make, whole, tmp_path):
    """Export to a platform: the file that is written, and the problems."""

    def fill(to, sheet=None, students=(), roster=ROSTER, column=None, grades=None):
        path = None
        if sheet is not None:
            path = tmp_path / "sheet.csv"
            path.write_bytes(sheet if isinstance(sheet, bytes) else sheet.encode())
        if grades is None:
            grades = {student: whole(student) for student in students}
        wanted = Wanted([(make.manifest, grades)], roster, path, column)
        exported = EXPORTERS[to].export(wanted)
        (data,) = exported.files.values()
        return data, list(exported.problems)

    return fill


def rows(data, delimiter=",", encoding="utf-8"):
    return list(csv.reader(io.StringIO(data.decode(encoding), newline=""), delimiter=delimiter))


@pytest.mark.parametrize("to", ["moodle", "blackboard"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_filled_sheet_differs_in_the_cells_of_grades_alone(fill, to, encoding, delimiter, end):
    sheet = {"moodle": MOODLE, "blackboard": BLACKBOARD}[to]
    table = list(csv.reader(io.StringIO(sheet), delimiter="," if to == "moodle" else "\t"))
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter, lineterminator=end).writerows(table)
    before = buffer.getvalue().encode(encoding)
    after, problems = fill(to, before, ["ada", "zoë"])
    assert problems == []
    column = 4 if to == "moodle" else 6
    for row in (1, 3):
        table[row][column] = "12.25"
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter, lineterminator=end).writerows(table)
    assert after == buffer.getvalue().encode(encoding)
    assert fill(to, after, ["ada", "zoë"])[0] == after


def test_what_nobody_would_write_so_stays_byte_for_byte(fill):
    odd = MOODLE.replace("Bo Li", ' "B"o; Li ').replace("Yes,-,-,\n", 'Yes,"-" ,,"a\r\n""b"""\r')
    after, _ = fill("moodle", odd, ["ada"])
    assert after.decode() == odd.replace("grading,,", "grading,12.25,")


def test_a_sheet_in_no_unicode_is_filled_too(fill):
    after, problems = fill("moodle", MOODLE_DE.encode("latin-1"), ["zoë"])
    assert problems == []
    assert after == MOODLE_DE.replace("geben;-;15", "geben;12,25;15").encode("latin-1")


def test_headings_are_translated_and_commas_are_decimal(fill):
    after, problems = fill("moodle", MOODLE_DE, ["ada", "bo"])
    assert problems == []
    assert [row[4] for row in rows(after, ";")] == ["Bewertung", "12,25", "12,25", "-"]
    after, problems = fill("moodle", MOODLE_JA, ["ada"])
    assert problems == []
    assert rows(after)[1][4] == "12.25"


def test_a_decimal_comma_is_in_quotes_where_commas_part_cells(fill):
    sheet = MOODLE.replace("15.00", '"15,00"').replace("3.00", '"3,00"')
    after, _ = fill("moodle", sheet, ["ada", "bo"])
    assert '"12,25"' in after.decode()
    assert [row[4] for row in rows(after)] == ["Grade", "12,25", "12,25", ""]


def test_an_open_grade_leaves_the_cell_as_it_was(fill, make):
    grades = {s: grade_of(make.manifest, s, make.result(s)) for s in ("ada", "bo", "zoë")}
    assert fill("moodle", MOODLE, grades=grades) == (MOODLE.encode(), [])
    assert fill("blackboard", BLACKBOARD, grades=grades) == (BLACKBOARD.encode(), [])
    kept = [row[:6] for row in rows(CANVAS.encode())]
    assert rows(fill("canvas", CANVAS, grades=grades)[0]) == kept
    assert [row[5] for row in rows(fill("canvas", grades=grades)[0])[2:]] == ["", "", ""]


def test_the_grade_has_its_penalty_and_a_zero_is_one(fill, whole, make):
    late = {"ada": whole("ada", penalty=2.0), "bo": whole("bo", penalty=20.0)}
    assert [row[4] for row in rows(fill("moodle", MOODLE, grades=late)[0])][1:3] == ["10.25", "0"]


@pytest.mark.parametrize("to", ["moodle", "blackboard", "canvas"])
def test_who_has_no_row_is_told_and_nobody_else_gets_the_grade(fill, to):
    sheet = {"moodle": MOODLE, "blackboard": BLACKBOARD, "canvas": CANVAS}[to]
    after, problems = fill(to, sheet, ["ada", "\x1bcy"])
    assert problems == [r"\x1bcy has no row in sheet.csv, and is left out"]
    assert after.decode().count("12.25") == 1


def test_two_rows_of_one_student_are_told_and_left(fill):
    sheet = MOODLE + "Participant 9,Bo Li,ada@example.org,Submitted,,15.00,Yes,-,-,\n"
    sheet = sheet.replace("Bo Li,ada", "Ada Lovelace,ada")
    after, problems = fill("moodle", sheet, ["ada"])
    assert (after, problems) == (
        sheet.encode(),
        ["ada has 2 rows in sheet.csv, and is left out"],
    )


def test_a_row_that_fits_several_students_is_nobodys(fill):
    sheet = MOODLE.replace("Bo Li,bo@example.org", "Bo Li,zoe@example.org")
    after, problems = fill("moodle", sheet, ["bo"])
    assert after == sheet.encode()
    (problem,) = problems
    assert problem.startswith("bo has no row in sheet.csv, and is left out: of one row, ")
    assert "bo, zoë" in problem


def test_who_is_in_no_roster_is_known_by_the_folder(fill):
    nobody = Roster()
    after, problems = fill("moodle", MOODLE, ["ada@example.org", "cy"], nobody)
    assert rows(after)[1][4] == "12.25"
    assert problems == ["cy has no row in sheet.csv, and is left out"]
    after, problems = fill("blackboard", BLACKBOARD, ["zmueller"], nobody)
    assert (rows(after, "\t")[3][6], problems) == ("12.25", [])
    after, problems = fill("canvas", CANVAS, ["zmueller"], nobody)
    assert (rows(after)[4][5], problems) == ("12.25", [])


def test_other_points_than_ours_are_told(fill):
    for to, sheet in (
        ("moodle", MOODLE.replace("15.00", "100.00")),
        ("blackboard", BLACKBOARD.replace("Pts: 15", "Pts: 100")),
        ("canvas", CANVAS.replace("15.0", "100")),
    ):
        (problem,) = fill(to, sheet, ["ada"])[1]
        assert problem.startswith("sheet.csv says 100 points for hw1, which has 15"), to


def test_a_column_that_is_not_found_is_named_by_its_heading(fill):
    two = MOODLE.replace("Maximum grade,", "Maximum grade,Old,Maximum,").replace(
        "15.00,", "15.00,2.00,15.00,"
    )
    with pytest.raises(UsageError, match=r"no one column for the grade; name it by --grade-column"):
        fill("moodle", two, ["ada"])
    assert rows(fill("moodle", two, ["ada"], column="grade")[0])[1][4] == "12.25"
    assert rows(fill("moodle", two, ["ada"], column="Old")[0])[1][6] == "12.25"
    with pytest.raises(UsageError, match="called Nothing; name it by"):
        fill("moodle", two, ["ada"], column="Nothing")
    other = BLACKBOARD.replace("Homework 1", "HA 1")
    with pytest.raises(UsageError, match=r"there are: Weighted Total .*\|5550, HA 1 .*\|5551"):
        fill("blackboard", other, ["ada"])
    for heading in ("HA 1", "ha 1 [Total Pts: 15 Score] |5551"):
        assert rows(fill("blackboard", other, ["ada"], column=heading)[0], "\t")[1][6] == "12.25"


@pytest.mark.parametrize("to", ["moodle", "blackboard", "canvas"])
@pytest.mark.parametrize("sheet", ["", "one\ntwo\n", "a,b\n1,2\n", b"PK\3\4,\0\0,", b"\xff\xfea"])
def test_what_is_no_sheet_of_the_platform_is_refused(fill, to, sheet):
    with pytest.raises(UsageError, match=r"sheet\.csv is no"):
        fill(to, sheet, ["ada"])


def test_a_sheet_that_is_not_there_is_wrong_usage(tmp_path):
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        read_sheet(tmp_path / "none.csv")


def test_canvas_gets_the_columns_that_name_students_and_the_assignment_alone(fill):
    """Other columns may be older than what Canvas has by now."""
    after, problems = fill("canvas", CANVAS, ["ada", "bo", "zoë"])
    assert problems == []
    assert rows(after) == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Homework 1 (4711)"],
        ["    Points Possible", "", "", "", "", "15.0"],
        ["Lovelace, Ada", "31", "901", "ada", "S 1", "12.25"],
        ["Li, Bo", "32", "902", "bo", "S 1", "EX"],  # excused stays excused
        ["Müller, Zoë", "33", "903", "zmueller", "S 1", "12.25"],
        ["Student, Test", "99", "", "e0c1", "S 1", ""],
    ]
    assert '"S 1"' in after.decode()
    assert fill("canvas", after, ["ada", "bo", "zoë"])[0] == after


def test_canvas_makes_no_new_assignment_of_a_sheet(fill):
    with pytest.raises(UsageError, match=r"there are: Homework 2 \(4711\), Quiz \(4712\)"):
        fill("canvas", CANVAS.replace("Homework 1", "Homework 2"), ["ada"])


def test_without_a_sheet_canvas_gets_who_is_in_the_roster(fill):
    after, problems = fill("canvas", students=["ada", "zoë", "cy"], column="Homework 1 (4711)")
    assert problems == ["cy is not in the roster, and is left out"]
    assert rows(after) == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Homework 1 (4711)"],
        ["    Points Possible", "", "", "", "", "15"],
        ["Lovelace, Ada", "31", "", "ada", "", "12.25"],
        ["Müller, Zoë", "33", "", "zoë", "", "12.25"],
    ]
    with pytest.raises(UsageError, match="knows students by a roster"):
        fill("canvas", students=["ada"], roster=Roster())


def test_a_name_that_is_a_formula_is_text_in_a_table_of_ours(fill):
    roster = Roster((Student("ada", "=1+1", "+cmd|' /C calc'!A0", canvas_id="31"),))
    assert rows(fill("canvas", students=["ada"], roster=roster)[0])[2][0].startswith("'+cmd")
    after, _ = fill("moodle", MOODLE, ["zoë"])
    assert "=Zoë Müller" in after.decode(), "Moodle's own cells stay"


def test_a_sheet_of_the_class_holds_several_assignments(make, whole, tmp_path):
    path = tmp_path / "sheet.csv"
    path.write_text(CANVAS)
    other = msgspec.structs.replace(make.manifest, assignment="quiz", title="Quiz")
    classes = [(one, {"ada": whole("ada")}) for one in (make.manifest, other)]
    exported = EXPORTERS["canvas"].export(Wanted(classes, ROSTER, path))
    (data,) = exported.files.values()
    assert rows(data)[2][5:] == ["12.25", "12.25"]
    assert exported.problems == (
        "sheet.csv says 5 points for quiz, which has 15; grades are filled in as they are",
    )
    same = msgspec.structs.replace(other, assignment="hw2", title="Homework 1")
    with pytest.raises(UsageError, match=r"hw1 and hw2 have the same column in sheet\.csv; "):
        EXPORTERS["canvas"].export(Wanted([classes[0], (same, {})], ROSTER, path))


def test_a_row_whose_end_is_left_out_is_filled_too(fill):
    after, _ = fill("canvas", CANVAS.replace(',"S 1",,4,\n', "\n"), ["ada"])
    assert rows(after)[2] == ["Lovelace, Ada", "31", "901", "ada", "", "12.25"]
