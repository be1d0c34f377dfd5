"""A command that starts warm does what one does that starts from nothing."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.warm.commands import warm

__all__ = ["warm"]
BIN = Path(sys.executable).parent
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith("AUTOGRADER_")}


def outcome(folder: Path, bin_: Path, script: str) -> tuple[object, ...]:
    """Run a script; return its exit code, what it printed, and what files it left."""
    folder.mkdir()
    env = ENVIRONMENT | {"PATH": f"{bin_}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["sh", "-c", f"umask 027; {script}"],
        cwd=folder,
        env=env,
        input="",
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    left = {str(p.relative_to(folder)): p.stat().st_mode for p in folder.rglob("*")}
    return done.returncode, done.stdout, done.stderr, left


@pytest.mark.parametrize(
    "script",
    [
        "autograder new --course Ours && autograder new more",
        "autograder compile",
        "python -m autograder --version 2>&-",
    ],
)
def test_a_warm_command_does_what_a_cold_one_does(tmp_path: Path, warm: Path, script: str) -> None:
    cold, hot = (tmp_path / name / "course" for name in ("cold", "hot"))
    cold.parent.mkdir()
    hot.parent.mkdir()
    expected = outcome(cold, BIN, script)
    found = outcome(hot, warm, script)
    assert str(found).replace("/hot/", "/cold/") == str(expected)


def test_a_command_ends_with_whoever_asked_for_it(tmp_path: Path, warm: Path) -> None:
    os.mkfifo(tmp_path / "endless.ipynb")
    asked = subprocess.Popen([warm / "autograder", "check", tmp_path / "endless.ipynb"])
    writer = os.open(tmp_path / "endless.ipynb", os.O_WRONLY)  # returns when the command reads
    asked.kill()
    assert asked.wait() == -9
    with open(writer, "wb", buffering=0) as file, pytest.raises(BrokenPipeError):
        file.writelines(itertools.repeat(b" "))
