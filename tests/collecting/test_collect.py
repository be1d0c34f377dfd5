"""What becomes of a submission, and what the report says of it."""

import json
import os
import sqlite3
from contextlib import closing

import pytest

from autograder.collecting.placing import Policy
from autograder.course import find_course
from tests.collecting.conftest import everything, notebook, zipped

ADA, NEW, ALAN = (notebook(name) for name in ("ada", "new", "alan"))


@pytest.fixture
def source(tmp_path):
    """Writes a folder of our own form, with a time for each student, and returns it."""

    def source(where="in", **students):
        for student, (data, time) in students.items():
            folder = tmp_path / where / student
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "hw1.ipynb").write_bytes(data)
            if time is not None:
                (folder / "timestamp.txt").write_text(f"2026-11-20 {time}:00:00 UTC")
        return tmp_path / where

    return source


def outcomes(report):
    return {one.student: one.outcome.value for one in report.taken}


def attempts(root, student):
    folder = root / "submitted" / student / ".attempts" / "hw1"
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    return {path.name: (path / "hw1.ipynb").read_bytes() for path in found}


def test_a_second_run_changes_nothing(collect, source, root):
    folder = source(ada=(ADA, 10), alan=(ALAN, None))
    assert outcomes(collect(folder, assignment="hw1")) == {"ada": "new", "alan": "new"}
    before = everything(root)
    assert outcomes(collect(folder, assignment="hw1")) == {"ada": "unchanged", "alan": "unchanged"}
    assert everything(root) == before


def test_a_dry_run_writes_nothing_and_says_the_same(collect, source, root):
    collect(source(ada=(ADA, 10)), assignment="hw1")
    before = everything(root)
    folder = source("second", ada=(NEW, 11), alan=(ALAN, 10), eve=(ADA, 10))
    dry = collect(folder, assignment="hw1", dry_run=True)
    assert everything(root) == before
    report = collect(folder, assignment="hw1")
    assert outcomes(dry) == outcomes(report) == {"ada": "newer", "alan": "new"}
    assert list(dry.problems()) == list(report.problems())
    assert "nothing is written" in list(dry.lines())[-1]


def test_the_newer_one_counts_and_the_former_is_kept_where_no_command_looks(
    collect, source, root, submitted
):
    collect(source(ada=(ADA, 10)), assignment="hw1")
    report = collect(source("second", ada=(NEW, 11)), assignment="hw1")
    assert outcomes(report) == {"ada": "newer"}
    assert submitted("ada") == NEW
    assert submitted("ada", "timestamp.txt") == b"2026-11-20 11:00:00 UTC"
    assert attempts(root, "ada") == {"2026-11-20T10-00-00Z": ADA}
    course = find_course(root)
    assert list(course.submitted("hw1")) == ["ada"]
    assert course.astray(["hw1", "hw2"]) == {}
    assert sorted(p.name for p in (root / "submitted" / "ada").iterdir()) == [".attempts", "hw1"]


@pytest.mark.parametrize(
    ("policy", "outcome", "data"),
    [
        (Policy.NEWEST, "older", ADA),
        (Policy.KEEP, "kept", ADA),
        (Policy.REPLACE, "newer", NEW),
    ],
)
def test_what_becomes_of_an_older_one_is_the_policys(
    collect, source, submitted, policy, outcome, data
):
    collect(source(ada=(ADA, 10)), assignment="hw1")
    report = collect(source("second", ada=(NEW, "09")), assignment="hw1", policy=policy)
    assert outcomes(report) == {"ada": outcome}
    assert submitted("ada") == data


def test_keeping_leaves_a_newer_one_out(collect, source, submitted):
    collect(source(ada=(ADA, 10)), assignment="hw1")
    report = collect(source("second", ada=(NEW, 11)), assignment="hw1", policy=Policy.KEEP)
    assert outcomes(report) == {"ada": "kept"}
    assert submitted("ada") == ADA


def test_without_times_what_is_collected_later_counts(collect, source, root, submitted):
    collect(source(ada=(ADA, None)), assignment="hw1")
    collect(source("second", ada=(NEW, None)), assignment="hw1")
    collect(source("third", ada=(ALAN, None)), assignment="hw1")
    assert submitted("ada") == ALAN
    assert attempts(root, "ada") == {"without-time": ADA, "without-time-2": NEW}


