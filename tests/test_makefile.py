"""The Makefile's variables reach the commands as their options."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("grade", "grade --device auto --engine local"),
        (
            "grade ASSIGNMENT=hw1 STUDENT=ada DEVICE=cpu JOBS=2",
            "grade hw1 --student ada --device cpu --engine local --jobs 2",
        ),
        (
            "grade ENGINE=local SHARD=1/2",
            "grade --device auto --engine local --shard 1/2",
        ),
        (
            "grade ENGINE=dask SCHEDULER=tls://there:8786",
            "grade --device auto --engine dask --scheduler tls://there:8786",
        ),
        ("compile ASSIGNMENT=hw1", "compile hw1"),
        ("audit ASSIGNMENT=hw1", "audit hw1"),
        ("redteam ASSIGNMENT=hw1 ONLY=steal JOBS=2", "redteam hw1 --only steal --jobs 2"),
        ("bench", "bench --install-peers"),
        ("bench SIZES=10,20 PEERS=no PUBLISH=yes", "bench --sizes 10,20 --no-peers --publish"),
        ("doctor", "doctor"),
    ],
)
def test_a_target_calls_the_command_of_its_name(words: str, command: str) -> None:
    done = subprocess.run(
        ["make", "--dry-run", *words.split()],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    said = " ".join(done.stdout.replace("\\\n", " ").split())
    assert f".venv/bin/autograder {command}" in said


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("test-gpu", "python3 tests/gpu/run.py"),
        ("test-gpu PYTHON=/opt/python", "/opt/python tests/gpu/run.py"),
        ("gpu-wheels", "python3 tests/gpu/run.py --download"),
    ],
)
def test_the_tests_on_a_gpu_need_no_environment_of_ours(words: str, command: str) -> None:
    done = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", *words.split()],  # `make test` may run this
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{command}\n"


def test_an_environment_without_pip_is_made_whole(tmp_path: Path) -> None:
    """One is left where the first `make` stopped for want of Debian's python3-venv."""
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text(encoding="utf-8"))
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).touch()
    python, said = tmp_path / ".venv" / "bin" / "python", tmp_path / "said"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\necho "$*" >> {said}\ntest -e {tmp_path}/pip\n')
    maker = tmp_path / "python3"
    maker.write_text(f'#!/bin/sh\necho "made: $*" >> {said}\ntouch {tmp_path}/pip\n')
    for one in (python, maker):
        one.chmod(0o755)
    make = ["make", "--no-print-directory", "setup", f"PYTHON={maker}"]
    for _ in range(2):
        subprocess.run(make, cwd=tmp_path, capture_output=True, check=True)
    lines = said.read_text(encoding="utf-8").splitlines()
    assert lines[:2] == ["-m pip --version", "made: -m venv .venv"]
    assert lines[2].startswith("-m pip install ")
    assert len(lines) == 3  # the second time it is ready
