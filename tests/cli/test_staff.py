"""What staff enter, in formgrader or by a command, is in every page and export."""

import csv
import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from autograder.course import find_course
from tests.cli.conftest import Run
from tests.cli.handed import nbgraders
from tests.small_course import made_once

EVERYTHING, NOTHING = 7.0, 0.0


@pytest.fixture(scope="session")
def graded_classroom(
    tmp_path_factory: pytest.TempPathFactory, compiled: Path, run_warm: Run
) -> Path:
    """A graded course in which ada submitted the solution, and bo nothing that counts."""

    def make(root: Path) -> None:
        shutil.copytree(compiled, root, dirs_exist_ok=True)
        texts = {
            "ada": (root / "build" / "small" / "small_solution.ipynb").read_text(),
            "bo": (root / "release" / "small" / "small.ipynb").read_text(),
        }
        for student, text in texts.items():
            folder = root / "submitted" / student / "small"
            folder.mkdir(parents=True)
            (folder / "small.ipynb").write_text(text)
            (folder / "timestamp.txt").write_text("2026-11-20 12:00:00 UTC")
        done = run_warm(root, "grade")
        assert done.returncode == 0, done.stderr

    return made_once(tmp_path_factory, "classroom", make)


@pytest.fixture
def classroom(graded_classroom: Path, tmp_path: Path) -> Path:
    """A copy of the graded course, which a test may change."""
    return Path(shutil.copytree(graded_classroom, tmp_path / "course"))


def enter(root: Path, cell: str, score: float | None, student: str = "ada") -> None:
    """Do what formgrader does."""
    with sqlite3.connect(root / "gradebook.db") as db:
        db.execute(
            "update grade set manual_score = ?, needs_manual_grade = 0 where cell_id in "
            "(select id from base_cell where name = ?) and notebook_id in "
            "(select n.id from submitted_notebook n join submitted_assignment a "
            "on a.id = n.assignment_id where a.student_id = ?)",
            (score, cell, student),
        )
    db.close()


def exported(root: Path, run: Run) -> dict[str, dict[str, str]]:
    done = run(root, "export", "small", "--to", "csv")
    return {row["student"]: row for row in csv.DictReader(done.stdout.splitlines())}


def page(root: Path, student: str = "ada") -> str:
    return find_course(root).feedback("small", student).read_text()


def test_a_score_of_formgrader_is_in_every_page_and_export_at_the_next_command(
    classroom: Path, run: Run
) -> None:
    assert exported(classroom, run)["ada"]["proof"] == ""
    enter(classroom, "proof", 1.5)
    row = exported(classroom, run)["ada"]
    assert (float(row["proof"]), float(row["earned"]), row["status"]) == (1.5, 6.5, "graded")
    assert nbgraders(classroom)["ada"] == 6.5
    (graded,) = json.loads(run(classroom, "export", "--to", "json").stdout)
    assert [one["earned"] for one in graded["students"] if one["student"] == "ada"] == [6.5]
    assert run(classroom, "grade").returncode == 0
    assert "6.5" in page(classroom)
    assert run(classroom, "report").returncode == 0
    report = (classroom / "report" / "small.html").read_text()
    assert "6.5" in report


def test_an_override_is_everywhere_at_once_and_has_its_history(classroom: Path, run: Run) -> None:
    words = (
        "override",
        "ada",
        "small",
        "scaled_sum",
        "3",
        "--why",
        "late notes",
        "--author",
        "omar",
    )
    done = run(classroom, *words, "--comment", "Talk to me.", "--extra", "0.25")
    assert done.stdout == (
        "ada, small: 5 of 7 points, pending before, 4.25 of 7 points, pending now\n"
    )
    assert "Talk to me." in page(classroom)
    assert nbgraders(classroom)["ada"] == 4.25
    assert float(exported(classroom, run)["ada"]["earned"]) == 4.25
    told = run(classroom, "history", "ada", "small").stdout
    assert "attempt 1" in told
    assert "score of scaled_sum_matches_reference: 3.0, by omar (late notes)" in told
    back = run(classroom, "override", "ada", "small", "scaled_sum", "none", "--why", "no, right")
    assert "5.25 of 7 points, pending now" in back.stdout
    assert nbgraders(classroom)["ada"] == 5.25


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("ada", "small", "scaled_sum", "5"), "scaled_sum has 4 points, not 5"),
        (("ada", "small", "scaled_sum", "many"), "points are a number"),
        (("ada", "small", "nothing", "1"), "small has no question 'nothing'; it has: scaled_sum"),
        (("cy", "small", "scaled_sum", "1"), "'cy' has no grade in small"),
        (("ada", "small"), "names STUDENT ASSIGNMENT QUESTION POINTS"),
        (("small", "--rename", "a", "b"), "small has no cell 'b'"),
        (("small", "--drop", "a"), "staff entered nothing for 'a' in small"),
    ],
)
def test_a_wrong_override_is_refused_in_words(
    classroom: Path, run: Run, words: tuple[str, ...], said: str
) -> None:
    done = run(classroom, "override", *words, "--why", "x")
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    assert not (classroom / "results" / "small" / "entries.jsonl").exists()


