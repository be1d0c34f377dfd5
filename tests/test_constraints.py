"""The pinned versions can be installed on every Python that pyproject.toml promises."""

import tomllib
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[1]


def test_what_is_pinned_admits_the_oldest_patch_of_each_python():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = (line.rpartition(" ")[2] for line in project["classifiers"] if "Python :: 3." in line)
    pythons = [f"{minor}.0" for minor in named]
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = [Requirement(line) for line in lines if not line.startswith("#")]
    looked_at, refused = 0, []
    for one in pinned:
        try:
            found = metadata(one.name)
        except PackageNotFoundError:  # what builds the docs is installed by `make docs`
            continue
        if found["Version"].partition("+")[0] not in one.specifier:
            continue  # another version than the pinned one lies here
        looked_at += 1
        admitted = SpecifierSet(found.get("Requires-Python", ""))
        refused += [(one.name, python) for python in pythons if python not in admitted]
    assert looked_at > len(pinned) / 2
    assert not refused
