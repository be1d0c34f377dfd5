"""Zips as learning platforms make them, built by their rules."""

import json
import zipfile

import pytest

from tests.collecting.conftest import notebook, zipped

ADA, ALAN, GRACE, JOSE = (notebook(name) for name in ("ada", "alan", "grace", "jose"))


@pytest.fixture
def source(tmp_path):
    """Writes a zip of files, and returns where it is."""

    def source(files, name="submissions.zip"):
        path = tmp_path / name
        path.write_bytes(zipped(files))
        return path

    return source


def record(submitted, student):
    return json.loads(submitted(student, ".collected.json"))


def test_canvas_tells_users_by_number_and_marks_what_is_late(collect, source, submitted):
    path = source(
        {
            "lovelaceada_1001_90001_hw1.ipynb": ADA,
            "turingalan_LATE_1002_90002_hw1-2.ipynb": ALAN,
            "núñezørstedjosé_1004_90003_my homework_1_2_3.ipynb": JOSE,
            "hoppergrace_1003_text.html": b"<p>see my web site</p>",
        }
    )
    report = collect(path, assignment="hw1")
    assert report.sources == ["submissions.zip: read as submissions of Canvas (--as canvas)"]
    assert [submitted(s) for s in ("ada", "alan", "jose")] == [ADA, ALAN, JOSE]
    assert [one.student for one in report.taken if one.late] == ["alan"]
    assert record(submitted, "alan")["late"]
    assert not record(submitted, "ada")["late"]
    assert submitted("ada", "timestamp.txt") is None  # Canvas writes no times
    (refused,) = report.refused
    assert "hoppergrace_1003 has no notebook" in refused


def test_canvas_tells_a_user_without_number_by_the_sortable_name(collect, source, submitted, root):
    (root / "roster.csv").write_text(
        "student,first_name,last_name\nada,Ada,King-Noel Lovelace\nalan,Alan,Turing\n"
    )
    files = {"kingnoellovelaceada_7_1_hw1.ipynb": ADA, "turingalan_LATE_8_2_hw1.ipynb": ALAN}
    assert not list(collect(source(files), assignment="hw1").problems())
    assert (submitted("ada"), submitted("alan")) == (ADA, ALAN)


def test_of_several_uploads_in_canvas_the_newest_named_as_the_assignment_counts(
    collect, source, submitted
):
    path = source(
        {
            "lovelaceada_1001_91_hw1.ipynb": b"old",
            "lovelaceada_1001_93_hw1-2.ipynb": ADA,
            "lovelaceada_1001_92_hw1-1.ipynb": b"older",
            "lovelaceada_1001_99_scratch.ipynb": b"scratch",
            "lovelaceada_1001_94_figure.png": b"png",
        }
    )
    collect(path, assignment="hw1")
    assert submitted("ada") == ADA
    assert submitted("ada", "figure.png") == b"png"


def test_anonymous_canvas_matches_nobody_and_says_so(collect, source, root):
    path = source({"anon_5Qx1A_90001_hw1.ipynb": ADA, "LATE_anon_9zZ2b_90002_hw1.ipynb": ALAN})
    report = collect(path, assignment="hw1")
    assert len(report.unmatched) == 2
    assert all("anon_" in said for said in report.problems())
    assert all("add a row to roster.csv" in said for said in report.problems())
    assert not (root / "submitted").exists()


def test_a_number_and_a_name_of_different_students_match_nobody(collect, source):
    report = collect(source({"turingalan_1001_1_hw1.ipynb": ADA}), assignment="hw1")
    (said,) = report.unmatched
    assert "its number, login and name are of different students: ada, alan" in said


@pytest.mark.parametrize("end", ["assignsubmission_file_/", "assignsubmission_file/"])
def test_moodle_has_a_folder_for_each_name_and_groups_in_front(collect, source, submitted, end):
    path = source(
        {
            f"Ada Lovelace_77_{end}hw1.ipynb": ADA,
            f"Team A-Alan Turing_78_{end}sub/hw1.ipynb": ALAN,
            f"Group-2-José Núñez-Ørsted_79_{end}x.ipynb": JOSE,
            "Grace Hopper_501_assignsubmission_onlinetext_/onlinetext.html": b"<p>done</p>",
            f"Nobody Known_502_{end}hw1.ipynb": b"{}",
        }
    )
    report = collect(path, assignment="hw1")
    assert "--as moodle" in report.sources[0]
    assert [submitted(s) for s in ("ada", "alan", "jose")] == [ADA, ALAN, JOSE]
    (unmatched,) = report.unmatched  # though its number is that of somebody in the roster
    assert "Nobody Known_502" in unmatched
    (refused,) = report.refused
    assert "Grace Hopper_501 has no notebook" in refused


