"""The best of several attempts, or the last: every page, export and gradebook says the same."""

import csv
import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from autograder.course import find_course
from tests.cli.conftest import Run
from tests.cli.handed import Class, nbgraders

BEST = '[grades]\nattempts = "best"\n'
LATE = "[late]\npercent_per_day = 10\n[assignments.small]\ndue = 2026-11-17T12:00:00Z\n"


@pytest.fixture
def school(compiled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Class:
    """A compiled course in which nobody has handed in, and the best attempt counts."""
    root = tmp_path / "course"
    shutil.copytree(compiled, root)
    found = Class(root, monkeypatch)
    found.configure(BEST)
    return found


def graded(school: Class, run: Run, *arguments: str) -> str:
    done = run(school.root, "grade", "small", *arguments)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def row(school: Class, run: Run, student: str = "ada") -> dict[str, str]:
    done = run(school.root, "export", "small", "--to", "csv")
    return {one["student"]: one for one in csv.DictReader(done.stdout.splitlines())}[student]


def page(school: Class, student: str = "ada") -> str:
    return find_course(school.root).feedback("small", student).read_text()


def test_the_last_counts_unless_the_course_says_otherwise(school: Class, run: Run) -> None:
    school.configure("")
    school.hand_in("ada", 0, scaled_sum=4, choice=1, proof=0)
    graded(school, run)
    school.hand_in("ada", 1, scaled_sum=1, choice=1, proof=0)
    graded(school, run)
    assert float(row(school, run)["earned"]) == 2.0 == nbgraders(school.root)["ada"]
    assert "attempt" not in row(school, run)
    assert "attempt 2 of 2 counts: the last" in run(school.root, "history", "ada", "small").stdout
    assert not (school.root / "results" / "small" / "attempts").exists()


def test_the_best_attempt_counts_as_a_whole_and_everything_says_so(school: Class, run: Run) -> None:
    for day, points in enumerate(((1, 1), (4, 0), (3, 0))):
        school.hand_in("ada", day, scaled_sum=points[0], choice=points[1], proof=0)
        graded(school, run)
    found = row(school, run)
    assert (float(found["earned"]), found["scaled_sum"], found["choice"]) == (4.0, "4.0", "0.0")
    said = "attempt 2 of 3 counts: the best"
    assert found["attempt"] == said
    assert nbgraders(school.root)["ada"] == 4.0
    assert "Attempt 2 of 3 counts: the best." in page(school)
    run(school.root, "report")
    assert said in (school.root / "report" / "small.html").read_text()
    told = run(school.root, "history", "ada", "small").stdout
    assert said in told
    assert told.count("graded by bundle") == 3
    (of_json,) = json.loads(run(school.root, "export", "--to", "json").stdout)
    assert [(one["earned"], one["attempt"]) for one in of_json["students"]] == [(4.0, said)]
    junit = run(school.root, "export", "--to", "junit").stdout
    assert f'name="attempt" value="{said}"' in junit


def test_the_penalty_of_each_attempt_is_its_own(school: Class, run: Run) -> None:
    school.configure(BEST + LATE)
    school.hand_in("ada", 1, scaled_sum=3, choice=1, proof=0)
    graded(school, run)
    school.hand_in("ada", 3, scaled_sum=4, choice=1, proof=0)  # 5 points, less 2 * 0.7
    graded(school, run)
    found = row(school, run)
    assert (float(found["earned"]), float(found["penalty"])) == (4.0, 0.0)
    assert found["attempt"] == "attempt 1 of 2 counts: the best"
    assert nbgraders(school.root)["ada"] == 4.0
    with sqlite3.connect(school.root / "gradebook.db") as db:
        db.execute("update submitted_assignment set extension = '1970-01-02 00:00:00.000000'")
    db.close()
    found = row(school, run)
    assert (float(found["earned"]), float(found["penalty"])) == (pytest.approx(4.3), 0.7)
    assert nbgraders(school.root)["ada"] == pytest.approx(4.3)


def test_of_equal_attempts_the_one_with_less_penalty_counts_then_the_newest(
    school: Class, run: Run
) -> None:
    school.hand_in("ada", 0, scaled_sum=4, choice=0, proof=0)
    graded(school, run)
    school.hand_in("ada", 1, scaled_sum=3, choice=1, proof=0)
    graded(school, run)
    assert row(school, run)["attempt"] == "attempt 2 of 2 counts: the best"
    school.configure(BEST + LATE.replace("percent_per_day = 10", "percent_per_day = 100"))
    school.hand_in("bo", 0, scaled_sum=0, choice=0, proof=0)
    graded(school, run)
    school.hand_in("bo", 4, scaled_sum=4, choice=0, proof=0)
    graded(school, run)
    assert row(school, run, "bo")["attempt"] == "attempt 1 of 2 counts: the best"


def test_the_notebook_that_staff_see_is_that_of_the_attempt_that_counts(
    school: Class, run: Run
) -> None:
    release = school.root / "release" / "small" / "small.ipynb"
    for day, points in enumerate((4, 1)):
        notebook = json.loads(release.read_text())
        notebook["cells"].append(
            {"cell_type": "markdown", "metadata": {}, "id": "mine", "source": [f"try {day}"]}
        )
        text = release.read_text()
        release.write_text(json.dumps(notebook))
        school.hand_in("ada", day, scaled_sum=points, proof=0)
        release.write_text(text)
        graded(school, run)
    shown = find_course(school.root).autograded("small", "ada")
    assert "try 0" in shown.read_text()
    assert "try 1" not in shown.read_text()
    shutil.rmtree(school.root / "results" / "small" / "attempts")
    (school.root / "results" / "small" / ".recorded").unlink()
    graded(school, run)
    assert not shown.exists(), "no other attempt's stands in its place"
    assert "Attempt 1 of 2 counts: the best." in page(school)


def test_an_attempt_that_broke_costs_nothing_and_is_graded_again_though_replaced(
    school: Class, run: Run
) -> None:
    school.hand_in("ada", 0, scaled_sum=3, choice=0, proof=0)
    graded(school, run)
    school.hand_in("ada", 1, scaled_sum=4, choice="broken", proof=0)
    graded(school, run)
    found = row(school, run)
    assert (float(found["earned"]), found["status"]) == (3.0, "needs_attention")
    school.hand_in("ada", 2, scaled_sum=1, choice="broken", proof=0)
    assert "graded 2 submissions" in graded(school, run), "the one before is tried again"
    found = row(school, run)
    assert (float(found["earned"]), found["status"]) == (3.0, "needs_attention")
    assert found["attempt"].startswith("attempt 1 of 3 counts so far: the best of what is graded")
    assert "could not be graded yet" in page(school)
    assert nbgraders(school.root)["ada"] == 3.0
    school.hand_in("ada", 3, scaled_sum=2, choice=0, proof=0)
    for _ in range(2):  # the second run has the earlier ones alone
        graded(school, run)
    assert json.loads((school.root / "results" / "small" / "ada.json").read_text())["earned"] == 2


def test_what_cannot_come_to_more_keeps_nothing_open(school: Class, run: Run) -> None:
    school.hand_in("ada", 0, scaled_sum=4, choice=1, proof=0)
    graded(school, run)
    school.hand_in("ada", 1, scaled_sum=1, choice="broken", proof=0)
    graded(school, run)
    found = row(school, run)
    assert (float(found["earned"]), found["status"]) == (5.0, "graded")


def test_an_attempt_that_waits_for_a_gpu_keeps_the_grade_open_with_the_best_so_far(
    school: Class, run: Run
) -> None:
    school.hand_in("ada", 0, scaled_sum=3, choice=0, proof=0)
    graded(school, run)
    school.hand_in("ada", 1, scaled_sum="gpu", choice=1, proof=0)
    graded(school, run)
    found = row(school, run)
    assert (float(found["earned"]), found["status"]) == (3.0, "pending")
    assert "of 7 points so far" in page(school)
    told = run(school.root, "export", "small", "--to", "gradescope", "--student", "ada").stdout
    assert "score" not in json.loads(told), "it is not decided"


def test_an_attempt_that_waits_for_staff_is_shown_to_them_and_then_the_best_counts(
    school: Class, run: Run
) -> None:
    school.hand_in("ada", 0, scaled_sum=4, choice=1, proof=0)
    graded(school, run)
    school.hand_in("ada", 1, scaled_sum=4, choice=0)
    graded(school, run)
    found = row(school, run)
    assert (found["status"], found["proof"]) == ("pending", "")
    assert "another one has 5 points, and no less will count" in found["attempt"]
    school.enter("ada", "proof", 0.5)
    found = row(school, run)
    assert found["attempt"] == "attempt 1 of 2 counts: the best", "4.5 is less than 5"
    report = run(school.root, "report")
    assert report.returncode == 0
    assert "look again" in (school.root / "report" / "small.html").read_text()
    school.enter("ada", "proof", 1.5)
    found = row(school, run)
    assert (float(found["earned"]), found["status"]) == (6.5, "graded")


def test_an_answer_that_was_left_untouched_wins_nothing_by_the_score_of_another(
    school: Class, run: Run
) -> None:
    school.hand_in("ada", 0, scaled_sum=4, choice=1, proof=0)
    graded(school, run)
    school.hand_in("ada", 1, scaled_sum=4, choice=0)
    graded(school, run)
    school.enter("ada", "proof", 1.5)
    found = row(school, run)
    assert (float(found["earned"]), found["attempt"]) == (5.5, "attempt 2 of 2 counts: the best")
    assert nbgraders(school.root)["ada"] == 5.5


def test_staffs_score_of_another_attempts_answer_asks_for_another_look(
    school: Class, run: Run
) -> None:
    school.hand_in("ada", None, scaled_sum=3, choice=0)
    graded(school, run)
    school.enter("ada", "proof", 2.0)
    assert float(row(school, run)["earned"]) == 5.0
    school.hand_in("ada", None, scaled_sum=1, choice=0)
    graded(school, run)
    run(school.root, "report")
    report = school.root / "report" / "small.html"
    assert "Something changed since staff entered these" not in report.read_text()
    school.hand_in("ada", None, scaled_sum=4, choice=0)
    graded(school, run)
    assert row(school, run)["attempt"] == "attempt 3 of 3 counts: the best"
    run(school.root, "report")
    assert "staff gave 2 points; another attempt was submitted since" in report.read_text()
    assert nbgraders(school.root)["ada"] == 6.0 == float(row(school, run)["earned"])


def test_what_is_again_as_staff_scored_it_needs_no_other_look(school: Class, run: Run) -> None:
    school.hand_in("ada", 0, scaled_sum=3, choice=0, proof=0)
    graded(school, run)
    school.enter("ada", "scaled_sum_matches_reference", 2.0)
    assert float(row(school, run)["earned"]) == 2.0
    stored = school.root / "results" / "small" / "ada.json"
    data = stored.read_bytes()
    stored.write_bytes(b"damaged")
    assert run(school.root, "report").returncode == 1
    stored.write_bytes(data)
    assert run(school.root, "report").returncode == 0
    assert "another attempt" not in (school.root / "report" / "small.html").read_text()
    assert float(row(school, run)["earned"]) == 2.0 == nbgraders(school.root)["ada"]


def test_an_attempt_without_a_time_has_none_in_the_gradebook(school: Class, run: Run) -> None:
    times = []
    for day, points in ((5, 1), (None, 4)):
        school.hand_in("ada", day, scaled_sum=points, choice=0, proof=0)
        graded(school, run)
        with sqlite3.connect(school.root / "gradebook.db") as db:
            times += db.execute("select timestamp from submitted_assignment").fetchone()
        db.close()
    assert times == ["2026-11-21 12:00:00.000000", None]


def test_attempts_of_a_name_that_is_written_otherwise_now_count(school: Class, run: Run) -> None:
    school.configure(BEST + LATE)
    for day, points in enumerate((4, 1)):
        school.hand_in("zoe\u0301", day, scaled_sum=points, choice=0, proof=0)
        graded(school, run)
    (school.root / "submitted" / "zoe\u0301").rename(school.root / "submitted" / "zo\xe9")
    graded(school, run)
    found = row(school, run, "zo\xe9")
    assert (found["earned"], found["penalty"]) == ("4.0", "0.0")
    assert found["attempt"] == "attempt 1 of 2 counts: the best"
    assert nbgraders(school.root) == {"zo\xe9": 4.0}
    assert "nothing to grade" in graded(school, run)


def test_what_collect_put_away_ungraded_is_an_attempt_too(school: Class, run: Run) -> None:
    school.hand_in("ada", 0, scaled_sum=4, choice=1, proof=0)
    own = school.root / "submitted" / "ada"
    (own / ".attempts" / "small").mkdir(parents=True)
    (own / "small").rename(own / ".attempts" / "small" / "2026-11-16T12-00-00Z")
    school.hand_in("ada", 1, scaled_sum=1, choice=0, proof=0)
    assert "graded 2 submissions" in graded(school, run)
    found = row(school, run)
    assert (float(found["earned"]), found["attempt"]) == (5.0, "attempt 1 of 2 counts: the best")
    assert "nothing to grade" in graded(school, run)


def test_the_same_notebook_twice_is_one_attempt_at_its_first_time(school: Class, run: Run) -> None:
    school.configure(BEST + LATE)
    for day in (0, 4, 0, 4):
        school.hand_in("ada", day, scaled_sum=4, choice=1, proof=0)
        graded(school, run)
    found = row(school, run)
    assert (float(found["earned"]), found["attempt"]) == (5.0, "")


def test_a_regrade_reaches_every_attempt_whose_notebook_is_kept(school: Class, run: Run) -> None:
    for day, points in enumerate((4, 1)):
        school.hand_in("ada", day, scaled_sum=points, choice=0, proof=0)
        graded(school, run)
    source = school.root / "assignments" / "small" / "small.py"
    source.write_text(source.read_text().replace("Add up and scale.", "Add up, and scale."))
    assert run(school.root, "compile", "small").returncode == 0
    before = row(school, run)["attempt"]
    assert before.startswith("attempt 1 of 2 counts: the best; graded by former checks (bundle ")
    stored = school.root / "results" / "small" / "attempts"
    kept = school.root / "kept"
    shutil.move(stored, kept)
    run(school.root, "regrade", "small", "--apply")
    found = row(school, run)
    assert (float(found["earned"]), found["attempt"]) == (4.0, before), "what is stored stands"
    shutil.rmtree(stored, ignore_errors=True)
    shutil.move(kept, stored)
    run(school.root, "regrade", "small", "--apply")
    assert row(school, run)["attempt"] == "attempt 1 of 2 counts: the best"


def test_a_damaged_earlier_result_is_said_and_the_newest_counts(school: Class, run: Run) -> None:
    for day, points in enumerate((4, 1)):
        school.hand_in("ada", day, scaled_sum=points, choice=0, proof=0)
        graded(school, run)
    newest = (school.root / "results" / "small" / "ada.json").read_bytes()
    for path in (school.root / "results" / "small" / "history" / "ada").iterdir():
        if path.read_bytes() != newest:
            path.write_text("{")
    done = run(school.root, "export", "small")
    assert done.returncode == 1
    assert "earlier attempts of ada are left out: the stored result" in done.stderr
    assert float(row(school, run)["earned"]) == 1.0
    shutil.rmtree(history := school.root / "results" / "small" / "history" / "ada")
    history.write_text("in the way")
    done = run(school.root, "export", "small")
    assert "earlier attempts of ada are left out: results/small/history/ada: Not a" in done.stderr
    (school.root / "results" / "names.jsonl").write_text("x\n")
    done = run(school.root, "export", "small")
    assert (done.returncode, "entered, results/names.jsonl, is damaged" in done.stderr) == (3, True)


def test_who_withdraws_leaves_no_attempt_behind(school: Class, run: Run) -> None:
    for day in (0, 1):
        school.hand_in("ada", day, scaled_sum=day, choice=0, proof=0)
        school.hand_in("bo", day, scaled_sum=day, choice=0, proof=0)
        graded(school, run)
    assert run(school.root, "forget", "ada", "--yes").returncode == 0
    assert list((school.root / "results" / "small").rglob("*ada*")) == []
    for name in (".times", ".counted"):
        assert '"ada"' not in (school.root / "results" / "small" / name).read_text(), name


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            '[grades]\nattempts = "worst"\n',
            'grades.attempts must be "last" or "best", got \'worst\'',
        ),
        (
            "[assignments.small]\nattempts = 2\n",
            'assignments.small.attempts must be "last" or "best", got 2',
        ),
        (
            '[assignments.small]\nteams = "yes"\n',
            "assignments.small.teams must be true or false, got 'yes'",
        ),
    ],
)
def test_a_wrong_setting_is_refused_in_words(
    school: Class, run: Run, lines: str, said: str
) -> None:
    school.configure(lines)
    done = run(school.root, "report")
    assert (done.returncode, f"course.toml: {said}" in done.stderr) == (2, True), done.stderr


def test_an_assignment_may_decide_for_itself(school: Class, run: Run) -> None:
    school.configure(BEST + '[assignments.small]\nattempts = "last"\n')
    for day, points in enumerate((4, 1)):
        school.hand_in("ada", day, scaled_sum=points, choice=0, proof=0)
        graded(school, run)
    assert float(row(school, run)["earned"]) == 1.0
