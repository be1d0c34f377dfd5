import pytest

from autograder.authoring.budget import GRADING
from autograder.errors import HarnessError, UsageError
from autograder.student import ready

WHEEL = "notebook_autograder-1.2.0-py3-none-any.whl"


@pytest.fixture(autouse=True)
def _release(tmp_path, monkeypatch):
    """A folder that holds all of a release, and the right package and Python."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(GRADING, raising=False)
    (tmp_path / "recording.json").write_text("{}")
    installed(monkeypatch, "1.2.0")
    monkeypatch.setattr(ready.sys, "version_info", (3, 11, 4))


def installed(monkeypatch, version):
    monkeypatch.setattr(ready, "own_version", lambda: version)


def look():
    ready.look("1.2.0", python="3.11", files=["recording.json", "data"])


def test_where_nothing_is_missing_nothing_is_said(tmp_path, capsys):
    (tmp_path / "data").mkdir()
    look()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("version", ["1.2.0", "1.2.1", "1.3.0", "1.10.0", "1.2.0.post1"])
def test_a_package_as_new_as_the_release_will_do(monkeypatch, version):
    installed(monkeypatch, version)
    look()


@pytest.mark.parametrize("version", ["1.1.9", "0.9.0", "2.0.0", "unknown"])
def test_another_package_is_named_with_the_command_that_mends_it(monkeypatch, version):
    installed(monkeypatch, version)
    with pytest.raises(UsageError) as error:
        look()
    text = str(error.value)
    assert text.startswith(f"this notebook needs notebook-autograder 1.2.0; here is {version}. ")
    assert f"    %pip install ./{WHEEL}\n" in text
    assert "Colab" in text


def test_files_of_the_package_that_pip_does_not_know_are_no_version(monkeypatch):
    def missing():
        raise HarnessError("not installed")

    monkeypatch.setattr(ready, "own_version", missing)
    with pytest.raises(UsageError, match=r"here is no version that pip knows of"):
        look()


def test_missing_files_are_said_once(tmp_path, capsys):
    (tmp_path / "recording.json").unlink()
    for _ in range(3):
        look()
        assert ready.tell_missing("recording.json")
    said = capsys.readouterr().out
    assert said.count("Not in this notebook's folder") == 1
    assert f"({tmp_path}): recording.json, data. Put there" in said


def test_a_file_that_was_missing_and_is_there_now_is_not_missing(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "recording.json").unlink()
    assert ready.tell_missing("recording.json")
    (tmp_path / "recording.json").write_text("{}")
    assert not ready.tell_missing("recording.json")


def test_another_python_than_the_graders_is_said(monkeypatch, tmp_path, capsys):
    (tmp_path / "data").mkdir()
    monkeypatch.setattr(ready.sys, "version_info", (3, 14, 0))
    look()
    assert "Grading runs Python 3.11, here it is 3.14" in capsys.readouterr().out


def test_where_a_notebook_is_graded_nothing_is_looked_for(monkeypatch, capsys):
    monkeypatch.setenv(GRADING, "1")
    installed(monkeypatch, "0.0.1")
    ready.look("1.2.0", python="2.7", files=["nothing"])
    assert capsys.readouterr().out == ""