def test_moodle_without_folders_is_read_as_well(collect, source, submitted):
    path = source({"Lovelace Ada_77_assignsubmission_file_hw1.ipynb": ADA})
    collect(path, assignment="hw1")
    assert submitted("ada") == ADA


def test_anonymous_moodle_goes_by_its_numbers(collect, source, submitted):
    path = source(
        {
            "Participant_501_assignsubmission_file_/hw1.ipynb": ADA,
            "Participant_502_assignsubmission_file_/hw1.ipynb": ALAN,
            "Participant_599_assignsubmission_file_/hw1.ipynb": GRACE,
        }
    )
    report = collect(path, assignment="hw1")
    assert (submitted("ada"), submitted("alan"), submitted("grace")) == (ADA, ALAN, None)
    assert len(report.unmatched) == 1


TEXT = """Name: {name} ({username})
Assignment: Homework 1
Date Submitted: Friday, November 20, 2026 10:11:12 AM CST
Current Grade: Needs Grading

Submission Field:
Name: Grace Hopper (ghopper)

Comments:
There are no student comments for this assignment.

Files:
\tOriginal filename: hw1.ipynb
\tFilename: x
"""


def test_blackboard_tells_the_username_and_the_time_with_its_zone(collect, source, submitted):
    ada, alan = (
        "Homework 1_alovelace_attempt_2026-11-20-",
        "Homework 1_aturing_1_attempt_2026-11-20-",
    )
    path = source(
        {
            f"{ada}10-11-12_hw1.ipynb": ADA,
            f"{ada}10-11-12.txt": TEXT.format(name="Ada Lovelace", username="alovelace"),
            f"{ada}09-00-00_hw1.ipynb": b"an earlier attempt",
            f"{alan}10-11-12_my_hw1.ipynb": ALAN,
            f"{alan}10-11-12.txt": TEXT.format(name="Turing, Alan", username="aturing_1"),
            "Homework 1_ghopper_attempt_2026-11-20-23-00-00_hw1.ipynb": GRACE,
        }
    )
    report = collect(path, assignment="hw1")
    assert not list(report.problems())
    assert "--as blackboard" in report.sources[0]
    assert (submitted("ada"), submitted("alan"), submitted("grace")) == (ADA, ALAN, GRACE)
    assert submitted("ada", "timestamp.txt") == b"2026-11-20 16:11:12.000000 UTC"
    assert submitted("grace", "timestamp.txt") == b"2026-11-20 23:00:00.000000 UTC"
    assert report.superseded == 1


def test_the_name_of_an_uploaded_file_makes_nobody_another(collect, source, submitted, root):
    with (root / "roster.csv").open("a") as roster:
        roster.write("eve,Eve,Mallory,eve@example.edu,L5,6666,505,eve\n")
    upload = "Homework 1_alovelace_attempt_2026-11-20-10-11-12"
    for names in (
        [
            f"Homework 1_eve_attempt_2026-11-20-10-11-12_{upload}{end}"
            for end in (".txt", "_x.ipynb")
        ],
        ["Eve Mallory_9_assignsubmission_file_/Ada Lovelace_7_assignsubmission_file_/x.ipynb"],
        ["malloryeve_6666_9_lovelaceada_1001_8_x.ipynb"],
    ):
        text = TEXT.format(name="Ada Lovelace", username="alovelace").encode()
        collect(source({n: GRACE if n.endswith("b") else text for n in names}), assignment="hw1")
        assert (submitted("eve"), submitted("ada")) == (GRACE, None)


@pytest.mark.parametrize("name", ["x_1001", "1001"])
def test_a_name_that_ends_in_anothers_number_makes_nobody_another(
    collect, source, submitted, root, name
):
    with (root / "roster.csv").open("a") as roster:
        roster.write("eve,Eve,Mallory,eve@example.edu,L5,6666,505,eve\n")
    report = collect(source({f"{name}_6666_9_hw1.ipynb": ALAN}), assignment="hw1")
    assert submitted("ada") is None
    assert submitted("eve") == ALAN or "several students" in report.unmatched[0]


