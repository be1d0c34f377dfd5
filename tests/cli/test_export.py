"""The page on exports: its commands are typed here, in a course whose class is graded."""

import csv
import json
import re
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.conftest import Run

PAGE = Path(__file__).resolve().parents[2] / "docs" / "exports.md"
ROSTER = (
    "student,first_name,last_name,email,moodle_id,canvas_id\n"
    "ada,Ada,Lovelace,ada@example.org,7001,31\nbo,Bo,Li,bo@example.org,7002,32\n"
)
SHEETS = {
    "gradebook.csv": "Student,ID,SIS User ID,SIS Login ID,Section,Small homework (4711)\n"
    '    Points Possible,,,,,7.0\n"Lovelace, Ada",31,,ada,S,\n"Li, Bo",32,,bo,S,\n',
    "worksheet.csv": "Bezeichner,Name,E-Mail,Status,Bewertung,Bestwertung,Änderbar\n"
    "Teilnehmer/in7001,Ada Lovelace,ada@example.org,Abgegeben,,7.00,Ja\n"
    "Teilnehmer/in7002,Bo Li,bo@example.org,Abgegeben,,7.00,Ja\n",
    "gc.xls": '"Last Name"\t"First Name"\t"Username"\t"Small homework [Total Pts: 7] |55"\n'
    '"Lovelace"\t"Ada"\t"ada"\t""\n"Li"\t"Bo"\t"bo"\t""\n',
}


@pytest.fixture
def graded(compiled: Path, tmp_path: Path, run: Run) -> Path:
    """A course in which ada and bo submitted the solution without its question for a person."""
    root = tmp_path / "course"
    shutil.copytree(compiled, root)
    for student in ("ada", "bo"):
        path = root / "submitted" / student / "small" / "small.ipynb"
        path.parent.mkdir(parents=True)
        shutil.copy(root / "build" / "small" / "small_solution.ipynb", path)
    (root / "roster.csv").write_text(ROSTER)
    for name, text in SHEETS.items():
        encoding = "utf-16" if name.endswith(".xls") else "utf-8"
        (root / name).write_bytes(text.encode(encoding))
    run(root, "grade")
    return root


def decide(root: Path) -> None:
    """Make a stored result one of which nothing is open."""
    for path in (root / "results" / "small").glob("*.json"):
        result = json.loads(path.read_text())
        result["questions"][2] |= {"earned": 1.5, "status": "graded"}
        path.write_text(json.dumps(result | {"earned": 6.5, "status": "graded"}))


def test_every_command_of_the_page_does_what_it_says(graded: Path, run: Run) -> None:
    decide(graded)
    commands = re.findall(r"^autograder (export .*?)(?:\s+#.*)?$", PAGE.read_text(), re.MULTILINE)
    assert len(commands) == 10
    printed = {}
    for command in commands:
        done = run(graded, *command.replace("NAME", "small").split())
        assert (done.returncode, done.stderr) == (0, ""), command
        printed[command] = done.stdout
    assert "ada,4.0,1.0,1.5,6.5,7.0,0.0,0.0,graded" in printed["export NAME"].splitlines()
    assert json.loads(printed["export NAME --to json"])[0]["students"][1]["earned"] == 6.5
    assert ElementTree.parse(graded / "junit.xml").getroot().get("failures") == "0"
    for student in ("ada", "bo"):
        text = (graded / "gradescope" / "small" / f"{student}.json").read_text()
        assert json.loads(text)["score"] == 6.5
    for name, encoding, delimiter, column in (
        ("canvas.csv", "utf-8", ",", 5),
        ("moodle.csv", "utf-8", ",", 4),
        ("blackboard.xls", "utf-16", "\t", 3),
    ):
        text = (graded / name).read_text(encoding)
        rows = list(csv.reader(text.splitlines(), delimiter=delimiter))
        assert [row[column] for row in rows[-2:]] == ["6.5", "6.5"], name
    done = run(graded, *commands[7].replace("NAME", "small").split()[:-2])
    assert done.stdout.encode() == (graded / "canvas.csv").read_bytes(), (
        "it is printed without --out"
    )


def test_who_has_no_row_is_told_on_standard_error_and_ends_with_1(graded: Path, run: Run) -> None:
    decide(graded)
    sheet = graded / "worksheet.csv"
    sheet.write_text("".join(sheet.read_text().splitlines(keepends=True)[:2]))
    done = run(graded, "export", "small", "--to", "moodle", "--sheet", "worksheet.csv")
    assert done.returncode == 1
    assert done.stderr == "needs attention: bo has no row in worksheet.csv, and is left out\n"
    assert "Abgegeben,6.5,7.00" in done.stdout


def test_what_waits_for_a_person_is_blank_everywhere(graded: Path, run: Run) -> None:
    for to, sheet in (("canvas", "gradebook.csv"), ("moodle", "worksheet.csv")):
        done = run(graded, "export", "--to", to, "--sheet", sheet)
        assert (done.returncode, done.stdout) == (0, SHEETS[sheet])
    found = run(graded, "export", "small", "--to", "gradescope", "--student", "ada").stdout
    assert "score" not in json.loads(found)


@pytest.mark.parametrize("to", ["moodle", "blackboard"])
def test_a_sheet_is_asked_for_where_it_is_needed(graded: Path, run: Run, to: str) -> None:
    done = run(graded, "export", "--to", to)
    assert done.returncode == 2
    assert f"--to {to} fills the sheet that you download there: name it by --sheet" in done.stderr


def test_several_files_are_not_printed(graded: Path, run: Run) -> None:
    done = run(graded, "export", "--to", "gradescope")
    assert done.returncode == 2
    assert "these are 2 files: name a folder for them by --out" in done.stderr
