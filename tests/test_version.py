import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest

from autograder.errors import HarnessError
from autograder.version import DISTRIBUTION, own_version, wheel_name


def test_the_distribution_is_the_one_that_is_built_here_and_not_pypis_of_that_name():
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    assert project["name"] == DISTRIBUTION != "autograder"
    assert project["version"] == own_version()
    assert list(project["scripts"]) == ["autograder"]


def test_a_wheel_has_the_name_that_pip_wants():
    assert wheel_name("1.2.3") == "notebook_autograder-1.2.3-py3-none-any.whl"


def test_files_that_were_never_installed_have_no_version(monkeypatch):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    own_version.cache_clear()
    with pytest.raises(HarnessError, match=r"^notebook-autograder is not installed in this Python"):
        own_version()


def test_the_version_is_looked_up_once_in_a_process(monkeypatch):
    own_version()
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "another")
    assert own_version() != "another"


def test_the_changelog_begins_with_the_version_that_is_built():
    changelog = (Path(__file__).parents[1] / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (\S+)", changelog, re.MULTILINE)[0] == own_version()