def test_a_request_is_listed_until_somebody_answers(classroom: Path, run: Run) -> None:
    asked = ("request", "ada", "small", "scaled_sum", "--why", "my factor is right")
    assert run(classroom, *asked).returncode == 0
    listed = run(classroom, "report")
    assert (listed.returncode, "ada asks for another look at 'scaled_sum'" in listed.stderr) == (
        1,
        True,
    )
    run(classroom, "override", "ada", "small", "scaled_sum", "4", "--why", "it is")
    assert run(classroom, "report").returncode == 0


def test_a_gradebook_that_is_gone_is_written_again_for_all(classroom: Path, run: Run) -> None:
    enter(classroom, "proof", 1.5)
    run(classroom, "report")
    (classroom / "gradebook.db").unlink()
    shutil.rmtree(classroom / "autograded")
    assert run(classroom, "grade").returncode == 0
    assert nbgraders(classroom) == {"ada": 6.5, "bo": NOTHING}
    assert find_course(classroom).autograded("small", "ada").is_file()


def test_a_gradebook_from_a_backup_is_written_again(classroom: Path, run: Run) -> None:
    shutil.copy(classroom / "gradebook.db", classroom / "backup.db")
    shutil.copytree(classroom / "submitted" / "ada", classroom / "submitted" / "cy")
    run(classroom, "grade")
    shutil.copy(classroom / "backup.db", classroom / "gradebook.db")
    assert run(classroom, "grade").returncode == 0
    assert nbgraders(classroom)["cy"] == 5.0


def test_what_staff_entered_for_a_renamed_question_is_kept_and_moved(
    classroom: Path, run: Run
) -> None:
    enter(classroom, "proof", 1.5)
    source = classroom / "assignments" / "small" / "small.py"
    source.write_text(source.read_text().replace('question="proof"', 'question="argument"'))
    assert run(classroom, "compile").returncode == 0
    told = run(classroom, "report")
    assert told.returncode == 1
    assert "small has no 'proof' any more, but 1 entries of staff's are kept for it" in told.stderr
    move = ("override", "small", "--rename", "proof", "argument", "--why", "renamed")
    assert run(classroom, *move).returncode == 0
    assert run(classroom, "report").returncode == 0
    assert nbgraders(classroom)["ada"] == 6.5


def test_a_late_policy_is_in_the_number_and_says_how(classroom: Path, run: Run) -> None:
    with (classroom / "course.toml").open("a") as file:
        file.write(
            "[late]\npercent_per_day = 10\nmost_percent = 50\n"
            "[assignments.small]\ndue = 2026-11-18T13:00:00+01:00\n"
        )
    row = exported(classroom, run)["ada"]
    assert float(row["earned"]) == pytest.approx(5.0 - 0.2 * 7)
    assert nbgraders(classroom)["ada"] == pytest.approx(3.6)
    run(classroom, "grade")
    assert "submitted 2 days late: 20 % of 7 points" in page(classroom)
    with sqlite3.connect(classroom / "gradebook.db") as db:
        db.execute("update assignment set duedate = '2026-11-20 11:30:00.000000'")
    db.close()
    assert float(exported(classroom, run)["ada"]["earned"]) == pytest.approx(5.0 - 0.7)


def test_who_submitted_nothing_is_in_the_export_of_a_roster(classroom: Path, run: Run) -> None:
    (classroom / "roster.csv").write_text(
        "student,first_name,last_name,email\nada,Amara,Okafor,a@x.org\ncy,Greta,Lind,g@x.org\n"
    )
    rows = exported(classroom, run)
    assert (rows["cy"]["earned"], rows["cy"]["status"]) == ("", "missing")
    run(classroom, "grade")
    assert "Amara Okafor" in page(classroom)
    run(classroom, "report")
    assert "Greta Lind" in (classroom / "report" / "small.html").read_text()


