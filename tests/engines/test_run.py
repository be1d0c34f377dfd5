"""A run always ends, and what happens to one student's files is that student's alone."""

import json
import os
import shutil

import pytest

from autograder import cli
from autograder.artefacts.results import digest_of
from autograder.engines.grades import class_grades, grades_without_gradebook
from autograder.engines.record import write_feedback_pages
from autograder.engines.regrade import regrade
from autograder.engines.run import grade_assignment, try_assignment
from autograder.engines.stamps import read_times
from autograder.engines.table import ENGINES
from autograder.errors import HarnessError, UsageError
from autograder.records.store import Store

NEWER = "A newer submission waits to be graded"


class Meddler:
    """Is told how a run goes on, and does something at one of its moments."""

    def __init__(self, at_begin=None, at_records=None):
        self.at_begin, self.at_records, self.said = at_begin, at_records, []

    def begin(self, total):
        if self.at_begin:
            self.at_begin()

    def advance(self, result):
        pass

    def say(self, text):
        self.said.append(text)
        if self.at_records:
            self.at_records()


def grade(classroom, **moments):
    return grade_assignment(classroom.course, "small", Meddler(**moments), workers=2)


def earned(run):
    return {student: result.earned for student, result in run.results.items()}


@pytest.mark.timeout(300)
def test_whatever_happens_to_files_while_a_class_is_graded_the_run_ends_and_the_next_completes(
    classroom,
):
    """Listing has been done when the meddling begins, reading has not."""
    students = (
        *("changed", "removed", "linked", "foldered", "piped", "renamed", "vanished", "emptied"),
        *("moved_link", "replaced_by_file", "honest"),
    )
    for student in students:
        classroom.submit(student, classroom.blank)
    submitted = classroom.root / "submitted"

    def meddle():
        path = classroom.path
        path("changed").write_text(classroom.right)
        path("removed").unlink()
        for student in ("linked", "foldered", "piped"):
            path(student).unlink()
        path("linked").symlink_to(path("honest"))
        path("foldered").mkdir()
        os.mkfifo(path("piped"))
        (submitted / "renamed").rename(submitted / "renamed_to")
        shutil.rmtree(submitted / "vanished")
        path("emptied").write_bytes(b"")
        (submitted / "moved_link").rename(submitted / "elsewhere")
        (submitted / "moved_link").symlink_to(submitted / "elsewhere")
        shutil.rmtree(submitted / "replaced_by_file")
        (submitted / "replaced_by_file").write_bytes(b"")
        classroom.submit("late", classroom.right)

    run = grade(classroom, at_begin=meddle)
    assert set(run.results) == set(students)
    notes = {student: result.notes for student, result in run.results.items()}
    missing = ("there is no small.ipynb in the submission",)
    assert notes["removed"] == notes["renamed"] == notes["vanished"] == missing
    no_file = ("small.ipynb is no regular file",)
    assert notes["linked"] == notes["foldered"] == notes["piped"] == no_file
    assert notes["moved_link"] == ("the folder of the submission is a link",)
    assert notes["replaced_by_file"] == ("small.ipynb cannot be read: Not a directory",)
    attention = {s for s, r in run.results.items() if r.status == "needs_attention"}
    assert attention == set(students) - {"changed", "honest"}
    assert (run.results["changed"].earned, run.results["honest"].earned) == (5.0, 0.0)
    assert run.results["changed"].submission == digest_of(classroom.right.encode())
    assert run.problems == ()

    again = grade(classroom)
    assert again.graded == ("elsewhere", "late", "renamed_to")
    assert again.results["late"].earned == 5.0
    (classroom.path("removed")).write_text(classroom.right)
    assert grade(classroom).graded == ("removed",)


def test_a_result_stands_under_the_digest_of_what_was_read(classroom):
    classroom.submit("ada", classroom.blank)
    grade(classroom, at_begin=lambda: classroom.submit("ada"))
    classroom.submit("ada", classroom.blank)
    run = grade(classroom)
    assert (run.graded, earned(run)) == (("ada",), {"ada": 0.0}), "the first was never graded"
    classroom.submit("ada")
    run = grade(classroom)
    assert (run.graded, earned(run)) == ((), {"ada": 5.0}), "this was, in the first run"


