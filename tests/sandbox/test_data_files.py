import pytest

from autograder.sandbox.protocol.data_files import as_bodies, of_bodies, put_files


@pytest.mark.parametrize(
    "files", [{}, {"data/a": b""}, {"data/a": b"1", "data/b/ü.bin": b"\0\xff", "data/c": b"33"}]
)
def test_files_cross_as_they_are(files):
    assert {path: bytes(data) for path, data in of_bodies(as_bodies(files)).items()} == files


def test_files_are_written_below_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    put_files({"data/a/b/c.bin": b"\0", "data/d": memoryview(b"text")})
    assert (tmp_path / "data/a/b/c.bin").read_bytes() == b"\0"
    assert (tmp_path / "data/d").read_bytes() == b"text"
