import dataclasses
import hashlib
import json
import os
import subprocess
import sys

import pytest

from autograder.artefacts.bundle import read_bundle
from autograder.artefacts.release import is_current, put_in_place, write
from autograder.compiler.fingerprint import fingerprint
from autograder.course import Course
from autograder.sandbox.limits import Limits

COMPILE = """
import hashlib, sys
from pathlib import Path
from autograder.compiler.build import build
from autograder.course import Course
made = build(Course(Path(sys.argv[1])), "hw")
for name, data in sorted({**made.release, "bundle": made.bundle, "s": made.solution}.items()):
    print(name, hashlib.sha256(data).hexdigest())
print(made.fingerprint)
"""
HEAVY = """
import sys
from pathlib import Path
from autograder.artefacts.release import is_current
from autograder.compiler.fingerprint import fingerprint
from autograder.course import Course
fingerprint(Course(Path(sys.argv[1])), "hw")
print([m for m in ("torch", "nbgrader", "jupytext", "nbformat", "IPython") if m in sys.modules])
"""


def python(code: str, *arguments: object, **environment: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout


def files_of(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


@pytest.fixture
def made(workshop):
    data = workshop.root / "assignments" / "hw" / "data" / "a.csv"
    data.parent.mkdir(parents=True)
    data.write_text("1")
    return workshop.compile("# %%\n### BEGIN SOLUTION\nanswer = {1, 2}\n### END SOLUTION").artefacts


def test_the_same_input_gives_the_same_bytes_in_every_process(made, workshop):
    files = {**made.release, "bundle": made.bundle, "s": made.solution}
    here = [f"{name} {hashlib.sha256(data).hexdigest()}" for name, data in sorted(files.items())]
    seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"  # another than this one's
    there = python(COMPILE, workshop.root, PYTHONHASHSEED=seed)
    assert there.splitlines() == [*here, made.fingerprint]


def test_published_folders_hold_what_the_layout_says(made, workshop):
    put_in_place(made, workshop.course)
    assert files_of(workshop.course.release("hw")) == sorted(made.release)
    assert files_of(workshop.course.build("hw")) == [
        "fingerprint",
        "hw.bundle",
        "hw_solution.ipynb",
        "manifest.json",
    ]
    bundle = read_bundle(workshop.course.bundle("hw"))
    assert bundle.manifest == made.manifest
    readable = json.loads((workshop.course.build("hw") / "manifest.json").read_text())
    assert readable["assignment"] == "hw"
    assert readable["files"] == bundle.manifest.files


def test_nothing_else_is_left_beside_them_and_what_is_old_goes(made, workshop):
    put_in_place(made, workshop.course)
    (workshop.course.release("hw") / "stale.txt").write_text("old")
    (workshop.root / "release" / ".hw.new").mkdir()
    put_in_place(made, workshop.course)
    assert files_of(workshop.root / "release") == sorted(f"hw/{name}" for name in made.release)
    assert [p.name for p in (workshop.root / "build").iterdir()] == ["hw"]


def test_an_audit_stays(made, workshop):
    put_in_place(made, workshop.course)
    build = workshop.course.build("hw")
    (build / "audit.json").write_bytes(b"1")
    put_in_place(made, workshop.course)
    assert (build / "audit.json").read_bytes() == b"1"


def test_a_crash_while_writing_leaves_the_former_release_whole(made, workshop, monkeypatch):
    put_in_place(made, workshop.course)
    before = files_of(workshop.root / "release")

    def crash(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("autograder.artefacts.release.write", crash)
    with pytest.raises(OSError, match="no space left"):
        put_in_place(dataclasses.replace(made, release={}), workshop.course)
    assert files_of(workshop.root / "release") == before
    assert is_current(workshop.course, "hw", made.fingerprint)


def test_artefacts_can_be_written_anywhere(made, tmp_path):
    write(made, tmp_path / "r", tmp_path / "b")
    assert "data/a.csv" in files_of(tmp_path / "r")
    assert (tmp_path / "b" / "hw.bundle").read_bytes() == made.bundle


def test_the_fingerprint_changes_with_everything_that_is_compiled(made, workshop):
    course = workshop.course
    seen = {fingerprint(course, "hw")}
    assert seen == {made.fingerprint}
    source = course.source("hw")
    files = (
        source,
        source.parent / "data" / "a.csv",
        course.root / "reference" / "new.py",
        course.root / "reference" / "new.csv",
    )
    for path in files:
        path.write_text((path.read_text() if path.exists() else "") + "\n# changed\n")
        seen.add(fingerprint(course, "hw"))
    tighter = Course(course.root, assignment_limits={"hw": Limits(call_seconds=1.0)})
    seen.add(fingerprint(tighter, "hw"))
    assert len(seen) == 6


def test_only_what_was_published_whole_is_current(made, workshop):
    course = workshop.course
    assert not is_current(course, "hw", made.fingerprint)
    put_in_place(made, course)
    assert is_current(course, "hw", made.fingerprint)
    assert not is_current(course, "hw", "another")
    (course.release("hw") / "hw.ipynb").unlink()
    assert not is_current(course, "hw", made.fingerprint)


def test_the_fingerprint_imports_nothing_heavy(made, workshop):
    assert python(HEAVY, workshop.root) == "[]\n"
