"""`autograder serve`, as its users call it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress

from autograder.course import Course
from autograder.engines import serving
from autograder.engines.holding import holding
from tests.cli.conftest import ENVIRONMENT


def submit(root, student):
    folder = root / "submitted" / student / "small"
    folder.mkdir(parents=True)
    shutil.copy(root / "build" / "small" / "small_solution.ipynb", folder / "small.ipynb")


def test_it_grades_what_arrives_and_goes_on_where_it_was_killed(compiled, tmp_path):
    root = shutil.copytree(compiled, tmp_path / "course")
    submit(root, "ada")

    def start():
        return subprocess.Popen(
            [sys.executable, "-m", "autograder", "serve", "--jobs", "1"],
            cwd=root,
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            text=True,
        )

    def wait_for(student):
        path = root / "results" / "small" / f"{student}.json"
        deadline = time.monotonic() + 100
        while not path.is_file() and time.monotonic() < deadline:
            time.sleep(0.05)
        return json.loads(path.read_text())["earned"]

    first = start()
    try:
        assert wait_for("ada") == 5.0
    finally:
        os.kill(first.pid, signal.SIGKILL)
        first.communicate()
    submit(root, "bo")
    second = start()  # the lock of the first is gone with it
    try:
        said = ""
        while "small: 1 graded and recorded" not in said and (line := second.stdout.readline()):
            said += line
    finally:
        second.terminate()
    said += second.communicate()[0]
    assert second.returncode == 0, said
    assert "small: bo: 5 of 7, pending" in said
    assert wait_for("bo") == 5.0
    assert (root / "feedback" / "bo" / "small" / "small.html").is_file()
    assert "ada" not in said, "what is graded is not graded again"
    assert said.endswith("stopped; what was graded is stored, the same command goes on\n")
    for student in ("ada", "bo"):
        assert len(list((root / "results" / "small" / "history" / student).iterdir())) == 1


def test_a_signal_to_end_ends_it_though_an_import_swallows_what_it_raises(
    compiled, tmp_path, run, monkeypatch
):
    def step(*_):
        with suppress(BaseException):
            os.kill(os.getpid(), signal.SIGTERM)
        return []

    monkeypatch.setattr(serving, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(serving.Server, "_step", step)
    done = run(shutil.copytree(compiled, tmp_path / "course"), "serve")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("stopped; what was graded is stored, the same command goes on\n")


def test_what_cannot_be_served_is_said(compiled, tmp_path, run):
    done = run(compiled, "serve", "--once", "nothing")
    assert done.returncode == 2
    assert "there is no assignment 'nothing'" in done.stderr
    root = shutil.copytree(compiled, tmp_path / "course")
    done = run(root, "serve", "--exchange", "nowhere")
    assert done.returncode == 2
    assert "has no folder inbound" in done.stderr
    done = run(root, "serve", "--once", "--scheduler", "tls://there:1")
    assert done.returncode == 2
    assert "--scheduler is about a cluster; say --engine dask, too" in done.stderr


def test_where_a_course_is_served_no_other_command_grades(compiled, tmp_path, run):
    root = shutil.copytree(compiled, tmp_path / "course")
    submit(root, "ada")
    with holding(Course(root), "autograder serve", alone=True):
        for command in (["grade"], ["regrade", "--apply"]):
            done = run(root, *command)
            assert done.returncode == 2
            held = f"cannot start: autograder serve, process {os.getpid()} on "
            assert f"autograder: autograder {command[0]} {held}" in done.stderr
            assert "grades in this course; end that first" in done.stderr
    assert not (root / "results" / "small").exists()
    with holding(Course(root), "autograder grade"):  # as there is a file by now
        done = run(root, "serve", "--once")
        assert done.returncode == 2
        assert "autograder serve cannot start: autograder grade, process" in done.stderr


def test_a_class_of_nobody_is_served_too(compiled, tmp_path, run):
    done = run(shutil.copytree(compiled, tmp_path / "course"), "serve", "--once")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
