"""A course with two assignments, and sources as their makers write them."""

import io
import json
import zipfile

import pytest

from autograder import cli
from autograder.collecting.collect import collect as collect_all
from autograder.course import find_course


def notebook(*sources):
    """Return a submitted file that is told from others by its cells."""
    cells = [
        {"cell_type": "code", "metadata": {}, "source": source, "outputs": []} for source in sources
    ]
    whole = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole).encode()


def zipped(files, packing=zipfile.ZIP_DEFLATED):
    """Return a zip of files by name."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", packing) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


@pytest.fixture
def root(tmp_path):
    """The folder of a course, whose roster knows ada, alan, grace and jose."""
    root = tmp_path / "course"
    for name in ("hw1", "hw2"):
        (root / "assignments" / name).mkdir(parents=True)
        (root / "assignments" / name / f"{name}.py").write_text("# %%\n")
    (root / "course.toml").write_text('name = "Small"\n')
    (root / "roster.csv").write_text(
        "Student,First Name,Last Name,Email,LMS id,Canvas id,Moodle id,Blackboard username\n"
        "ada,Ada,Lovelace,ada@example.edu,L1,1001,501,alovelace\n"
        "alan,Alan,Turing,alan@example.edu,L2,1002,502,aturing_1\n"
        "grace,Grace,Hopper,grace@example.edu,L3,1003,503,ghopper\n"
        "jose,José,Núñez-Ørsted,jose@example.edu,L4,1004,504,jnunez\n",
        encoding="utf-8",
    )
    return root


@pytest.fixture
def collect(root):
    """Collects sources into the course, and returns the report."""

    def collect(*paths, **options):
        return collect_all(find_course(root), list(paths), **options)

    return collect


@pytest.fixture
def run(root, monkeypatch, capsys):
    """Calls the command in the course; returns its exit code and what it printed."""

    def run(*arguments):
        monkeypatch.chdir(root)
        capsys.readouterr()
        try:
            code = cli.main(["collect", *map(str, arguments)])
        except SystemExit as left:
            code = left.code
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


@pytest.fixture
def submitted(root):
    """Returns a file of a submission in the course; None where there is none."""

    def submitted(student, name="hw1.ipynb", assignment="hw1"):
        path = root / "submitted" / student / assignment / name
        return path.read_bytes() if path.is_file() else None

    return submitted


def everything(folder):
    """Return all files below a folder, with what they hold and when they were written."""
    return {
        path: (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }
