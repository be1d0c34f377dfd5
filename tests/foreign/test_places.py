"""Where an nbgrader course has its folders, and what is odd in them."""

import itertools
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from nbformat.notebooknode import from_dict
from nbgrader.utils import compute_checksum

from autograder.errors import HarnessError
from autograder.foreign import run
from autograder.foreign.course import find_nbgrader_course
from autograder.foreign.definition import Graded, SourceCell
from autograder.foreign.plan import NotebookPlan, Plan
from autograder.foreign.preloading import expected_of, preload_of
from autograder.foreign.preparing import prepare
from autograder.foreign.trial import plan_id
from tests.nbgrader_courses import answer, cell, given, scored, write

CELLS = answer("f", "### BEGIN SOLUTION\nf = 1\n### END SOLUTION"), scored("t", "assert f == 1")


def course_with(root, config=""):
    root.mkdir(exist_ok=True)
    (root / "nbgrader_config.py").write_text(f"c = get_config()\n{config}")
    return find_nbgrader_course(root)


def test_folders_are_where_the_configuration_says(tmp_path):
    for structure in (
        "{nbgrader_step}/{student_id}/{assignment_id}",
        "{nbgrader_step}/{assignment_id}/{student_id}",
        "{assignment_id}/{nbgrader_step}/{student_id}",
    ):
        root = tmp_path / structure[1:4]
        shutil.rmtree(root, ignore_errors=True)
        config = f"c.CourseDirectory.directory_structure = {structure!r}\n"
        config += "c.CourseDirectory.submitted_directory = 'handed in'\n"
        course = course_with(root, config)
        for step, student in (("source", "."), ("handed in", "Zoë Ö"), ("handed in", ".hidden")):
            place = structure.format(nbgrader_step=step, student_id=student, assignment_id="ps1")
            write(root / place / "p.ipynb", *CELLS)
        assert course.assignments() == ["ps1"]
        assert list(course.submitted("ps1")) == ["Zoë Ö"]
        assert course.autograded("ps1", "ada").is_relative_to(root)


IMPORTED = """
import sys
from pathlib import Path
from autograder.foreign.course import find_nbgrader_course

course = find_nbgrader_course(Path(sys.argv[1]))
print(course.root.name, *sorted({"isoduration", "rfc3987_syntax"}.intersection(sys.modules)))
"""


