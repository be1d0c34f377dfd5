import csv
import io
from types import SimpleNamespace

import msgspec
import pytest

from autograder import cli
from autograder.artefacts.grades import grade_of
from autograder.artefacts.results import Status
from autograder.engines import export as export_engine
from autograder.records.exporters import EXPORTERS
from autograder.records.exporting import Exported, Exporter
from autograder.records.exports import course_text, csv_text
from autograder.records.exports import table as json_table


def grades_of(make, results):
    return {name: grade_of(make.manifest, name, result) for name, result in results.items()}


@pytest.fixture
def table(make):
    """Exports a class and returns the rows of the table."""

    def export(results):
        text = csv_text(make.manifest, grades_of(make, results))
        return list(csv.reader(io.StringIO(text, newline="")))

    return export


def test_each_student_has_a_row_and_each_question_a_column(table, make):
    rows = table({"bo": make.result("bo"), "ada": make.result("ada", make.sgd(earned=1.5))})
    assert rows == [
        ["student", "sgd", "conv", "proof", "earned", "possible", "penalty", "extra", "status"],
        ["ada", "1.5", "", "", "1.5", "15.0", "0.0", "0.0", "needs_attention"],
        ["bo", "4.0", "6.0", "", "10.0", "15.0", "0.0", "0.0", "pending"],
    ]


def test_what_is_not_decided_is_empty_and_never_zero(table, make):
    row = table({"ada": make.unreadable()})[1]
    assert row == ["ada", *[""] * 4, "15.0", "0.0", "0.0", "needs_attention"]
    row = table({"ada": None})[1]
    assert row == ["ada", *[""] * 4, "15.0", "0.0", "0.0", "missing"]
    decided = make.result("ada", make.sgd(), make.conv(), make.proof(0.0, Status.GRADED))
    assert table({"ada": decided})[1][3] == "0.0"


@pytest.mark.parametrize(
    "name", ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "=cmd|'/C calc'!A0", "\uff1d1", "\xa0=1"]
)
def test_a_name_that_is_a_formula_is_text(table, make, name):
    assert table({name: make.result(name)})[1][0] == f"'{name}"


@pytest.mark.parametrize("name", ["x;=1+cmd|' calc'!A0", "x;  +1", ";@a;-1", 'x";=1', "=1;=2"])
def test_no_formula_begins_behind_a_semicolon_either(make, name):
    """A spreadsheet parts cells there where the comma is the decimal sign."""
    text = csv_text(make.manifest, grades_of(make, {name: make.result(name)}))
    for delimiter in ";,":
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            assert not any(cell.strip().startswith(("=", "+", "-", "@")) for cell in row)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("\t=1", r"\t=1"),
        ("\r=1", r"\r=1"),
        ("a\nb", r"a\nb"),
        ("\x1b]0;=1\x07", r"\x1b]0;'=1\x07"),
        ("\x9b31m\u202ex", r"\x9b31m\u202ex"),
    ],
)
def test_what_steers_a_terminal_is_visible_in_the_table(table, make, name, shown):
    assert table({name: make.result(name)})[1][0] == shown


@pytest.mark.parametrize("name", ["Müller, Zoë", 'a "b"', "名", "a=1", "a; b-c", "نمی\u200cخواهم"])
def test_any_other_name_is_itself(table, make, name):
    assert table({name: make.result(name)})[1][0] == name


def test_json_has_the_same_with_null_for_undecided(make):
    results = {"Zoë": make.result("Zoë"), "=1": make.unreadable("=1")}
    first, second = json_table(make.manifest, grades_of(make, results))["students"]
    assert first["student"] == "=1", "a program reads the name as it is"
    assert first["earned"] is None
    assert second == {
        "student": "Zoë",
        "questions": {"sgd": 4.0, "conv": 6.0, "proof": None},
        "earned": 10.0,
        "possible": 15.0,
        "penalty": 0.0,
        "extra": 0.0,
        "status": "pending",
    }


@pytest.fixture
def export(make, tmp_path, monkeypatch, capsys):
    """Calls `autograder export` in a course of two assignments: its exit code and what it says."""
    (tmp_path / "course.toml").touch()
    for name in ("hw1", "hw2"):
        (tmp_path / "assignments" / name).mkdir(parents=True)
        (tmp_path / "assignments" / name / f"{name}.py").touch()
    monkeypatch.chdir(tmp_path)
    grades = {"ada": grade_of(make.manifest, "ada", make.result("ada"))}
    found = SimpleNamespace(manifest=make.manifest, grades=grades, problems=())
    monkeypatch.setattr(export_engine, "class_grades", lambda course, name: found)

    def export(*arguments):
        code = cli.main(["export", *arguments])
        return code, "".join(capsys.readouterr())

    return export


def test_an_exporter_is_a_row_of_the_table(export, monkeypatch):
    def names(wanted):
        lines = [f"{one.assignment}: {' '.join(grades)}" for one, grades in wanted.classes]
        return Exported({"names.txt": "\n".join(lines).encode()})

    monkeypatch.setitem(EXPORTERS, "names", Exporter(names, together=True))
    assert export("--to", "names") == (0, "hw1: ada\nhw1: ada")
    monkeypatch.setitem(EXPORTERS, "names", Exporter(names, together=False))
    assert export("hw2", "--to", "names") == (0, "hw1: ada")
    code, said = export("--to", "names")
    assert code == 2
    assert "name one of hw1, hw2: each has a table of its own" in said


def test_a_course_is_one_table_with_its_sum_over_what_is_decided(make):
    other = msgspec.structs.replace(make.manifest, assignment="=hw2")
    decided = make.result("ada", make.sgd(), make.conv(), make.proof(2.5, Status.GRADED))
    first = grades_of(make, {"ada": decided, "bo": make.result("bo"), "cy": None})
    second = {
        "ada": grade_of(other, "ada", make.result("ada")),
        "bo": grade_of(other, "bo", decided),
    }
    text = course_text([(make.manifest, first), (other, second)])
    assert list(csv.reader(io.StringIO(text, newline=""))) == [
        ["student", "hw1", "'=hw2", "earned", "possible", "open"],
        ["ada", "12.5", "", "12.5", "15.0", "1"],
        ["bo", "", "12.5", "12.5", "15.0", "1"],
        ["cy", "", "", "", "0", "2"],
    ]


def test_only_a_form_that_fills_a_sheet_takes_one(export):
    code, said = export("hw1", "--sheet", "grades.csv")
    assert (code, "--to csv has no use for --sheet" in said) == (2, True)


def test_an_export_is_of_one_student_who_has_a_grade(export):
    assert "ada" in export("hw1", "--student", "ada")[1]
    code, said = export("hw1", "--student", "bo")
    assert (code, "student 'bo' has no grade in hw1" in said) == (2, True)


def test_an_export_is_written_into_a_file(export, tmp_path):
    assert export("hw1", "--out", "grades.csv") == (0, "")
    assert (tmp_path / "grades.csv").read_bytes() == export("hw1")[1].encode()