def graded_notebook(classroom, student):
    return classroom.course.autograded("small", student).read_text()


@pytest.mark.usefixtures("quickly")
def test_a_page_shows_the_notebook_that_got_its_verdict(classroom):
    """Who submits again while the records are written is for the next run."""
    classroom.submit("ada", classroom.right.replace("factor * total", "factor * total  # first"))
    stamp = classroom.path("ada").with_name("timestamp.txt")
    stamp.write_text("2026-10-01 12:00:00 UTC")

    def submit_again():
        classroom.submit("ada", classroom.blank)
        stamp.write_text("2026-10-02 12:00:00 UTC")

    grade(classroom, at_records=submit_again)
    assert "# first" in graded_notebook(classroom, "ada")
    page = classroom.course.feedback("small", "ada")
    assert NEWER not in page.read_text()
    shutil.rmtree(classroom.root / "feedback")
    shutil.rmtree(classroom.root / "autograded")
    classroom.submit("bo")
    run = grade_assignment(classroom.course, "small", Meddler(), students=["bo"])
    assert earned(run) == {"ada": 7.0, "bo": 7.0}
    assert (run.waiting, run.former) == (("ada",), ())
    assert NEWER in page.read_text(), "the page is about what is not there any more"
    assert not classroom.course.autograded("small", "ada").exists(), "what got it is not there"
    assert classroom.course.autograded("small", "bo").exists()
    run = grade(classroom)
    assert (earned(run), run.waiting) == ({"ada": 0.0, "bo": 7.0}, ())
    assert NEWER not in page.read_text()
    assert "# first" not in graded_notebook(classroom, "ada")


@pytest.mark.usefixtures("quickly")
def test_whoever_submits_again_and_is_not_graded_yet_reads_so(classroom):
    classroom.submit("ada")
    grade(classroom)
    page = classroom.course.feedback("small", "ada")
    classroom.submit("ada", classroom.blank)
    found = class_grades(classroom.course, "small")
    assert write_feedback_pages(classroom.course, found) == []
    assert NEWER in page.read_text()
    classroom.path("ada").unlink()
    classroom.path("ada").parent.rmdir()
    write_feedback_pages(classroom.course, found)
    assert NEWER not in page.read_text(), "what was graded is the last that is known"


@pytest.mark.usefixtures("quickly")
def test_no_notebook_of_an_earlier_submission_stands_for_one_that_cannot_be_read(classroom):
    classroom.submit("ada")
    grade(classroom)
    assert classroom.course.autograded("small", "ada").exists()
    classroom.submit("ada", "no notebook")
    grade(classroom)
    assert not classroom.course.autograded("small", "ada").exists()


@pytest.mark.usefixtures("quickly")
def test_a_timestamp_belongs_to_the_notebook_that_was_read_with_it(classroom, monkeypatch):
    from autograder.engines import record

    written = []

    def noted(course, bundle, results, problems):
        kept = read_times(course, "small")
        written.append({s: list(times.values())[-1] for s, times in kept.items()})
        return grades_without_gradebook(course, bundle, results)

    monkeypatch.setattr(record, "grades_now", noted)
    classroom.submit("ada")
    stamp = classroom.path("ada").with_name("timestamp.txt")
    stamp.write_text("first")
    grade(classroom, at_records=lambda: stamp.write_text("second"))
    classroom.submit("ada", classroom.blank)
    classroom.submit("bo")
    grade_assignment(classroom.course, "small", Meddler(), students=["bo"])
    grade(classroom)
    assert written == [{"ada": ["first"]}, {"ada": ["first"]}, {"ada": ["second"]}]