def test_who_withdraws_goes_and_that_is_recorded(classroom: Path, run: Run) -> None:
    assert run(classroom, "forget", "bo").returncode == 2
    assert "bo" in exported(classroom, run)
    assert run(classroom, "forget", "bo", "--yes", "--author", "omar").returncode == 0
    assert set(exported(classroom, run)) == {"ada"} == set(nbgraders(classroom))
    assert not (classroom / "submitted" / "bo" / "small").exists()
    assert not find_course(classroom).feedback("small", "bo").exists()
    (line,) = (classroom / "results" / "small" / "entries.jsonl").read_text().splitlines()
    entry = json.loads(line)
    assert (entry["student"], entry["field"], entry["author"]) == ("bo", "forgotten", "omar")
    assert run(classroom, "forget", "bo", "--yes").returncode == 2


def test_a_sample_is_graded_once_more_and_compared(classroom: Path, run: Run) -> None:
    done = run(classroom, "verify", "--sample", "2")
    assert done.stdout.splitlines()[-1] == "small: 2 submissions graded once more: all the same"
    stored = classroom / "results" / "small" / "ada.json"
    stored.write_text(stored.read_text().replace('"earned": 5.0', '"earned": 4.0', 1))
    done = run(classroom, "verify", "--sample", "2")
    assert done.returncode == 1
    assert "ada: 4 points are stored, 5 came now" in done.stdout


def test_a_damaged_journal_is_said_and_results_stay(classroom: Path, run: Run) -> None:
    run(classroom, "override", "ada", "small", "scaled_sum", "1", "--why", "x")
    journal = classroom / "results" / "small" / "entries.jsonl"
    journal.write_text("{")
    done = run(classroom, "report")
    assert "what staff entered, results/small/entries.jsonl, is damaged" in done.stderr
    assert done.returncode != 0
    assert (classroom / "results" / "small" / "ada.json").is_file()


def test_an_extension_of_nbgraders_and_its_own_penalty_are_on_the_page(
    classroom: Path, run: Run
) -> None:
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{classroom / 'gradebook.db'}") as gradebook:
        gradebook.find_submission_notebook("small", "small", "ada").late_submission_penalty = 2.0
        gradebook.db.commit()
    run(classroom, "grade")
    assert "the course&#39;s late policy" in page(classroom)
    assert float(exported(classroom, run)["ada"]["earned"]) == 3.0
    with (classroom / "course.toml").open("a") as file:
        file.write(
            "[late]\npercent_per_day = 10\n[assignments.small]\ndue = 2026-11-19T12:00:00Z\n"
        )
    assert float(exported(classroom, run)["ada"]["earned"]) == pytest.approx(4.3)
    with Gradebook(f"sqlite:///{classroom / 'gradebook.db'}") as gradebook:
        gradebook.grant_extension("small", "ada", hours=24)
    assert float(exported(classroom, run)["ada"]["earned"]) == 5.0
    (classroom / "gradebook.db").unlink()
    assert float(exported(classroom, run)["ada"]["earned"]) == 5.0, "it is in the journal"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("[late]\nmost_percent = 5\n", "late must have percent_per_day"),
        ("[late]\npercent_per_day = 500\n", "late.percent_per_day must be a number from 0 to 100"),
        ("[late]\nevery = 5\n", "a key of late must be one of percent_per_day"),
        ("[grades]\ndrop_lowest = -1\n", "grades.drop_lowest must be a whole number from 0 up"),
        ("[grades]\nbest = 2\n", "a key of grades must be drop_lowest or attempts, got 'best'"),
        (
            "[assignments.small]\ndue = 2026-12-01\n",
            "assignments.small.due must be a date and time with its zone",
        ),
    ],
)
def test_a_wrong_policy_is_refused_in_words(
    classroom: Path, run: Run, lines: str, said: str
) -> None:
    with (classroom / "course.toml").open("a") as file:
        file.write(lines)
    done = run(classroom, "report")
    assert (done.returncode, f"course.toml: {said}" in done.stderr) == (2, True), done.stderr


def test_a_gradebook_that_is_gone_comes_back_for_assignments_that_nobody_grades(
    classroom: Path, run: Run
) -> None:
    """As when one assignment is graded, and nothing of it is new."""
    for folder in ("assignments", "build", "release"):
        shutil.copytree(classroom / folder / "small", classroom / folder / "twin")
    for path in [*classroom.glob("*/twin/small*"), *classroom.glob("*/twin/*/small*")]:
        path.rename(path.with_name(path.name.replace("small", "twin")))
    shutil.rmtree(classroom / "build" / "twin")
    assert run(classroom, "compile", "twin").returncode == 0
    submitted = classroom / "submitted" / "ada"
    (submitted / "twin").mkdir()
    shutil.copy(
        classroom / "build" / "twin" / "twin_solution.ipynb", submitted / "twin" / "twin.ipynb"
    )
    assert run(classroom, "grade").returncode == 0
    (classroom / "gradebook.db").unlink()
    assert run(classroom, "grade", "small").returncode == 0
    with sqlite3.connect(classroom / "gradebook.db") as db:
        rows = db.execute("select name from assignment order by name").fetchall()
    db.close()
    assert rows == [("small",), ("twin",)]


