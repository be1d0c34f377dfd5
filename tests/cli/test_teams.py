"""Assignments in teams: one hands in, and each member has the grade, everywhere."""

import csv
import shutil
import sqlite3
from pathlib import Path

import pytest

from autograder.course import find_course
from tests.cli.conftest import Run
from tests.cli.handed import Class, nbgraders

TEAMS = "[assignments.small]\nteams = true\n"
ROSTER = "student,first_name,team\nada,Ada,red\nbo,Bo,red\ncy,Cy,blue\ndi,Di,\n"


@pytest.fixture
def school(compiled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Class:
    """A course in which ada and bo are a team, cy is one alone, and di is in none."""
    root = tmp_path / "course"
    shutil.copytree(compiled, root)
    (root / "roster.csv").write_text(ROSTER)
    found = Class(root, monkeypatch)
    found.configure(TEAMS)
    return found


def graded(school: Class, run: Run, *arguments: str) -> str:
    done = run(school.root, "grade", "small", *arguments)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def rows(school: Class, run: Run) -> dict[str, dict[str, str]]:
    done = run(school.root, "export", "small", "--to", "csv")
    assert done.returncode in (0, 1), done.stderr
    return {one["student"]: one for one in csv.DictReader(done.stdout.splitlines())}


def page(school: Class, student: str) -> Path:
    return find_course(school.root).feedback("small", student)


def test_one_member_hands_in_and_each_has_the_grade_everywhere(school: Class, run: Run) -> None:
    school.hand_in("bo", 0, scaled_sum=3, choice=1, proof=0)
    school.hand_in("di", 0, scaled_sum=1, choice=0, proof=0)
    graded(school, run)
    found = rows(school, run)
    assert {s: (one["earned"], one["status"]) for s, one in found.items()} == {
        "ada": ("4.0", "graded"),
        "bo": ("4.0", "graded"),
        "cy": ("", "missing"),
        "di": ("1.0", "graded"),
    }
    assert [found[s]["attempt"] for s in ("ada", "bo", "di")] == ["handed in by bo", "", ""]
    assert nbgraders(school.root) == {"ada": 4.0, "bo": 4.0, "di": 1.0}
    text = page(school, "ada").read_text()
    assert "Handed in by bo." in text
    assert "Feedback for <bdi>Ada</bdi>" in text
    assert "anded in by" not in page(school, "bo").read_text()
    assert not page(school, "cy").exists()
    run(school.root, "report")
    report = (school.root / "report" / "small.html").read_text()
    assert "../feedback/ada/small/small.html" in report
    course = find_course(school.root)
    shown = [course.autograded("small", student).read_bytes() for student in ("ada", "bo")]
    assert shown[0] == shown[1]
    told = run(school.root, "history", "ada", "small").stdout
    assert "ada, small: 4 of 7 points" in told
    assert "attempt 1 by bo" in told
    with sqlite3.connect(school.root / "gradebook.db") as db:
        times = dict(
            db.execute("select student_id, timestamp from submitted_assignment").fetchall()
        )
    db.close()
    assert times["ada"] == times["bo"] == "2026-11-16 12:00:00.000000"


def test_of_two_who_hand_in_the_last_counts_or_the_best(school: Class, run: Run) -> None:
    school.hand_in("ada", 2, scaled_sum=2, choice=1, proof=0)
    school.hand_in("bo", 1, scaled_sum=4, choice=1, proof=0)
    graded(school, run)
    found = rows(school, run)
    assert (found["ada"]["earned"], found["bo"]["earned"]) == ("3.0", "3.0")
    assert found["bo"]["attempt"] == "handed in by ada"
    school.configure(TEAMS + 'attempts = "best"\n')
    found = rows(school, run)
    assert (found["ada"]["earned"], found["bo"]["earned"]) == ("5.0", "5.0")
    assert found["ada"]["attempt"] == "attempt 1 of 2 counts: the best; handed in by bo"
    assert nbgraders(school.root) == {"ada": 5.0, "bo": 5.0}


def test_what_staff_enter_for_one_member_stays_that_members(school: Class, run: Run) -> None:
    school.hand_in("bo", 0, scaled_sum=3, choice=1)
    graded(school, run)
    words = ("ada", "small", "scaled_sum", "4", "--why", "she found it", "--comment", "FOR-ADA")
    assert run(school.root, "override", *words).returncode == 0
    school.enter("bo", "proof", 1.0)
    found = rows(school, run)
    assert (found["ada"]["scaled_sum"], found["bo"]["scaled_sum"]) == ("4.0", "3.0")
    assert (found["ada"]["proof"], found["bo"]["proof"]) == ("", "1.0")
    graded(school, run)
    assert "FOR-ADA" in page(school, "ada").read_text()
    assert "FOR-ADA" not in page(school, "bo").read_text()
    told = run(school.root, "history", "bo", "small").stdout
    assert "she found it" not in told
    assert nbgraders(school.root) == {"ada": 5.0, "bo": 5.0}


def test_each_member_has_an_own_due_date(school: Class, run: Run) -> None:
    late = "[late]\npercent_per_day = 10\n" + TEAMS + "due = 2026-11-17T12:00:00Z\n"
    school.configure(late)
    school.hand_in("bo", 2, scaled_sum=4, choice=1, proof=0)
    graded(school, run)
    with sqlite3.connect(school.root / "gradebook.db") as db:
        db.execute(
            "update submitted_assignment set extension = '1970-01-03 00:00:00.000000' "
            "where student_id = 'ada'"
        )
    db.close()
    found = rows(school, run)
    assert (found["ada"]["penalty"], found["bo"]["penalty"]) == ("0.0", "0.7")
    assert nbgraders(school.root) == {"ada": 5.0, "bo": pytest.approx(4.3)}


def test_grading_one_member_grades_the_teams_submission(school: Class, run: Run) -> None:
    school.hand_in("bo", 0, scaled_sum=3, choice=1, proof=0)
    school.hand_in("di", 0, scaled_sum=3, choice=1, proof=0)
    said = graded(school, run, "--student", "ada")
    assert "graded 1 submission" in said
    assert "ada" in said
    assert page(school, "ada").is_file()
    assert run(school.root, "grade", "--student", "ada").returncode == 0
    done = run(school.root, "grade", "small", "--student", "cy")
    assert (done.returncode, "student 'cy' has submitted nothing for small" in done.stderr) == (
        2,
        True,
    )


def test_who_changes_the_team_takes_nothing_along(school: Class, run: Run) -> None:
    school.hand_in("bo", 0, scaled_sum=3, choice=1, proof=0)
    graded(school, run)
    (school.root / "roster.csv").write_text(ROSTER.replace("ada,Ada,red", "ada,Ada,blue"))
    graded(school, run)
    assert rows(school, run)["ada"]["status"] == "missing"
    assert not page(school, "ada").exists()
    assert nbgraders(school.root)["ada"] == 0.0
    school.hand_in("cy", 0, scaled_sum=1, choice=0, proof=0)
    graded(school, run)
    found = rows(school, run)
    assert {s: found[s]["earned"] for s in ("ada", "bo", "cy")} == {
        "ada": "1.0",
        "bo": "4.0",
        "cy": "1.0",
    }
    assert "bo" not in run(school.root, "history", "ada", "small").stdout


def test_who_handed_in_for_others_goes_when_one_of_them_has_the_work(
    school: Class, run: Run
) -> None:
    school.hand_in("bo", 0, scaled_sum=3, choice=1, proof=0)
    graded(school, run)
    done = run(school.root, "forget", "bo", "--yes")
    assert done.returncode == 2
    assert "bo handed in small for ada: move submitted/bo/small to one of them" in done.stderr
    (school.root / "submitted" / "ada").mkdir()
    (school.root / "submitted" / "bo" / "small").rename(school.root / "submitted" / "ada" / "small")
    graded(school, run)
    assert run(school.root, "forget", "bo", "--yes").returncode == 0
    assert rows(school, run)["ada"]["earned"] == "4.0"


def test_teams_csv_has_teams_too(school: Class, run: Run) -> None:
    (school.root / "roster.csv").write_text("student\nada\nbo\ncy\ndi\n")
    (school.root / "teams.csv").write_text("team;student\nred;ada\nred;bo\nblue;nobody\n")
    school.hand_in("bo", 0, scaled_sum=3, choice=1, proof=0)
    done = run(school.root, "grade", "small")
    assert done.returncode == 1
    assert "teams.csv, line 4: 'nobody' of team 'blue' is in no roster" in done.stdout
    assert rows(school, run)["ada"]["earned"] == "4.0"
    assert "nobody" not in rows(school, run)


def test_teams_csv_names_a_student_in_any_writing(school: Class, run: Run) -> None:
    (school.root / "roster.csv").unlink()
    (school.root / "teams.csv").write_text("team,student\nred,ada\nred,zo\xe9\n")
    school.hand_in("zoe\u0301", 0, scaled_sum=3, choice=1, proof=0)
    graded(school, run)
    assert nbgraders(school.root) == {"ada": 4.0, "zoe\u0301": 4.0}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("team,student\nblue,ada\n", "line 2: 'ada' is in two teams, 'red' and 'blue'; leave one"),
        ("team\nblue\n", "the first line of teams.csv must name a column 'student'"),
        ("team,student\n,ada\n", "teams.csv, line 2: 'ada' has no team"),
        ("team,student\nred,../x\n", "teams.csv, line 2: '../x' cannot be the name"),
        ("team,student\nred,ad\0a\n", "teams.csv, line 2"),
    ],
)
def test_wrong_teams_are_refused_in_words(school: Class, run: Run, text: str, said: str) -> None:
    (school.root / "teams.csv").write_text(text)
    school.hand_in("bo", 0, scaled_sum=3, choice=1, proof=0)
    done = run(school.root, "grade", "small")
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    assert not (school.root / "results").exists(), "nothing is graded"