@pytest.mark.usefixtures("quickly")
def test_a_damaged_file_is_said_and_is_one_students(classroom):
    for student in ("ada", "bo", "cy", "dan", "eve"):
        classroom.submit(student)
    grade(classroom)
    results = classroom.course.results("small")
    (of_ada,) = (results / "history" / "ada").iterdir()
    of_ada.write_bytes(of_ada.read_bytes()[:100])
    shutil.rmtree(results / "history" / "bo")
    (results / "history" / "bo").write_text("no folder")
    (results / "cy.json").write_text("[]")  # put right from its history
    (results / "dan.json").unlink()
    (results / "dan.json").mkdir()
    (results / "gone.json").write_bytes(b"\xff\xfe")
    classroom.submit("new")
    classroom.submit("bo", classroom.blank)
    run = grade(classroom)
    assert earned(run) == dict.fromkeys(("ada", "bo", "cy", "eve", "new"), 7.0)
    assert run.graded == ("new",)
    name = of_ada.relative_to(classroom.root)
    assert (
        f"ada is not graded: the stored result {name} is damaged: not a result"
        in run.problems[0].text
    )
    assert "put it back from a backup, or move it away and grade again" in run.problems[0].text
    said = "\n".join(map(str, run.problems[1:]))
    assert "the result of bo is not stored: results/small/history/bo: File exists; put" in said
    assert "dan is not graded: results/small/dan.json: Is a directory; put" in said
    assert "gone is left out: the stored result results/small/gone.json is damaged" in said
    assert "dan is left out" in said
    assert str(classroom.root) not in said
    of_ada.unlink()
    for path in (results / "history" / "bo", results / "gone.json"):
        path.unlink()
    (results / "dan.json").rmdir()
    run = grade(classroom)
    assert run.problems == ()
    assert earned(run) == {**dict.fromkeys(("ada", "cy", "dan", "eve", "new"), 7.0), "bo": 0.0}


@pytest.mark.usefixtures("quickly")
def test_what_lies_where_a_page_belongs_is_said_and_is_one_students(classroom):
    for student in ("ada", "bo", "cy", "dan"):
        classroom.submit(student)
    course = classroom.course
    course.feedback("small", "ada").mkdir(parents=True)
    (classroom.root / "feedback" / "bo").write_text("no folder")
    course.autograded("small", "cy").parent.parent.mkdir(parents=True)
    course.autograded("small", "cy").parent.write_text("no folder")
    run = grade(classroom)
    assert earned(run) == dict.fromkeys(("ada", "bo", "cy", "dan"), 7.0)
    assert [problem.text.partition(";")[0] for problem in run.problems] == [
        "the pages of ada are not written: feedback/ada/small/small.html: Is a directory",
        "the pages of bo are not written: feedback/bo/small: Not a directory",
        "the pages of cy are not written: autograded/cy/small: File exists",
    ]
    assert course.feedback("small", "dan").is_file()
    assert course.report.is_file()
    course.feedback("small", "ada").rmdir()
    (classroom.root / "feedback" / "bo").unlink()
    course.autograded("small", "cy").parent.unlink()
    assert grade(classroom).problems == ()
    assert course.feedback("small", "ada").is_file()
    assert course.autograded("small", "cy").is_file()
    last = Meddler()
    grade_assignment(course, "small", last)
    assert last.said == [], "nothing is left to write"


@pytest.mark.parametrize("text", ["[]", "3", "{", '{"ada": 5}', "\0\xff", "[" * 100_000])
@pytest.mark.usefixtures("quickly")
def test_a_stamp_that_is_none_says_of_nothing(classroom, text):
    classroom.submit("ada")
    grade(classroom)
    stamp = classroom.course.results("small") / ".recorded"
    good = json.loads(stamp.read_text())
    stamp.write_text(text)
    grade(classroom)
    assert json.loads(stamp.read_text()) == good


@pytest.mark.usefixtures("quickly")
def test_a_trial_writes_nothing_and_says_what_is_damaged(classroom):
    classroom.submit("ada")
    classroom.submit("bo")
    grade(classroom)
    results = classroom.course.results("small")
    (results / "ada.json").write_text("damaged")
    (of_bo,) = (results / "history" / "bo").iterdir()
    of_bo.write_text("damaged")
    before = {path: path.read_bytes() for path in results.rglob("*") if path.is_file()}
    trial = try_assignment(classroom.course, "small", Meddler())
    assert trial.results == {}
    (problem,) = trial.problems
    assert problem.text.startswith("bo is not graded: ")
    assert {p: p.read_bytes() for p in results.rglob("*") if p.is_file()} == before


@pytest.mark.usefixtures("quickly")
def test_a_name_that_no_result_can_carry_is_told_and_graded_never(classroom):
    for student in ("a\\b", "x" * 251, "fine"):
        classroom.submit(student)
    run = grade(classroom)
    assert run.unfit == ("a\\b", "x" * 251)
    assert earned(run) == {"fine": 7.0}
    with pytest.raises(UsageError, match="submitted nothing"):
        grade_assignment(classroom.course, "small", Meddler(), students=["a\\b"])