def test_a_former_download_of_a_platform_takes_no_newer_upload_away(collect, tmp_path, submitted):
    for name, number, data in (("new", 20, NEW), ("old", 10, ADA)):
        (tmp_path / f"{name}.zip").write_bytes(zipped({f"x_1001_{number}_hw1.ipynb": data}))
    # The name is nobody's, and the number is ada's.
    assert outcomes(collect(tmp_path / "new.zip", assignment="hw1")) == {"ada": "new"}
    assert outcomes(collect(tmp_path / "old.zip", assignment="hw1")) == {"ada": "older"}
    assert submitted("ada") == NEW
    both = [tmp_path / "old.zip", tmp_path / "new.zip"]
    assert outcomes(collect(*both, assignment="hw1")) == {"ada": "unchanged"}


def test_a_late_mark_that_goes_is_taken_back(collect, tmp_path, root):
    path = tmp_path / "x.zip"
    record = root / "submitted" / "ada" / "hw1" / ".collected.json"
    for late in ("_LATE", ""):
        path.write_bytes(zipped({f"lovelaceada{late}_1001_5_hw1.ipynb": ADA}))
        report = collect(path, assignment="hw1")
        assert json.loads(record.read_bytes())["late"] is bool(late)
    assert outcomes(report) == {"ada": "unchanged"}


def test_a_resubmission_of_the_same_file_has_its_new_time(collect, source, submitted):
    collect(source(ada=(ADA, 10)), assignment="hw1")
    assert outcomes(collect(source("second", ada=(ADA, 12)), assignment="hw1")) == {"ada": "newer"}
    assert submitted("ada", "timestamp.txt") == b"2026-11-20 12:00:00 UTC"


def test_a_link_in_place_of_a_submission_is_left_alone(collect, source, root, tmp_path):
    (root / "submitted").mkdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (root / "submitted" / "ada").symlink_to(elsewhere)
    report = collect(source(ada=(ADA, 10), alan=(ALAN, 10)), assignment="hw1")
    assert outcomes(report) == {"alan": "new"}
    assert report.refused == ["submitted/ada is no folder: move it away"]
    assert list(elsewhere.iterdir()) == []


def test_what_cannot_be_put_in_place_leaves_the_former_there(
    collect, source, root, submitted, monkeypatch
):
    collect(source(ada=(ADA, 10)), assignment="hw1")
    rename = os.rename

    def refuse(old, new, **options):
        if ".tmp-" in str(old) and str(new).endswith("/hw1"):
            raise PermissionError(13, "Permission denied", str(new))
        rename(old, new, **options)

    monkeypatch.setattr(os, "rename", refuse)
    report = collect(source("second", ada=(NEW, 11)), assignment="hw1")
    assert "Permission denied" in report.refused[0]
    assert submitted("ada") == ADA
    assert attempts(root, "ada") == {}


def test_two_people_who_are_taken_for_one_student_are_nobody(collect, tmp_path, submitted):
    path = tmp_path / "x.zip"
    path.write_bytes(
        zipped(
            {
                "Ada Lovelace_1_assignsubmission_file_/hw1.ipynb": ADA,
                "Jean-Ada Lovelace_2_assignsubmission_file_/hw1.ipynb": NEW,
            }
        )
    )
    report = collect(path, assignment="hw1")
    assert submitted("ada") is None
    (said,) = report.unmatched
    assert said.startswith("Ada Lovelace_1 and Jean-Ada Lovelace_2 are both taken for ada; give")


def test_without_a_roster_students_are_called_by_safe_names(collect, tmp_path, root, submitted):
    (root / "roster.csv").unlink()
    path = tmp_path / "x.zip"
    names = ("José Núñez", "..", ".hidden", "a\u202eb", "x" * 200, "Ada Lovelace")
    path.write_bytes(
        zipped({f"{n}_{i}_assignsubmission_file_/hw1.ipynb": ADA for i, n in enumerate(names)})
    )
    report = collect(path, assignment="hw1")
    made = sorted(p.name for p in (root / "submitted").iterdir())
    assert {"José_Núñez", "Ada_Lovelace", "ab"} <= set(made)
    assert all(len(name) <= 100 and not name.startswith(".") for name in made)
    assert any("there is no roster.csv" in line for line in report.lines())


