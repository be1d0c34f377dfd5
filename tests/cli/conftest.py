"""The small course and the command line, for the tests of this folder."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder import cli
from tests.small_course import compiled, small_proof, write_proven_course
from tests.warm.commands import warm

__all__ = [
    "ENVIRONMENT",
    "Run",
    "compiled",
    "run_alone",
    "small_proof",
    "warm",
    "write_proven_course",
]

ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith("AUTOGRADER_")}
Run = Callable[..., subprocess.CompletedProcess[str]]


def run_alone(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Call a command of a course in a process of its own, from nothing, as its users do."""
    return in_process(root, sys.executable, "-m", "autograder", *arguments)


def in_process(
    root: Path, *command: str, env: dict[str, str] = ENVIRONMENT
) -> subprocess.CompletedProcess[str]:
    """Run anything in the folder of a course; return what it printed, and its exit code."""
    return subprocess.run(
        command,
        cwd=root,
        env=env,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.fixture(scope="session")
def run_warm(warm: Path) -> Run:
    """Calls a command of a course in a process of its own, which starts warm."""
    return lambda root, *arguments: in_process(root, str(warm / "autograder"), *arguments)


@pytest.fixture(scope="session")
def shell(warm: Path) -> Run:
    """Runs a shell's script in the folder of a course, in which our commands start warm."""
    env = ENVIRONMENT | {"PATH": f"{warm}{os.pathsep}{os.environ['PATH']}"}

    def shell(root: Path, script: str, *before: str) -> subprocess.CompletedProcess[str]:
        return in_process(root, *before, "sh", "-ec", script, env=env)

    return shell


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Calls a command of a course in this process, which is quicker, with one worker."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})  # each has a fork server to start
    for name in os.environ.keys() - ENVIRONMENT.keys():
        monkeypatch.delenv(name)

    def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        monkeypatch.chdir(root)
        capsys.readouterr()
        code: object
        try:
            code = cli.main(arguments)
        except SystemExit as left:  # by argparse
            code = left.code
        assert isinstance(code, int)
        return subprocess.CompletedProcess(arguments, code, *capsys.readouterr())

    return run
