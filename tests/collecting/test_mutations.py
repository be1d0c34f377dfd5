"""Archives and notebooks that were changed at random end in a report, and in nothing else.

``AUTOGRADER_MUTATIONS=100000 python -m pytest tests/collecting/test_mutations.py`` tries more.
"""

import io
import os
import random
import tarfile
from contextlib import suppress
from functools import cache

import pytest

from autograder.collecting.collect import collect
from autograder.collecting.forms import FORMS
from autograder.course import find_course
from autograder.errors import StudentError
from autograder.grading.student_cells import read_cells
from tests.collecting.conftest import notebook, zipped

TRIES = int(os.environ.get("AUTOGRADER_MUTATIONS", "400"))
BATCHES = 8


@cache
def seeds():
    """Return good archives and a notebook, by the name that a file of them has."""
    work = notebook("import numpy as np", "def f(x):\n    return 2 * x")
    canvas = {
        "lovelaceada_1001_5_hw1.ipynb": work,
        "turingalan_LATE_1002_6_work.zip": zipped({"hw1.ipynb": work, "a.csv": b"1,2"}),
    }
    metadata = (
        "submission_1:\n  :submitters:\n  - :name: Ada Lovelace\n    :email: 'ada@example.edu'\n"
        "  :created_at: 2026-11-20 10:11:12.345678000 Z\n"
    )
    text = (
        "Name: Ada Lovelace (alovelace)\nDate Submitted: Friday, November 20, 2026 1:02:03 AM CST"
    )
    blackboard = "Homework_alovelace_attempt_2026-11-20-01-02-03"
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in ("ada/hw1.ipynb", f"alan/{'ü' * 60}/hw1.ipynb"):
            info = tarfile.TarInfo(name)
            info.size = len(work)
            archive.addfile(info, io.BytesIO(work))
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        info = tarfile.TarInfo("ada/hw1.ipynb")
        info.size = len(work)
        archive.addfile(info, io.BytesIO(work))
    return (
        ("canvas.zip", zipped(canvas)),
        ("stored.zip", zipped(canvas, 0)),
        (
            "gradescope.zip",
            zipped({"submission_metadata.yml": metadata, "submission_1/hw1.ipynb": work}),
        ),
        ("moodle.zip", zipped({"Ada Lovelace_7_assignsubmission_file_/hw1.ipynb": work})),
        ("blackboard.zip", zipped({f"{blackboard}_hw1.ipynb": work, f"{blackboard}.txt": text})),
        ("class.tar", tar.getvalue()),
        ("class.tar.gz", packed.getvalue()),
        ("ada.ipynb", work),
    )


def mutated(rng, data):
    """Return data in which some bytes are others, missing, twice, or of another file."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        at = rng.randrange(len(changed) + 1)
        length = min(rng.choice((1, 1, 2, 4, 30, 400)), len(changed) - at)
        way = rng.randrange(6)
        if way == 0:
            changed[at : at + length] = rng.randbytes(length)
        elif way == 1:
            del changed[at : at + length]
        elif way == 2:
            changed[at:at] = changed[at : at + length]
        elif way == 3:
            changed[at : at + length] = bytes([rng.choice((0, 0x7F, 0xFF))]) * length
        elif way == 4:
            _, other = rng.choice(seeds())
            start = rng.randrange(len(other))
            changed[at : at + length] = other[start : start + length]
        else:
            signature = rng.choice((b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06"))
            place = changed.find(signature)
            if place >= 0:
                place += rng.randrange(4, 46)
                changed[place : place + 1] = bytes([rng.choice((0, 1, 8, 0x41, 0xFF))])
    return bytes(changed)


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("batch", range(BATCHES))
def test_whatever_is_collected_there_is_a_report(root, tmp_path, batch):
    rng = random.Random(batch)
    course = find_course(root)
    forms = [None, None, None, *(form for form in FORMS if form not in ("git", "exchange"))]
    read = 0
    for number in range(TRIES // BATCHES):
        name, data = rng.choice(seeds())
        folder = tmp_path / "in"
        folder.mkdir(exist_ok=True)
        path = folder / name
        path.write_bytes(mutated(rng, data))
        source = folder if name.endswith(".ipynb") else path
        wrong = f"batch {batch}, mutation {number} of {name}"
        form = rng.choice(forms) if source == path else "folder"
        report = collect(course, [source], "hw1", form, dry_run=number % 10 != 0)
        said = [*report.lines(), *report.problems()]
        assert said, wrong
        assert all("\n" not in line and len(line) < 4000 for line in said), wrong
        read += len(report.taken)
        if source == folder:
            with suppress(StudentError):  # what grading says of it is one sentence, too
                read_cells(path.read_bytes())
        path.unlink()
    assert read  # some changes do no harm
    assert {p.name for p in (root / "submitted").glob("*")} <= {"ada", "alan"}
    ours = {"assignments", "course.toml", "roster.csv", "submitted"}
    assert {p.name for p in root.iterdir()} <= ours
    assert {p.name for p in tmp_path.iterdir()} == {"course", "in"}