@pytest.mark.usefixtures("quickly")
def test_a_bundle_of_another_assignment_that_is_damaged_leaves_that_out_of_the_report(classroom):
    course = classroom.course
    (course.root / "assignments" / "other").mkdir()
    course.root.joinpath("assignments", "other", "other.py").write_text("# %%\n")
    course.build("other").mkdir()
    course.bundle("other").write_bytes(b"no bundle")
    classroom.submit("ada")
    grade(classroom)
    shutil.copytree(course.results("small"), course.results("other"))
    course.report.unlink()
    run = grade(classroom)
    assert len(run.problems) == 1
    assert run.problems[0].text.startswith("other is not in the report: ")
    assert course.report.is_file()


@pytest.mark.usefixtures("quickly")
def test_the_results_of_a_full_disk_are_kept_and_the_next_run_goes_on(classroom, monkeypatch):
    for number in range(3):
        classroom.submit(f"s{number}")
    put, stored = Store.put, []

    def full(self, student, key, result, **more):
        if stored:
            raise OSError(28, "No space left on device", str(self.folder))
        stored.append(student)
        return put(self, student, key, result, **more)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "put", full)
        with pytest.raises(OSError, match="No space left"):
            grade(classroom)
    run = grade(classroom)
    assert len(run.graded) == 2
    assert earned(run) == {"s0": 7.0, "s1": 7.0, "s2": 7.0}


@pytest.mark.usefixtures("quickly")
def test_a_regrade_says_what_is_damaged_and_goes_on_with_the_others(classroom):
    for student in ("ada", "bo", "cy"):
        classroom.submit(student)
    grade(classroom)
    results = classroom.course.results("small")
    (results / "gone.json").write_text("damaged")
    (of_bo,) = (results / "history" / "bo").iterdir()
    of_bo.write_text("damaged")
    classroom.submit("cy", classroom.blank)
    found = regrade(classroom.course, "small", Meddler(), apply=False)
    assert [change.student for change in found.changes] == ["cy"]
    left_out, not_graded = found.problems
    assert left_out.text.startswith("gone is left out: ")
    assert not_graded.text.startswith("bo is not graded: ")
    applied = regrade(classroom.course, "small", Meddler(), apply=True)
    assert applied.changes == found.changes
    assert set(applied.problems) == set(found.problems)


@pytest.mark.usefixtures("quickly")
def test_records_that_can_be_written_are_when_others_cannot(classroom):
    classroom.submit("ada")
    gradebook = classroom.course.gradebook
    gradebook.unlink(missing_ok=True)
    gradebook.mkdir()
    with pytest.raises(HarnessError, match=r"^gradebook\.db cannot be written: unable to open"):
        grade(classroom)
    assert classroom.course.feedback("small", "ada").is_file()
    assert classroom.course.report.is_file()
    assert not (classroom.course.results("small") / ".recorded").exists()
    gradebook.rmdir()
    again = Meddler()
    run = grade_assignment(classroom.course, "small", again)
    assert (run.graded, run.problems) == ((), ())
    assert again.said == ["writing feedback and gradebook", "writing the report"]
    assert gradebook.is_file()


def test_an_engine_is_a_row_of_the_table(classroom, quickly, monkeypatch, capsys):
    asked = []

    def elsewhere(work, jobs, workers):
        asked.append((work.bundle.name, [job.student for job in jobs], workers))
        yield from ENGINES["local"](work, jobs, workers)

    monkeypatch.setitem(ENGINES, "elsewhere", elsewhere)
    monkeypatch.chdir(classroom.root)
    classroom.submit("ada")
    assert cli.main(["regrade", "--preview", "--engine", "elsewhere", "--jobs", "3"]) == 0
    assert cli.main(["grade", "--engine", "elsewhere", "--jobs", "2"]) == 0
    assert asked == [("small.bundle", ["ada"], 3), ("small.bundle", ["ada"], 2)]
    assert cli.main(["grade"]) == 0
    assert len(asked) == 2
    with pytest.raises(SystemExit):
        cli.main(["grade", "--engine", "nowhere"])
    assert "invalid choice: 'nowhere' (choose from" in capsys.readouterr().err
