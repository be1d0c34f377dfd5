"""`nbgrader export` with our exporters: the number is ours, and nbgrader's where all is decided."""

import csv
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith("AUTOGRADER_")}


def run(programs, root, command, *arguments):
    """Run a command in a course."""
    done = subprocess.run(
        [programs / command, *arguments],
        cwd=root,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture
def call(warm):
    return partial(run, warm)


@pytest.fixture
def root(compiled, tmp_path, call):
    """A graded class of two, one of whom staff have scored by hand."""
    root = tmp_path / "course"
    shutil.copytree(compiled, root)
    for student in ("ada", "bo"):
        path = root / "submitted" / student / "small" / "small.ipynb"
        path.parent.mkdir(parents=True)
        shutil.copy(root / "build" / "small" / "small_solution.ipynb", path)
    call(root, "autograder", "grade")
    with closing(sqlite3.connect(root / "gradebook.db")) as database, database:
        changed = database.execute(
            "update grade set manual_score = 1.5, needs_manual_grade = 0 where auto_score is null "
            "and notebook_id in (select n.id from submitted_notebook n "
            "join submitted_assignment a on a.id = n.assignment_id where a.student_id = 'ada')"
        )
        assert changed.rowcount == 1
    (root / "roster.csv").write_text(
        "student,first_name,last_name,canvas_id\nada,Ada,Lovelace,31\n"
    )
    return root


def rows(path):
    with Path(path).open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_number_is_that_of_our_export_and_of_nbgraders_where_it_is_decided(root, call):
    plugin = "--exporter=autograder.nbgrader_hooks.exporters"
    call(root, "nbgrader", "export", f"{plugin}.GradesExportPlugin", "--to=ours.csv")
    call(root, "nbgrader", "export", "--to=theirs.csv")
    call(root, "autograder", "export", "small", "--out", "exported.csv")
    assert (root / "ours.csv").read_bytes() == (root / "exported.csv").read_bytes()
    ours = {row["student"]: row for row in rows(root / "ours.csv")}
    theirs = {row["student_id"]: row for row in rows(root / "theirs.csv")}
    assert float(ours["ada"]["earned"]) == float(theirs["ada"]["score"]) == 6.5
    assert (ours["ada"]["status"], ours["ada"]["proof"]) == ("graded", "1.5")
    assert (ours["bo"]["status"], ours["bo"]["proof"]) == ("pending", ""), "nbgrader counts a 0"
    said = call(root, "nbgrader", "export", f"{plugin}.CanvasExportPlugin", "--student=['ada']")
    assert "canvas.csv" in said.stderr
    (points, ada) = rows(root / "canvas.csv")
    assert (points["Small homework"], ada["ID"], ada["Small homework"]) == ("7", "31", "6.5")
