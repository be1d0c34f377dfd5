"""What the doctor says of this Python; what it says of the machine is tested where that is."""

import re
import sys
import sysconfig
from pathlib import Path

import pytest
import yaml

from autograder import doctor

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    ("options", "prefix", "slow"),
    [
        ("'--enable-shared' '--enable-optimizations' '--with-lto'", "/opt/python", False),
        ("'--enable-shared'", "/home/ada/.pyenv/versions/3.11.7", True),
        ("", "/opt/python", False),
        (None, "C:\\Python311", False),
        ("'--enable-shared'", "/usr", False),
    ],
)
def test_a_python_built_without_a_profile_is_named_as_slow(options, prefix, slow, monkeypatch):
    monkeypatch.setattr(sysconfig, "get_config_var", {"CONFIG_ARGS": options}.get)
    monkeypatch.setattr(sys, "base_prefix", prefix)
    found = doctor._python()
    assert found.state == ("no" if slow else "ok")
    assert ("--enable-optimizations" in found.text) is slow


@pytest.mark.parametrize("version", [(3, 10, 9), (3, 15, 0)])
def test_a_python_that_ci_does_not_test_is_named(version, monkeypatch):
    monkeypatch.setattr(sys, "version_info", version)
    found = doctor._python()
    assert found.state == "no"
    assert found.text.endswith("; we test with 3.11 to 3.14")


def test_the_versions_that_it_names_are_those_of_ci_and_of_the_readme():
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]
    pythons = [job["strategy"]["matrix"]["python"] for job in jobs.values() if "strategy" in job]
    named = ["{}.{}".format(*one) for one in (doctor.OLDEST, doctor.NEWEST)]
    assert [[versions[0], versions[-1]] for versions in pythons] == [named]
    assert re.findall(r"CI tests (\S+) to (\S+)\)", (ROOT / "README.md").read_text()) == [
        tuple(named)
    ]
