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