LATE = "[late]\npercent_per_day = 10\n[assignments.small]\ndue = 2026-11-18T12:00:00Z\n"


def late(root: Path) -> None:
    with (root / "course.toml").open("a") as file:
        file.write(LATE)


def test_the_first_run_with_a_policy_says_one_number_everywhere(classroom: Path, run: Run) -> None:
    late(classroom)
    assert run(classroom, "grade").returncode == 0
    assert nbgraders(classroom)["ada"] == pytest.approx(3.6)
    report = (classroom / "report" / "small.html").read_text()
    assert "3.6" in report
    assert float(exported(classroom, run)["ada"]["earned"]) == pytest.approx(3.6)
    assert "3.6" in page(classroom)


def test_no_newer_submission_and_no_lost_stamp_takes_a_penalty_away(
    classroom: Path, run: Run
) -> None:
    late(classroom)
    run(classroom, "grade")
    (classroom / "submitted" / "ada" / "small" / "small.ipynb").write_text("newer")
    run(classroom, "grade", "--student", "bo")
    assert float(exported(classroom, run)["ada"]["earned"]) == pytest.approx(3.6)
    (classroom / "results" / "small" / ".recorded").unlink()
    assert float(exported(classroom, run)["ada"]["earned"]) == pytest.approx(3.6)
    assert nbgraders(classroom)["ada"] == pytest.approx(3.6)


@pytest.mark.parametrize("damage", [b"no database, " * 99, b"", None])
def test_no_damage_of_the_gradebook_stops_a_command(
    classroom: Path, run: Run, damage: bytes | None
) -> None:
    enter(classroom, "proof", 1.5)
    run(classroom, "report")
    path = classroom / "gradebook.db"
    path.write_bytes(path.read_bytes()[:4096] + b"?" * 8192 if damage is None else damage)
    assert float(exported(classroom, run)["ada"]["earned"]) == 6.5
    assert nbgraders(classroom)["ada"] == 6.5


def test_what_is_entered_while_we_write_is_seen_by_the_next_command(
    classroom: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from autograder.engines import grades

    wrapped = grades.write_gradebook

    def meddled(*given: object, **named: object) -> object:
        written = wrapped(*given, **named)  # type: ignore[arg-type]
        enter(classroom, "proof", 1.5)
        return written

    enter(classroom, "proof", 1.0)
    monkeypatch.setattr(grades, "write_gradebook", meddled)
    assert float(exported(classroom, run)["ada"]["earned"]) == 6.0
    monkeypatch.undo()
    assert float(exported(classroom, run)["ada"]["earned"]) == 6.5


def test_a_page_that_feedback_wrote_follows_what_is_taken_back(classroom: Path, run: Run) -> None:
    enter(classroom, "proof", 1.5)
    run(classroom, "feedback")
    assert "6.5" in page(classroom)
    enter(classroom, "proof", None)
    run(classroom, "grade")
    assert "6.5" not in page(classroom)


def test_a_gradebook_that_cannot_be_written_takes_no_override_from_a_page(
    classroom: Path, run: Run
) -> None:
    run(classroom, "override", "ada", "small", "scaled_sum", "1", "--why", "copied")
    before = page(classroom)
    (classroom / "gradebook.db").unlink()
    (classroom / "gradebook.db").mkdir()
    run(classroom, "override", "bo", "small", "scaled_sum", "1", "--why", "said it aloud")
    assert run(classroom, "grade").returncode == 3
    assert page(classroom) == before
    assert float(exported(classroom, run)["ada"]["earned"]) == 2.0


def test_what_is_asked_otherwise_now_is_open_and_said(classroom: Path, run: Run) -> None:
    source = classroom / "assignments" / "small" / "small.py"
    source.write_text(
        source.read_text().replace('"scaled_sum", points=4', '"scaled_sum", points=8')
    )
    assert run(classroom, "compile").returncode == 0
    done = run(classroom, "export", "small")
    assert done.returncode == 1
    assert "small asks something else since 2 of its submissions were graded" in done.stderr
    (row,) = (r for r in csv.DictReader(done.stdout.splitlines()) if r["student"] == "ada")
    assert (row["scaled_sum"], row["status"]) == ("", "needs_attention")
    assert run(classroom, "regrade", "small", "--apply").returncode == 0
    assert float(exported(classroom, run)["ada"]["scaled_sum"]) == 8.0
