"""What lies in a submission is read once, as what it is, or said why not."""

import os
import socket
import threading
from pathlib import Path

import pytest

from autograder.artefacts.results import digest_of
from autograder.errors import StudentError
from autograder.grading import intake
from autograder.grading.intake import MAX_BYTES, Submitted, read_submission_file, read_submitted


@pytest.fixture
def path(tmp_path):
    """The place of a submission, in a folder that is there."""
    path = tmp_path / "submitted" / "ada" / "hw" / "hw.ipynb"
    path.parent.mkdir(parents=True)
    return path


def test_a_file_is_read_as_it_is(path):
    path.write_bytes(b"anything")
    assert read_submission_file(path) == b"anything"
    assert read_submitted(path) == Submitted(b"anything")
    path.write_bytes(b"")
    assert read_submission_file(path) == b""


def test_a_path_from_the_working_directory_is_read_too(path, tmp_path, monkeypatch):
    path.write_bytes(b"anything")
    monkeypatch.chdir(tmp_path)
    assert read_submission_file(path.relative_to(tmp_path)) == b"anything"


def test_a_file_near_the_top_of_the_file_system_is_read_too():
    assert read_submission_file(Path("/etc/passwd")) == Path("/etc/passwd").read_bytes()
    with pytest.raises(StudentError, match=r"^there is no none\.ipynb in the submission"):
        read_submission_file(Path("/none.ipynb"))


def test_a_missing_file_is_the_students_error(path):
    missing = r"^there is no hw\.ipynb in the submission$"
    with pytest.raises(StudentError, match=missing):
        read_submission_file(path)
    path.parent.rmdir()
    with pytest.raises(StudentError, match=missing):
        read_submission_file(path)
    path.parent.write_bytes(b"")
    with pytest.raises(StudentError, match=r"^hw\.ipynb cannot be read: Not a directory$"):
        read_submission_file(path)


def test_a_giant_file_is_refused_before_it_is_read(path, monkeypatch):
    with path.open("wb") as file:
        file.truncate(1 << 40)  # a terabyte that takes no place
    with monkeypatch.context() as patch:
        patch.setattr(intake, "_read", lambda *_: pytest.fail("it was read"))
        with pytest.raises(StudentError, match=r"^hw\.ipynb has 1048576 MB; at most 64 MB are"):
            read_submission_file(path)
    with path.open("r+b") as file:
        file.truncate(MAX_BYTES)
    assert len(read_submission_file(path)) == MAX_BYTES


def test_a_file_that_grows_while_it_is_read_is_read_no_further_than_allowed(path, monkeypatch):
    monkeypatch.setattr(intake, "MAX_BYTES", 3 << 20)
    path.write_bytes(b"x")
    read, asked = os.read, []

    def grow(file, size):
        with path.open("ab") as more:
            more.write(bytes(1 << 20))
        asked.append(size)
        return read(file, size)

    monkeypatch.setattr(os, "read", grow)
    with pytest.raises(StudentError, match=r"^hw\.ipynb has 3 MB; at most 3 MB are read$"):
        read_submission_file(path)
    assert sum(asked) <= (3 << 20) + 1 + len(asked) * intake.BLOCK
    assert len(asked) < 10


@pytest.mark.parametrize("kind", ["link", "dangling", "folder", "fifo", "socket"])
def test_what_is_no_regular_file_is_refused_and_waits_for_nothing(path, kind, monkeypatch):
    (path.parent / "other").write_bytes(b"of another student")
    monkeypatch.chdir(path.parent)
    if kind == "link":
        path.symlink_to(path.parent / "other")
    elif kind == "dangling":
        path.symlink_to(path.parent / "nothing")
    elif kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    with pytest.raises(StudentError, match=r"^hw\.ipynb is no regular file$"):
        read_submission_file(path)


@pytest.mark.parametrize("depth", [0, 1])
def test_a_folder_that_is_a_link_is_not_followed(path, depth):
    path.write_bytes(b"of another student")
    folder = path.parents[depth]
    elsewhere = folder.with_name("elsewhere")
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)
    assert path.read_bytes() == b"of another student"
    with pytest.raises(StudentError, match=r"^the folder of the submission is a link$"):
        read_submission_file(path)


def test_a_link_that_staff_made_above_submitted_is_followed(path, tmp_path):
    path.write_bytes(b"anything")
    (tmp_path / "course").symlink_to(tmp_path)
    assert read_submission_file(tmp_path / "course" / path.relative_to(tmp_path)) == b"anything"


@pytest.mark.parametrize("depth", [0, 1])
def test_a_folder_that_becomes_a_link_after_it_was_opened_changes_nothing(path, depth, monkeypatch):
    """What was opened is read, whatever its path names by then."""
    path.write_bytes(b"mine")
    other = path.parents[2] / "bo" / "hw" / "hw.ipynb"
    other.parent.mkdir(parents=True)
    other.write_bytes(b"of another student")
    opened, done = os.open, []

    def swap(name, *rest, **more):
        descriptor = opened(name, *rest, **more)
        if name == path.parents[depth].name and not done:
            done.append(name)
            path.parents[depth].rename(path.parents[2] / "gone")
            path.parents[depth].symlink_to(other.parents[depth])
        return descriptor

    monkeypatch.setattr(os, "open", swap)
    assert read_submission_file(path) == b"mine"
    assert done


def test_a_file_that_is_always_being_replaced_is_read_whole_or_said_to_be_missing(path):
    over = threading.Event()
    texts = [bytes([n]) * 100_000 for n in range(8)]
    path.write_bytes(texts[0])

    def meddle():
        number = 0
        while not over.is_set():
            number += 1
            new = path.with_suffix(".new")
            new.write_bytes(texts[number % 8])
            new.replace(path)
            if number % 5 == 0:
                path.unlink()

    thread = threading.Thread(target=meddle)
    thread.start()
    try:
        found = [read_submitted(path) for _ in range(300)]
    finally:
        over.set()
        thread.join()
    assert {one.data for one in found if one.problem is None} <= set(texts)
    problems = {one.problem for one in found} - {None}
    assert all(said.startswith("there is no hw.ipynb in the submission") for said in problems)


def test_no_descriptor_stays_open(path):
    before = os.listdir("/proc/self/fd")
    path.write_bytes(b"anything")
    read_submitted(path)
    path.unlink()
    read_submitted(path)
    os.mkfifo(path)
    read_submitted(path)
    assert os.listdir("/proc/self/fd") == before


def test_what_cannot_be_read_has_a_name_by_its_reason(path):
    missing = read_submitted(path)
    assert missing.problem == "there is no hw.ipynb in the submission"
    assert missing.data == b""
    path.mkdir()
    assert len({missing.digest, read_submitted(path).digest, digest_of(b"")}) == 3


def test_a_timestamp_is_read_beside_its_notebook_and_never_through_a_link(path):
    path.write_bytes(b"anything")
    stamp = path.with_name("timestamp.txt")
    stamp.write_text("2026-10-01 12:00:00 UTC\n")
    assert read_submitted(path).timestamp == "2026-10-01 12:00:00 UTC\n"
    stamp.write_bytes(b"\xff" * 1000)
    assert read_submitted(path).timestamp == "\ufffd" * 100
    stamp.unlink()
    stamp.symlink_to(path)
    assert read_submitted(path).timestamp is None
    stamp.unlink()
    os.mkfifo(stamp)
    assert read_submitted(path).timestamp is None


def test_a_submission_is_named_by_its_bytes():
    assert digest_of(b"") == (
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )
    assert Submitted(b"x").digest == digest_of(b"x")