def test_what_a_course_is_read_with_builds_no_grammars(tmp_path):
    (tmp_path / "nbgrader_config.py").write_text("c = get_config()\n")
    command = [sys.executable, "-c", IMPORTED, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"{tmp_path.name}\n"


def test_a_database_beside_the_course_is_found_from_any_folder(tmp_path):
    course = course_with(tmp_path / "course", "c.CourseDirectory.db_url = 'sqlite:///own.db'\n")
    write(course.root / "source" / "ps1" / "p.ipynb", *CELLS)
    os.chdir(course.root / "source")
    prepare(find_nbgrader_course(), "ps1")
    assert (course.root / "own.db").is_file()
    assert not (course.root / "source" / "own.db").exists()


def test_a_source_that_has_changed_since_nbgrader_read_it_is_told(tmp_path):
    course = course_with(tmp_path)
    path = course.root / "source" / "ps1" / "p.ipynb"
    write(path, *CELLS)
    assert prepare(course, "ps1").changed == ()
    write(path, CELLS[0], scored("t", "assert f == 2", points=3))
    write(path.with_name("q.ipynb"), *CELLS)
    found = prepare(course, "ps1")
    assert found.changed == ("p/t", "q.ipynb")
    assert found.notebooks[0].tests["t"].source == "assert f == 1"


def test_what_is_odd_of_one_student_stops_no_other(tmp_path, monkeypatch):
    course = course_with(tmp_path)
    write(course.root / "source" / "ps1" / "p.ipynb", *CELLS)
    for student in ("ada", "b\\ob", "cyn"):
        write(course.root / "submitted" / student / "ps1" / "p.ipynb", *CELLS)
    definition = prepare(course, "ps1")
    plan = Plan(plan_id(definition), {"p": NotebookPlan((), {})})
    monkeypatch.setattr(run, "_plan", lambda *args: plan)
    asked = []

    class Asked:
        def grade(self, work, jobs):
            asked.extend(jobs)
            return ()

    class Silent:
        def begin(self, total):
            pass

        def say(self, text):
            pass

    found = run.grade_nbgrader(course, "ps1", Silent(), Asked())
    assert [job.student for job in asked] == ["ada", "cyn"]
    assert len(found.problems) == 1
    assert "ob" in found.problems[0]


def test_a_checksum_is_nbgraders():
    for marks in itertools.product((False, True), repeat=4):
        is_grade, is_solution, locked, is_task = marks
        for kind, points in (("code", 2.0), ("markdown", 0.5)):
            graded = Graded("id", "", "", kind, locked, points, is_grade, is_solution, is_task)
            theirs = cell("id", "é = 1\n", kind=kind)
            theirs.metadata["nbgrader"] = graded.metadata
            theirs = from_dict(theirs)
            assert graded.checksum_with("é = 1\n") == compute_checksum(theirs)


def test_modules_of_packages_are_imported_ahead_and_a_students_own_are_not():
    cells = [
        SourceCell("import numpy.linalg as la, os.path, helper.sub, nosuch.at_all, numpy.nosuch"),
        SourceCell("from numpy import fft, ones\nfrom . import other"),
        SourceCell("this is no Python"),
        SourceCell("from torch import nn\nfrom scipy import linalg", is_answer=True),
        SourceCell("from scipy import optimize", is_test=True),
    ]
    found = preload_of(cells, {"helper"})
    assert found == ["numpy", "numpy.fft", "numpy.linalg", "scipy", "scipy.linalg", "torch"]


def test_what_assignments_will_need_is_known_from_their_sources(tmp_path):
    course = course_with(tmp_path)
    folder = course.root / "source"
    write(folder / "ps1" / "p.ipynb", given("from scipy import fft"), *CELLS)
    write(folder / "ps1" / "q.ipynb", scored("u", "from scipy import optimize"))
    write(folder / "ps2" / "p.ipynb", answer("g", "from scipy import linalg\nimport torch"))
    (folder / "ps2" / "r.ipynb").write_text("no notebook")
    (folder / "ps2" / "nowhere.ipynb").symlink_to("nothing")
    expected = ["numpy", "scipy", "scipy.fft", "scipy.linalg", "torch"]
    assert expected_of(course, ["ps1", "ps2"]) == expected
    assert expected_of(course, ["ps1"]) == expected[:3]
    (folder / "ps1" / "scipy.py").write_text("")  # an assignment's own
    assert expected_of(course, ["ps1", "ps2"]) == ["numpy", "torch"]


def test_a_gradebook_of_an_older_nbgrader_is_told_with_what_to_do(tmp_path):
    course = course_with(tmp_path)
    write(course.root / "source" / "ps1" / "p.ipynb", *CELLS)
    with closing(sqlite3.connect(course.root / "gradebook.db")) as database:
        database.execute("CREATE TABLE assignment (id VARCHAR(32), name VARCHAR(128))")
    with pytest.raises(HarnessError, match=r"no such column.*nbgrader db upgrade"):
        prepare(course, "ps1")


def test_a_package_beside_a_notebook_is_no_library(tmp_path):
    course = course_with(tmp_path)
    write(course.root / "source" / "ps1" / "p.ipynb", given("import torch"), *CELLS)
    package = course.root / "source" / "ps1" / "torch" / "__init__.py"
    package.parent.mkdir()
    package.write_text("")
    found = prepare(course, "ps1")
    assert "torch" in found.modules
    assert found.preload == ("numpy",)