@pytest.mark.parametrize("policy", Policy)
@pytest.mark.parametrize("graded", [False, True])
def test_without_a_roster_nobody_replaces_a_person_of_a_similar_name(
    collect, tmp_path, root, submitted, policy, graded
):
    (root / "roster.csv").unlink()
    for number, (name, data) in enumerate((("O'Hara", ADA), ("O_Hara", NEW))):
        (tmp_path / f"{number}").mkdir()
        (tmp_path / f"{number}" / f"{name}.ipynb").write_bytes(data)
    collect(tmp_path / "0", assignment="hw1")
    if graded:  # then the gradebook knows the id, which is no roster
        with closing(sqlite3.connect(find_course(root).gradebook)) as database:
            database.execute("CREATE TABLE student (id, first_name, last_name, email, lms_user_id)")
            database.execute("INSERT INTO student (id) VALUES ('O_Hara')")
            database.commit()
    report = collect(tmp_path / "1", assignment="hw1", policy=policy)
    assert report.unmatched == [
        "O'Hara and O_Hara are both taken for O_Hara; give each a row in roster.csv"
    ]
    assert submitted("O_Hara") == ADA
    assert attempts(root, "O_Hara") == {}
    assert outcomes(collect(tmp_path / "0", assignment="hw1")) == {"O_Hara": "unchanged"}


def test_files_beside_a_notebook_come_with_it_within_limits(collect, source, root, submitted):
    folder = source(ada=(ADA, 10))
    extra = folder / "ada"
    (extra / "data").mkdir()
    (extra / "data" / "x.csv").write_bytes(b"1")
    (extra / "large.bin").write_bytes(bytes((8 << 20) + 1))
    (extra / ".ipynb_checkpoints").mkdir()
    (extra / ".ipynb_checkpoints" / "hw1.ipynb").write_bytes(b"old")
    (extra / "a\u202eb.txt").write_bytes(b"")
    report = collect(folder, assignment="hw1")
    assert submitted("ada", "data/x.csv") == b"1"
    assert sorted(p.name for p in (root / "submitted" / "ada" / "hw1").iterdir()) == [
        ".collected.json",
        "data",
        "hw1.ipynb",
        "timestamp.txt",
    ]
    assert report.left_out == ["ada/a\u202eb.txt", "ada/large.bin"]
    assert outcomes(collect(folder, assignment="hw1")) == {"ada": "unchanged"}


def test_the_command_ends_with_1_where_somebody_must_look(run, source):
    folder = source(ada=(ADA, 10))
    assert run(folder, "--assignment", "hw1") == (
        0,
        "in: read as a folder or a file for each student (--as folder)\nhw1: 1 found: 1 new\n",
    )
    code, said = run(source(eve=(ADA, 10)), "--assignment", "hw1", "--dry-run")
    assert code == 1
    assert "hw1: 1 found: 1 unchanged\nnothing is written" in said
    assert "needs attention: in, eve: nobody in the roster has that name" in said
    assert "add a row to roster.csv, and run the same command again" in said


def test_an_archive_that_is_none_ends_in_one_sentence(run, tmp_path, source):
    bad = tmp_path / "bad\x1b.zip"
    bad.write_bytes(b"PK\x03\x04 no more")
    code, said = run(bad, source(ada=(ADA, 10)), "--assignment", "hw1")
    assert code == 1
    assert "needs attention: bad\\x1b.zip is damaged, or no archive: " in said
    assert "hw1: 1 found: 1 new" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere", "--assignment", "hw1"], "there is no nowhere"),
        (["in", "--assignment", "hw7"], "there is no assignment 'hw7'"),
        (["in"], "say --assignment NAME"),
        (["in", "--replace", "--keep"], "not allowed with argument"),
        (["in", "--as", "email"], "invalid choice: 'email'"),
    ],
)
def test_wrong_usage_ends_with_2(run, source, root, words, said):
    folder = source(ada=(ADA, 10))
    code, text = run(*(str(folder) if word == "in" else word for word in words))
    assert code == 2
    assert said in text
    assert not (root / "submitted").exists()


def test_an_empty_source_needs_attention(run, tmp_path):
    (tmp_path / "empty").mkdir()
    code, said = run(tmp_path / "empty", "--assignment", "hw1")
    assert code == 1
    assert "there is no submission in it" in said