METADATA = """---
submission_111:
  :submitters:
  - :name: Ada Lovelace
    :sid: L1
    :email: ada@example.edu
  :created_at: 2026-11-20 10:11:12.345678000 Z
  :score: 2.0
  :results:
    tests: []
    output: |-
      submission_112:
        :submitters:
        - :name: Grace Hopper
submission_112:
  :submitters:
  - :name: "Alan \\x54uring"
    :sid: ~
    :email: 'alan@example.edu'
  - :name: José Núñez-Ørsted
  :created_at: 2026-11-20 11:00:00.000000000 Z
  :history:
  - :id: 1
    :created_at: 2026-11-01 00:00:00 Z
submission_113:
  :submitters: []
"""


@pytest.mark.parametrize("top", ["", "assignment_8046601_export/"])
def test_gradescope_tells_groups_and_times_in_its_metadata(collect, source, submitted, top):
    path = source(
        {
            f"{top}submission_metadata.yml": METADATA,
            f"__MACOSX/{top}._submission_metadata.yml": b"\0",
            f"{top}submission_111/hw1.ipynb": ADA,
            f"{top}submission_111/data/x.csv": b"1,2",
            f"{top}submission_112/hw1.ipynb": ALAN,
            f"{top}submission_113/hw1.ipynb": GRACE,
            f"{top}.DS_Store": b"\0",
        }
    )
    report = collect(path, assignment="hw1")
    assert "--as gradescope" in report.sources[0]
    assert (submitted("ada"), submitted("alan"), submitted("jose")) == (ADA, ALAN, ALAN)
    assert submitted("ada", "data/x.csv") == b"1,2"
    assert submitted("ada", "timestamp.txt") == b"2026-11-20 10:11:12.345678 UTC"
    assert submitted("grace") is None
    (unmatched,) = report.unmatched
    assert "submission_113" in unmatched


def test_a_platforms_zip_that_a_browser_unpacked_is_read_as_well(
    collect, source, tmp_path, submitted
):
    path = source({"lovelaceada_1001_1_hw1.ipynb": ADA, "turingalan_1002_2_hw1.ipynb": ALAN})
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "unpacked")  # it is ours
    collect(tmp_path / "unpacked", assignment="hw1")
    assert (submitted("ada"), submitted("alan")) == (ADA, ALAN)


def test_a_students_own_zip_is_opened_once_and_no_further(collect, source, submitted):
    path = source(
        {
            "lovelaceada_1001_1_work.zip": zipped({"work/hw1.ipynb": ADA, "work/a.csv": b"1"}),
            "turingalan_1002_2_work.zip": zipped({"again.zip": zipped({"hw1.ipynb": ALAN})}),
        }
    )
    report = collect(path, assignment="hw1")
    assert submitted("ada") == ADA
    assert submitted("ada", "a.csv") == b"1"
    assert submitted("alan") is None
    (refused,) = report.refused
    assert "has no notebook; there are: again.zip" in refused


def test_a_student_cannot_bring_a_time_or_a_record(collect, source, submitted):
    own = {
        "hw1.ipynb": ADA,
        "timestamp.txt": b"2020-01-01 00:00:00 UTC",
        "submission_secret.txt": b"s",
        ".collected.json": b"{}",
    }
    collect(source({"lovelaceada_1001_1_work.zip": zipped(own)}), assignment="hw1")
    assert submitted("ada") == ADA
    assert submitted("ada", "timestamp.txt") is None
    assert submitted("ada", "submission_secret.txt") is None
    assert record(submitted, "ada")["as"] == "canvas"


def test_names_without_a_utf_8_mark_are_read_as_utf_8(collect, tmp_path, submitted):
    name = "Núñez-Ørsted José_9_assignsubmission_file_/hw1.ipynb"
    flagless = zipped({name: JOSE})
    for mark in (b"PK\x03\x04\x14\x00\x00\x08", b"PK\x01\x02\x14\x03\x14\x00\x00\x08"):
        assert mark in flagless
        flagless = flagless.replace(mark, mark[:-1] + b"\0")
    path = tmp_path / "x.zip"
    path.write_bytes(flagless)
    collect(path, assignment="hw1")
    assert submitted("jose") == JOSE
