import errno
import os

import pytest

from autograder.records.whole_files import require_writable, temporary, write_atomic


def test_a_file_is_replaced_whole_and_its_folders_are_made(tmp_path):
    path = tmp_path / "a" / "b" / "page.html"
    write_atomic(path, b"old")
    with path.open("rb") as reader:
        write_atomic(path, b"new")
        assert reader.read() == b"old", "who reads keeps what was there"
    assert path.read_bytes() == b"new"
    assert os.listdir(path.parent) == ["page.html"]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "page.html"
    write_atomic(path, b"old")

    def full(descriptor):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["page.html"]


def test_a_temporary_file_lies_beside_its_place_and_goes(tmp_path):
    with temporary(tmp_path, b"data") as path:
        assert path.parent == tmp_path
        assert path.name.startswith(".tmp-")
        assert path.read_bytes() == b"data"
    assert not path.exists()


def test_a_write_that_fails_says_in_which_folder(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    require_writable(tmp_path / "new")
    assert os.listdir(tmp_path / "new") == []
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as raised:
        require_writable(tmp_path)
    assert raised.value.filename == str(tmp_path)
