"""Budgets are full for people and small for graders."""

import subprocess
import sys

import pytest

from autograder import budget
from autograder.artefacts.bundle import Cell
from autograder.authoring.budget import GRADING, graded_budgets
from autograder.grading.oracle import load_oracle
from autograder.sandbox.client.fork_server import environment_of

TRAIN = "from autograder import budget\nepochs = budget(25, graded=1)\n"


@pytest.fixture(autouse=True)
def _in_jupyter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(GRADING, raising=False)


def test_is_full_in_a_person_s_jupyter() -> None:
    assert budget(25, graded=1) == 25


def test_is_small_in_an_oracle_and_full_again_behind_it() -> None:
    oracle = load_oracle([Cell("given", 1, TRAIN)], {}, "small", "a file")
    assert oracle.namespace["epochs"] == 1
    assert budget(25, graded=1) == 25


def test_is_small_in_a_session_s_environment() -> None:
    command = [sys.executable, "-c", f"{TRAIN}print(epochs)"]
    found = subprocess.run(command, env=environment_of("cpu"), capture_output=True, check=True)
    assert found.stdout == b"1\n"


def test_blocks_nest() -> None:
    with graded_budgets():
        with graded_budgets():
            pass
        assert budget(25, graded=1) == 1
